"use strict";
// The page: one state (which run, where, how fast), shown by charts and tables, heard by the player.

const LONGEST_HEADING = 80; // characters

const $ = (id) => document.getElementById(id);

class Page {
  constructor() {
    this.data = readData();
    labelled(this.data.runs);
    this.axis = new StepAxis(this.data.runs[0].steps, this.data.axis);
    this.player = new Player(this.data.runs, this.data.sound);
    this.run = 0;
    this.before = this.data.runs.length > 1 ? 1 : 0; // where X goes
    this.solo = null;
    this.pointed = null; // the time under the pointer
    this.point = -1; // what the table shows
    this.figures = this.data.runs.map(() => null);
    this.teller = new Teller((sentence) => this._say(sentence));
    $("main").hidden = false;
    this._introduce();
    this.charts = new Charts(this.data, this.axis, [$("curves"), $("spectrogram")], {
      seek: (time) => {
        const before = this.time;
        this.seek(time);
        return before;
      },
      point: (time) => this._pointTo(time),
      zoom: (zoomed) => { $("whole").hidden = !zoomed; if (this.charts) this._place(); },
      resize: () => this._place(),
      theme: () => { this._palette(); this.table.colour(); },
    });
    this.tip = element("div", { className: "tip", hidden: true });
    this.charts.above.over.append(this.tip);
    const stems = this.data.stems ? { onMute: (v) => this._mute(v), onSolo: (v) => this._solo(v) } : {};
    this.table = new VoicesTable($("voices"), this.data, stems);
    this._connect();
    this.show(0);
  }

  async load() {
    $("play").disabled = true;
    await Promise.all([this.player.load(), this.charts.load()]);
    this._palette();
    $("play").disabled = false;
    document.documentElement.dataset.ready = "yes";
  }

  get seconds() { return this.axis.seconds; }
  get time() { return Math.min(this.player.time, this.seconds); }

  async toggle() {
    if ($("play").disabled) return;
    if (this.player.wanted) {
      this.player.pause();
      this.teller.stop();
    } else {
      const starting = this.player.play();
      this._playing();
      await starting;
    }
    this._playing();
  }

  seek(time) {
    this.player.seek(Math.min(Math.max(0, time), this.seconds));
    this.teller.from(this.time);
    this._place(true);
  }

  show(run) {
    const switched = run !== this.run;
    if (switched) this.before = this.run;
    this.run = run;
    this.player.choose(run);
    this.teller.tellOf(this.data.runs[run]);
    const several = this.data.runs.length > 1;
    const ghost = several && $("ghost").checked ? this.before : null;
    $("ghost-name").replaceChildren(named(this.data.runs[this.before].label), ", faint");
    this.charts.show(run, ghost);
    const now = this.data.runs[run];
    this.table.show(now);
    showEvents($("events"), this.data, now, (event) => this._goTo(event));
    showValues($("values"), this.data, this.axis, now);
    showSettings($("settings"), this.data, now);
    this._figures(run);
    const chosen = $("runs").querySelector(`input[value="${run}"]`);
    if (chosen) chosen.checked = true;
    this.point = -1;
    if (this.pointed !== null) this._pointTo(this.pointed);
    this._place();
    if (switched) this._say(`${isolated(now.name)} is heard`);
  }

  _introduce() {
    const { runs, voices, axis } = this.data;
    $("title").replaceChildren(...this._heading());
    const count = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
    $("subtitle").textContent = [count(axis.total, "step"), count(voices.length, "voice"),
      `${this.seconds.toFixed(1)} s`].join(", ");
    $("position").max = this.seconds;
    const each = Math.ceil(axis.total / this.axis.points);
    $("curves-note").textContent = this.axis.exact ? ""
      : `drawn with the lowest and the highest of ${each.toLocaleString("en")} steps each`;
    const { low_db: low, high_db: high } = this.data.spectrogram;
    $("softest").textContent = `${low.toFixed(0)} dB`;
    $("loudest").textContent = `${high.toFixed(0)} dB`;
    if (runs.length > 1) this._offerRuns();
  }

  _offerRuns() {
    $("runs").hidden = false;
    $("ghost-choice").hidden = false;
    this.data.runs.forEach((run, i) => {
      const input = element("input", { type: "radio", name: "run", value: i, onchange: () => this.show(i) });
      $("runs").append(element("label", { title: run.name }, input, ` ${i + 1} `, named(run.label)));
    });
  }

  /** The names of all runs, or of too many their number. */
  _heading() {
    const { runs } = this.data;
    if (runs.map(({ label }) => label).join().length > LONGEST_HEADING) return [`${runs.length} runs`];
    return runs.flatMap((run, i) => (i ? [" · ", named(run.label)] : [named(run.label)]));
  }

  _connect() {
    const present = new Set(this.charts.marks.flat(2).map(({ name }) => name));
    const words = { nan: "NaN", positive_infinity: "+∞", negative_infinity: "−∞", zero: "exactly zero" };
    const marks = Object.entries(GLYPHS).filter(([name]) => present.has(name))
      .map(([name, glyph]) => `${glyph} ${words[name]}`);
    if (this.charts.happened.some((run) => run.length)) marks.push("○ ┊ an event, listed below");
    $("legend").textContent = marks.join("   ");
    $("play").onclick = () => this.toggle();
    $("position").oninput = (event) => this.seek(Number(event.target.value));
    $("speed").onchange = (event) => this._setSpeed(Number(event.target.value));
    $("volume").oninput = (event) => this.player.setVolume(Number(event.target.value));
    $("ghost").onchange = () => this.show(this.run);
    $("whole").onclick = () => this.charts.zoom(0, this.seconds);
    $("help").onclick = () => $("keys").showModal();
    this.teller.whenItCan(() => { $("speak-choice").hidden = false; });
    $("speak").onchange = (event) => this.teller.setAloud(event.target.checked);
    this.player.onEnd = () => {
      this.teller.rewind();
      this._playing();
    };
    document.addEventListener("keydown", (event) => this._press(event));
  }

  _press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || $("keys").open) return;
    const at = event.target;
    // Controls keep the keys that they know themselves.
    const moves = /^(Arrow|Home|End|Page)/.test(event.key);
    const own = at.matches("select, video") || (at.matches("input, [tabindex]") && moves)
      || (at.matches("button, summary, input[type=checkbox]") && event.key === " ");
    const act = own ? null : this._keys(event);
    if (!act) return;
    event.preventDefault();
    act();
  }

  _keys({ key, shiftKey, repeat }) {
    const toPoint = (by) => {
      const point = Math.min(this.axis.points - 1, Math.max(0, this.axis.pointAt(this.time) + by));
      this.seek(this.axis.timeOfPoint(point));
    };
    const along = (by) => (shiftKey ? this.seek(this.time + by) : toPoint(by));
    if (/^[1-9]$/.test(key)) {
      return Number(key) <= this.data.runs.length ? () => this.show(Number(key) - 1) : null;
    }
    return {
      " ": () => repeat || this.toggle(),
      k: () => repeat || this.toggle(),
      ArrowLeft: () => along(-1),
      ArrowRight: () => along(1),
      Home: () => this.seek(0),
      End: () => this.seek(this.seconds),
      n: () => this._toEvent(1),
      p: () => this._toEvent(-1),
      s: () => $("speak-choice").hidden || $("speak").click(),
      x: () => this.show(this.before),
      "<": () => this._faster(-1),
      ">": () => this._faster(1),
      ArrowUp: () => this._louder(0.1),
      ArrowDown: () => this._louder(-0.1),
      "+": () => this.charts.zoomBy(0.5, this.time),
      "=": () => this.charts.zoomBy(0.5, this.time),
      "-": () => this.charts.zoomBy(2, this.time),
      0: () => this.charts.zoom(0, this.seconds),
      "?": () => $("keys").showModal(),
    }[key.length === 1 ? key.toLowerCase() : key];
  }

  _toEvent(direction) {
    const { events } = this.data.runs[this.run];
    const now = this.time;
    const found = direction > 0 ? events.find(({ time }) => time > now + 1e-3)
      : events.findLast(({ time }) => time < now - 1e-3);
    if (found) this._goTo(found);
  }

  _goTo(event) {
    this.seek(event.time);
    this._say(event.sentence);
  }

  _faster(by) {
    const speeds = [...$("speed").options].map(({ value }) => value);
    const next = speeds[speeds.indexOf($("speed").value) + by];
    if (!next) return;
    $("speed").value = next;
    this._setSpeed(Number(next));
  }

  _setSpeed(speed) {
    this.player.setSpeed(speed);
    this._say(`speed ${speed}`);
  }

  _louder(by) {
    $("volume").value = Number($("volume").value) + by;
    this.player.setVolume(Number($("volume").value));
  }

  _mute(voice) {
    if (this.solo !== null) this._solo(this.solo); // all are heard again, the marks too
    this.player.setMuted(voice, !this.player.muted[0][voice]);
    this.table.press(this.player.muted[0], this.solo);
  }

  _solo(voice) {
    this.solo = this.solo === voice ? null : voice;
    // The marks of all voices, behind the voices, are heard when nothing is solo.
    for (let track = 0; track <= this.data.voices.length; track++) {
      this.player.setMuted(track, this.solo !== null && track !== this.solo);
    }
    this.table.press(this.player.muted[0].map((muted) => muted && this.solo === null), this.solo);
  }

  _figures(run) {
    this.figures[run] ??= figuresOf(this.data.runs[run]);
    $("figures").replaceChildren(...this.figures[run]);
    $("extras").hidden = !this.figures[run].length;
  }

  // What moves

  _playing() {
    $("play").textContent = this.player.wanted ? "Pause" : "Play";
    cancelAnimationFrame(this.next);
    this._frame();
  }

  _frame() {
    this._place(this.player.playing);
    if (!this.player.playing) return;
    this.teller.to(this.time);
    this.next = requestAnimationFrame(() => this._frame());
  }

  _place(follow = false) {
    if (!this.charts?.lines || !this.table) return;
    const { time } = this;
    this.charts.moveTo(time, follow);
    $("position").value = time;
    this._tell(this.pointed ?? time);
  }

  _tell(time) {
    const point = this.axis.pointAt(Math.min(time, this.seconds));
    const now = this.time;
    const text = `step ${this.axis.stepAt(Math.min(now, this.seconds)).toLocaleString("en")} · ${now.toFixed(1)} s`;
    if ($("where").textContent !== text) {
      $("where").textContent = text;
      $("position").setAttribute("aria-valuetext", text);
    }
    if (point === this.point) return;
    this.point = point;
    this.table.at(this.data.runs[this.run], point, this._steps(point));
  }

  _steps(point) {
    const { axis } = this;
    const first = axis.steps[point];
    if (axis.exact) return `at step ${first.toLocaleString("en")}`;
    const next = point + 1 < axis.points ? axis.steps[point + 1] - 1 : axis.last;
    return `at steps ${first.toLocaleString("en")} to ${next.toLocaleString("en")}`;
  }

  _pointTo(time) {
    this.pointed = time;
    this.tip.hidden = time === null;
    if (time !== null) {
      const point = this.axis.pointAt(time);
      const run = this.data.runs[this.run];
      const rows = this.data.voices.map(({ name }, v) =>
        element("div", {}, swatch(v), named(name), " ", element("b", { textContent: valueAt(this.data, run, v, point) })));
      this.tip.replaceChildren(element("div", { textContent: this._steps(point) }), ...rows);
      const { left } = this.charts.above.cursor;
      const right = left > this.charts.above.over.clientWidth / 2;
      this.tip.style.left = right ? "" : `${left + 14}px`;
      this.tip.style.right = right ? `${this.charts.above.over.clientWidth - left + 14}px` : "";
    }
    this._place();
  }

  _palette() {
    const palette = bytesOf(this.data.palettes[themeName()]);
    const context = $("palette").getContext("2d");
    const image = context.createImageData(256, 1);
    for (let i = 0; i < 256; i++) image.data.set([...palette.subarray(3 * i, 3 * i + 3), 255], 4 * i);
    context.putImageData(image, 0, 0);
  }

  _say(text) {
    $("status").textContent = text;
  }
}

const page = new Page();
page.load().catch((error) => {
  $("where").textContent = `The sound cannot be played here (${error.message}).`;
});
