"use strict";
// The curves and the spectrogram: two uPlot charts on one axis of time, labelled in steps.
// Both have axes of one size, so that a moment lies at one place in both.

const MARGIN = 14; // px, right of the charts
const LANE = 9; // px, of a voice's marks above the curves
const LARGEST = 8e307; // where an axis ends: the range from there to its negative is a number, too
const RING = 5; // px, radius of what marks an event on a curve
const DOWNWARDS = ["fall", "dead"]; // kinds of events that are marked at the least value
const GLYPHS = { nan: "×", positive_infinity: "▲", negative_infinity: "▼", zero: "0" };

class Charts {
  /** hosts: two elements; on: what to call with a time that was clicked, or pointed at (or null). */
  constructor(data, axis, hosts, on) {
    this.data = data;
    this.axis = axis;
    this.on = on;
    this.shown = 0;
    this.ghost = null;
    this.voices = data.voices.map((_, v) => v);
    this.apart = data.several_groups && !this._isOneRange(); // each quantity on its own scale
    this.logarithmic = !this.apart && this._isLogarithmic();
    this.times = this._times();
    this.plotted = data.runs.map((run) => this.voices.map((v) => this._plotted(run, v)));
    this.marks = data.runs.map((run) => this.voices.map((v) => this._stretches(run, v)));
    this.happened = data.runs.map((run) => run.events.flatMap((event) => this._markOf(run, event)));
    // A lane for each voice that needs one in any run, so that a switch moves nothing.
    this.lanes = this.voices.filter((v) => this.marks.some((run) => run[v].length));
    this.pictures = [];
    this._build(hosts);
    darkTheme.addEventListener("change", () => this._themeChanged());
  }

  /** Colour the spectrograms; the charts are complete after that. */
  async load() {
    const palette = bytesOf(this.data.palettes[themeName()]);
    this.pictures = await Promise.all(
      this.data.runs.map((run) => coloured(run.picture.png, palette)));
    this.below.redraw(false);
  }

  /** Show a run, and another one faintly behind it (or null). */
  show(run, ghost) {
    this.shown = run;
    this.ghost = ghost;
    this.above.setData(this._columns(), false);
    this.above.redraw(true);
    this.below.redraw(false);
  }

  /** Move the line that says where we are; follow it if it leaves the view while playing. */
  moveTo(time, follow) {
    const { min, max } = this.above.scales.x;
    if (follow && (time > max || time < min) && max - min < this.axis.seconds) {
      const from = Math.min(Math.max(0, time), this.axis.seconds - (max - min));
      this.zoom(from, from + max - min);
    }
    for (const [chart, line] of this.lines) {
      const place = chart.valToPos(time, "x");
      line.style.transform = `translateX(${place.toFixed(2)}px)`;
      line.hidden = place < -1 || place > chart.over.clientWidth + 1;
    }
  }

  zoom(from, to) {
    const range = { min: Math.max(0, from), max: Math.min(this.axis.seconds, to) };
    this.above.setScale("x", range); // the other one follows
  }

  /** See less (factor below 1) or more around a time. */
  zoomBy(factor, time) {
    const { min, max } = this.above.scales.x;
    const wide = Math.min(this.axis.seconds, Math.max((max - min) * factor, this.axis.seconds / this.axis.points));
    const from = Math.min(Math.max(0, time - wide / 2), this.axis.seconds - wide);
    this.zoom(from, from + wide);
  }

  get zoomed() {
    const { min, max } = this.above.scales.x;
    return max - min < this.axis.seconds * 0.999;
  }

  // What is drawn

  /** Whether different quantities are so alike that one logarithmic axis serves them. */
  _isOneRange() {
    const scales = Object.values(this.data.scales);
    if (!scales.length || !scales.every(({ kind }) => kind === "log")) return !scales.length;
    return Math.max(...scales.map(({ high }) => high)) < 1e6 * Math.min(...scales.map(({ low }) => low));
  }

  _isLogarithmic() {
    const kinds = Object.values(this.data.scales).map((scale) => scale.kind);
    if (kinds.length) return kinds.every((kind) => kind === "log");
    return this.data.runs.every((run) => run.low.every((row) => row.every((x) => !(x < 0))));
  }

  /** One x a point where it is a single step, two where it has a least and a greatest value. */
  _times() {
    const { axis } = this;
    const times = [];
    for (let point = 0; point < axis.points; point++) {
      times.push(axis.timeOfPoint(point));
      if (!axis.exact) times.push((axis.timeOfPoint(point) + axis.timeOfPoint(point + 1)) / 2);
    }
    times.push(axis.seconds);
    return times;
  }

  _plotted(run, voice) {
    const place = this._placing(voice);
    const column = [];
    const [low, high] = [run.low[voice], run.high[voice]];
    let before = NaN;
    for (let point = 0; point < this.axis.points; point++) {
      const pair = [place(low[point]), place(high[point])];
      if (this.axis.exact) column.push(pair[0]);
      else if (Math.abs(before - pair[1]) < Math.abs(before - pair[0])) column.push(pair[1], pair[0]);
      else column.push(...pair);
      before = column.at(-1) ?? NaN;
    }
    column.push(column.at(-1)); // held until the end of its step
    return column;
  }

  /** From a value to where it is drawn: itself, or of different quantities its share of the scale. */
  _placing(voice) {
    const { data } = this;
    const scale = this.apart ? data.scales[data.groups[voice]] : null;
    if (!scale) {
      return (value) => (Number.isNaN(value) || (this.logarithmic && value <= 0) ? null : value);
    }
    const along = scale.kind === "log" ? (x) => (x > 0 ? Math.log(x) : NaN) : (x) => x;
    const [low, high] = [along(scale.low), along(scale.high)];
    return (value) => {
      const share = (along(value) - low) / (high - low);
      return Number.isNaN(share) ? null : share;
    };
  }

  /** Where a voice is not a number above zero: [from, to, which state]. */
  _stretches(run, voice) {
    const found = [];
    const states = run.state[voice];
    for (let point = 0; point < this.axis.points; point++) {
      const name = this.data.stateNames[states[point]];
      if (!(name in GLYPHS)) continue;
      const [from, to] = [this.axis.timeOfPoint(point), this.axis.timeOfPoint(point + 1)];
      const last = found.at(-1);
      if (last && last.name === name && Math.abs(last.to - from) < 1e-9) last.to = to;
      else found.push({ from, to, name });
    }
    return found;
  }

  /** Where an event is marked: its time, and where its voices' curves are then. */
  _markOf(run, { at, kind, voices }) {
    if (at === null) return [];
    const time = this.axis.timeOf(at);
    const point = this.axis.pointAt(time);
    const rows = DOWNWARDS.includes(kind) ? run.low : run.high;
    return [{ time, rings: voices.map((voice) => ({ voice, value: this._placing(voice)(rows[voice][point]) })) }];
  }

  _columns() {
    const nothing = this.voices.map(() => this.times.map(() => null));
    const behind = this.ghost === null ? nothing : this.plotted[this.ghost];
    return [this.times, ...behind, ...this.plotted[this.shown]];
  }

  _range() {
    let [low, high] = [Infinity, -Infinity];
    for (const run of this.plotted) {
      for (const column of run) {
        for (const value of column) {
          if (value === null) continue;
          if (value < low) low = value;
          if (value > high) high = value;
        }
      }
    }
    if (low > high) return this.logarithmic ? [0.1, 10] : [0, 1];
    if (this.logarithmic) {
      const more = Math.max(1.1, 10 ** (0.04 * (Math.log10(high) - Math.log10(low))));
      return [Math.max(low / more, 1 / LARGEST), Math.min(high * more, LARGEST)];
    }
    const more = Math.max(high * 0.04 - low * 0.04, Math.abs(high) * 1e-3, 1e-9);
    return [Math.max(low - more, -LARGEST), Math.min(high + more, LARGEST)];
  }

  // How it is drawn

  _build([above, below]) {
    const range = this._range();
    const path = this.axis.exact ? uPlot.paths.stepped({ align: 1 }) : uPlot.paths.linear();
    const series = (voice, faint) => ({
      label: this.data.voices[voice].name,
      stroke: () => hueOf(voice) + (faint ? "aa" : ""),
      width: faint ? 1.2 : 1.6,
      dash: faint ? [2, 3] : dashOf(voice),
      paths: path,
      points: { show: false },
    });
    const common = (height) => ({
      width: 600,
      height,
      legend: { show: false },
      cursor: {
        y: false,
        points: { show: false },
        sync: { key: "epochord", setSeries: false, scales: ["x", null] },
        drag: { x: true, y: false, dist: 5 },
      },
    });
    this.above = new uPlot({
      ...common(300),
      padding: [8 + LANE * this.lanes.length, MARGIN, 0, 0],
      scales: { x: { time: false }, y: { distr: this.logarithmic ? 3 : 1, range: () => range } },
      series: [{}, ...this.voices.map((v) => series(v, true)), ...this.voices.map((v) => series(v, false))],
      axes: [stepsBelow(this.axis), valuesBeside(this.logarithmic, this.apart ? "share of each one's scale" : this.data.unit)],
      hooks: {
        draw: [(u) => this._drawMarks(u), (u) => this._drawHappened(u)],
        setScale: [(u, key) => this._zoomed(u, key)],
        setCursor: [(u) => this.on.point(u.cursor.left >= 0 ? u.posToVal(u.cursor.left, "x") : null)],
      },
    }, this._columns(), above);
    this.below = new uPlot({
      ...common(240),
      padding: [8, MARGIN, 0, 0],
      scales: { x: { time: false }, y: { range: () => [0, 1] } },
      series: [{}, { points: { show: false } }],
      axes: [stepsBelow(this.axis), frequenciesBeside(this.data.spectrogram)],
      hooks: {
        drawClear: [(u) => this._drawPicture(u)],
        setScale: [(u, key) => this._zoomed(u, key)],
      },
    }, [[0, this.axis.seconds], [null, null]], below);
    this.lines = [this.above, this.below].map((chart) => [chart, this._line(chart)]);
    this._listen(above);
  }

  /** Above the curves, a lane a voice: when it is NaN, infinite or zero. */
  _drawMarks(u) {
    const { ctx, bbox } = u;
    const ratio = devicePixelRatio;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left - 12 * ratio, 0, bbox.width + 24 * ratio, bbox.top);
    ctx.clip();
    ctx.font = `bold ${LANE * ratio}px system-ui, sans-serif`;
    ctx.textBaseline = "middle";
    ctx.textAlign = "center";
    this.lanes.forEach((voice, lane) => {
      const middle = bbox.top - (4 + LANE * (this.lanes.length - lane - 0.5)) * ratio;
      for (const { from, to, name } of this.marks[this.shown][voice]) {
        const left = Math.max(bbox.left, u.valToPos(from, "x", true));
        const right = Math.min(bbox.left + bbox.width, u.valToPos(to, "x", true));
        if (right <= bbox.left || left >= bbox.left + bbox.width) continue;
        ctx.fillStyle = hueOf(voice);
        ctx.globalAlpha = name === "zero" ? 0.25 : 0.5;
        ctx.fillRect(left, middle - 2 * ratio, Math.max(right - left, ratio), 4 * ratio);
        ctx.globalAlpha = 1;
        ctx.fillStyle = styleOf("--ink");
        ctx.fillText(GLYPHS[name], left, middle);
      }
    });
    ctx.restore();
  }

  /** On the curves, what happened: a line at its step, and a ring about each voice's value. */
  _drawHappened(u) {
    const { ctx, bbox } = u;
    const ratio = devicePixelRatio;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    for (const { time, rings } of this.happened[this.shown]) {
      const x = u.valToPos(time, "x", true);
      ctx.lineWidth = ratio;
      ctx.setLineDash([2 * ratio, 3 * ratio]);
      ctx.strokeStyle = styleOf("--soft");
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      ctx.setLineDash([]);
      for (const { voice, value } of rings) {
        if (value === null) continue;
        ctx.lineWidth = 2 * ratio;
        ctx.strokeStyle = hueOf(voice);
        ctx.beginPath();
        ctx.arc(x, u.valToPos(value, "y", true), RING * ratio, 0, 2 * Math.PI);
        ctx.stroke();
      }
    }
    ctx.restore();
  }

  _drawPicture(u) {
    const picture = this.pictures[this.shown];
    if (!picture) return;
    const { start, end } = this.data.runs[this.shown].picture;
    const { ctx, bbox, scales: { x } } = u;
    const columns = picture.width / (end - start); // a second
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.imageSmoothingEnabled = true;
    const scale = bbox.width / (x.max - x.min);
    ctx.drawImage(picture, 0, 0, picture.width, picture.height,
      bbox.left + (start - x.min) * scale, bbox.top, (picture.width / columns) * scale, bbox.height);
    ctx.restore();
  }

  _line(chart) {
    const line = document.createElement("div");
    line.className = "playhead";
    chart.over.append(line);
    return line;
  }

  _zoomed(u, key) {
    if (key !== "x" || !this.below) return;
    const other = u === this.above ? this.below : this.above;
    const { min, max } = u.scales.x;
    if (other.scales.x.min !== min || other.scales.x.max !== max) other.setScale("x", { min, max });
    this.on.zoom(this.zoomed);
  }

  _listen(host) {
    for (const chart of [this.above, this.below]) {
      let pressed = 0;
      let before = 0; // where we were, if this becomes a double click
      chart.over.addEventListener("mousedown", (event) => { pressed = event.clientX; });
      chart.over.addEventListener("click", (event) => {
        if (event.detail > 1 || Math.abs(event.clientX - pressed) > 4) return; // that was a drag
        const { left } = chart.over.getBoundingClientRect();
        before = this.on.seek(chart.posToVal(event.clientX - left, "x"));
        if (event.pointerType === "touch") this.on.point(null); // a finger does not stay
      });
      chart.over.addEventListener("dblclick", () => this.on.seek(before));
    }
    new ResizeObserver(() => {
      for (const chart of [this.above, this.below]) {
        if (host.clientWidth > 0) chart.setSize({ width: host.clientWidth, height: chart.height });
      }
      this.on.resize();
    }).observe(host);
  }

  async _themeChanged() {
    await this.load();
    this.above.redraw(false);
    this.on.theme();
  }
}
