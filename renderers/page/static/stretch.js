"use strict";
// Longer or shorter at the same pitch, since pitch is what carries the values: WSOLA
// (Verhelst and Roelands, 1993). All tracks are cut at the same places, so that they stay together.

const WINDOW = 2048; // samples; twice a period of the lowest voice, and a half more
const HALF = WINDOW / 2;
const REACH = 448; // samples in which the next piece is looked for: a period of 110 Hz and more
const COARSE = 8;
const FADE_SHAPE = Float32Array.from({ length: WINDOW }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / WINDOW));

/** Where each piece of the longer or shorter sound is cut from the guide, in samples. */
function cutPlaces(guide, speed) {
  const last = guide.length - WINDOW - REACH;
  const pieces = Math.max(1, Math.ceil(guide.length / speed / HALF));
  const places = new Int32Array(pieces);
  for (let piece = 1; piece < pieces; piece++) {
    // The middle of a piece is what it is about.
    const wanted = Math.max(0, Math.round((piece + 1) * HALF * speed) - HALF);
    const natural = places[piece - 1] + HALF; // what would follow by itself
    if (wanted <= REACH || wanted >= last || natural >= last) places[piece] = wanted;
    else places[piece] = bestMatch(guide, natural, wanted);
  }
  return places;
}

function bestMatch(guide, natural, wanted) {
  let best = wanted;
  let most = -Infinity;
  const consider = (from, to, stride, grain) => {
    for (let place = from; place <= to; place += stride) {
      let alike = 0;
      for (let i = 0; i < WINDOW; i += grain) alike += guide[natural + i] * guide[place + i];
      if (alike > most) [most, best] = [alike, place];
    }
  };
  consider(wanted - REACH, wanted + REACH, COARSE, COARSE);
  most = -Infinity;
  consider(best - COARSE, best + COARSE, 1, 4);
  return best;
}

/** Put one channel together again from pieces at these places, each fading into the next. */
function rejoined(channel, places, speed) {
  const length = Math.ceil(channel.length / speed);
  const sound = new Float32Array(length + WINDOW);
  for (let piece = 0; piece < places.length; piece++) {
    const to = piece * HALF;
    for (let i = 0; i < WINDOW; i++) {
      // The first piece has nothing to fade in from.
      const fade = piece === 0 && i < HALF ? 1 : FADE_SHAPE[i];
      sound[to + i] += fade * (channel[places[piece] + i] ?? 0);
    }
  }
  return sound.subarray(0, length);
}

/** Stretch buffers together; those of speed 1 are the same ones. */
function stretched(buffers, speed) {
  if (speed === 1) return buffers;
  const guide = new Float32Array(buffers[0].length);
  for (const buffer of buffers) {
    for (let c = 0; c < buffer.numberOfChannels; c++) {
      const channel = buffer.getChannelData(c);
      for (let i = 0; i < channel.length; i++) guide[i] += channel[i];
    }
  }
  const places = cutPlaces(guide, speed);
  return buffers.map((buffer) => {
    const channels = Array.from({ length: buffer.numberOfChannels }, (_, c) =>
      rejoined(buffer.getChannelData(c), places, speed));
    const made = new AudioBuffer({
      numberOfChannels: channels.length, length: channels[0].length, sampleRate: buffer.sampleRate,
    });
    channels.forEach((channel, c) => made.copyToChannel(channel, c));
    return made;
  });
}
