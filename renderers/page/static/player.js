"use strict";
// All tracks of all runs at once: their sources start at one time of one clock, and what is not
// to be heard has no gain. Switching is then exact to the sample.

const LEAD = 0.03; // s from the call to the first sample, so that all sources are ready
const FADE = 0.004; // s; a switch without a click
const ENCODER_DELAY = 1105; // samples that a decoder leaves in front if it does not know LAME's own

class Player {
  /** runs: each with its tracks (MP3 as base64); samples, rate: of each of them. */
  constructor(runs, { samples, rate }) {
    this.runs = runs;
    this.samples = samples;
    this.rate = rate;
    this.seconds = samples / rate;
    this.chosen = 0;
    this.speed = 1;
    this.volume = 0.8;
    this.position = 0; // where it stands, or where it was started, s
    this.playing = false;
    this.wanted = false; // what the button says: a device may take its time to wake
    this.muted = runs.map((run) => run.tracks.map(() => false));
    this.sources = [];
    this.onEnd = () => {};
  }

  /** Decode everything; before that nothing can be played. */
  async load() {
    const decoder = new OfflineAudioContext(2, 1, this.rate);
    const decode = async ({ mp3 }) => this._trimmed(await decoder.decodeAudioData(bytesOf(mp3).buffer));
    this.buffers = await Promise.all(this.runs.map((run) => Promise.all(run.tracks.map(decode))));
    this.setSpeed(this.speed);
    for (const run of this.runs) for (const track of run.tracks) delete track.mp3;
  }

  _trimmed(buffer) {
    if (buffer.length < this.samples + ENCODER_DELAY) return buffer;
    const cut = new AudioBuffer({
      numberOfChannels: buffer.numberOfChannels, length: this.samples, sampleRate: buffer.sampleRate,
    });
    for (let c = 0; c < buffer.numberOfChannels; c++) {
      cut.copyToChannel(buffer.getChannelData(c).subarray(ENCODER_DELAY), c);
    }
    return cut;
  }

  /** Where the sound is, as the ear has it: what the device still holds back is not yet heard. */
  get time() {
    if (!this.playing) return this.position;
    const heard = this.context.currentTime - (this.context.outputLatency || 0) - this.started;
    return Math.min(this.seconds, this.position + Math.max(0, heard) * this.speed);
  }

  async play() {
    if (this.wanted) return;
    this.wanted = true;
    if (!this.context) this._connect();
    await this.context.resume();
    if (!this.wanted || this.playing) return;
    if (this.position >= this.seconds - 0.01) this.position = 0;
    this._start();
  }

  pause() {
    const time = this.time;
    this.wanted = false;
    this._stop();
    this.position = time;
  }

  seek(time) {
    const playing = this.playing;
    this._stop();
    this.position = Math.min(this.seconds, Math.max(0, time));
    if (playing) this._start();
  }

  choose(run) {
    this.chosen = run;
    this._setGains();
  }

  setMuted(track, muted) {
    for (const each of this.muted) if (track < each.length) each[track] = muted;
    this._setGains();
  }

  setVolume(volume) {
    this.volume = volume;
    if (this.master) this.master.gain.setTargetAtTime(volume ** 2, this.context.currentTime, FADE);
  }

  setSpeed(speed) {
    const { playing, time } = this;
    this._stop();
    this.position = time;
    this.speed = speed;
    if (!this.buffers) return; // `load` comes back to it
    const flat = stretched(this.buffers.flat(), speed);
    let next = 0;
    this.heard = this.buffers.map((run) => run.map(() => flat[next++]));
    if (playing) this._start();
  }

  _connect() {
    this.context = new AudioContext({ sampleRate: this.rate });
    this.master = new GainNode(this.context, { gain: this.volume ** 2 });
    this.master.connect(this.context.destination);
    this.gains = this.buffers.map((run, r) => run.map((_, t) => {
      const gain = new GainNode(this.context, { gain: this._gain(r, t) });
      gain.connect(this.master);
      return gain;
    }));
  }

  _gain(run, track) {
    return run === this.chosen && !this.muted[run][track] ? 1 : 0;
  }

  _setGains() {
    if (!this.gains) return;
    const now = this.context.currentTime;
    this.gains.forEach((run, r) => run.forEach((gain, t) => {
      gain.gain.cancelScheduledValues(now);
      gain.gain.setValueAtTime(gain.gain.value, now);
      gain.gain.linearRampToValueAtTime(this._gain(r, t), now + FADE);
    }));
  }

  _start() {
    this.started = this.context.currentTime + LEAD;
    this.playing = true;
    this.sources = this.heard.flatMap((run, r) => run.map((buffer, t) => {
      const source = new AudioBufferSourceNode(this.context, { buffer });
      source.connect(this.gains[r][t]);
      source.start(this.started, this.position / this.speed);
      return source;
    }));
    this.sources[0].onended = () => {
      this._stop();
      this.wanted = false;
      this.position = this.seconds;
      this.onEnd();
    };
  }

  _stop() {
    this.playing = false;
    for (const source of this.sources) {
      source.onended = null;
      source.stop();
      source.disconnect();
    }
    this.sources = [];
  }
}
