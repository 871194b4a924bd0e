"use strict";
// What happened, told as the playhead passes it: to screen readers, and aloud if that is wished.

const LATE = 2; // s; what was passed longer ago, as in a tab that was hidden, is not told any more
const HAIR = 1e-3; // s

class Teller {
  /** say: called with each sentence. */
  constructor(say) {
    this.say = say;
    this.speech = window.speechSynthesis;
    this.aloud = false;
    this.events = [];
    this.waiting = [];
    this.utterance = null; // what is being spoken
    this.rewind();
  }

  /** Call back once the browser has a voice to speak with, which it may have to look for. */
  whenItCan(act) {
    const look = () => { if (this.speech.getVoices().length) act(); };
    if (!this.speech) return;
    look();
    this.speech.addEventListener("voiceschanged", look);
  }

  tellOf(run) {
    this.events = run.events.filter(({ told }) => told);
    this.stop();
  }

  setAloud(aloud) {
    this.aloud = aloud;
    if (!aloud) this.stop();
  }

  /** The playhead was set to a time: what is there is yet to be passed. */
  from(time) {
    this.passed = time - HAIR;
    this.stop();
  }

  /** It begins anew, and what is still being spoken is spoken to its end. */
  rewind() {
    this.passed = -HAIR;
  }

  /** The playhead moved on to a time. */
  to(time) {
    if (time < this.passed - LATE) this.rewind();
    if (time < this.passed) return; // a device's latency may change
    const since = Math.max(this.passed, time - LATE);
    this.passed = time;
    for (const event of this.events) if (event.time > since && event.time <= time) this._tell(event.sentence);
  }

  stop() {
    this.waiting = [];
    if (!this.utterance) return;
    this.utterance = null;
    this.speech.cancel();
  }

  _tell(sentence) {
    this.say(sentence);
    if (!this.aloud) return;
    this.waiting.push(sentence);
    if (!this.utterance) this._speak();
  }

  /** One sentence at a time, each when the one before has ended. */
  _speak() {
    const sentence = this.waiting.shift();
    this.utterance = sentence === undefined ? null : new SpeechSynthesisUtterance(sentence);
    if (!this.utterance) return;
    const own = this.utterance;
    own.lang = "en";
    own.onend = own.onerror = () => { if (this.utterance === own) this._speak(); };
    this.speech.speak(own);
  }
}
