"use strict";
// What the page says in words and numbers. All text becomes text nodes, never markup.

function element(name, properties = {}, ...children) {
  const { dataset, ...rest } = properties;
  const made = Object.assign(document.createElement(name), rest);
  Object.assign(made.dataset, dataset);
  made.append(...children);
  return made;
}

/** A name from a log beside other text: whichever way it is written, it turns nothing else. */
const named = (text) => element("bdi", { textContent: text });
const isolated = (text) => `\u2068${text}\u2069`; // the same, where there are no elements

/** Give each run a short label: its name without the folders that all have in common. */
function labelled(runs) {
  const parts = runs.map(({ name }) => name.split("/"));
  let shared = 0;
  while (runs.length > 1 && parts.every((one) => one.length > shared + 1 && one[shared] === parts[0][shared])) shared++;
  runs.forEach((run, i) => { run.label = parts[i].slice(shared).join("/"); });
}

const heading = (text, scope = "col") => element("th", { scope }, named(text));
const cell = (text, className = "number") => element("td", { className, textContent: text });
const KIND_NAMES = { "+inf": "+∞", "-inf": "−∞" };
const COUNT_NAMES = { nan: "NaN", "+inf": "+∞", "-inf": "−∞", zero: "zero", missing: "not measured" };
const ROWS = 21; // of the table of values

/** A small line in a voice's colour and dash. */
function swatch(voice) {
  const canvas = element("canvas", { className: "swatch", width: 44, height: 12 });
  canvas.setAttribute("aria-hidden", "true");
  const context = canvas.getContext("2d");
  context.scale(2, 2);
  context.strokeStyle = hueOf(voice);
  context.lineWidth = 2.5;
  context.setLineDash(dashOf(voice).map((length) => length * 0.8));
  context.moveTo(0, 3);
  context.lineTo(22, 3);
  context.stroke();
  return canvas;
}

/** What a voice is at a point: a number, two, or what is not one. */
function valueAt(data, run, voice, point) {
  const state = data.stateNames[run.state[voice][point]];
  const [low, high] = [run.low[voice][point], run.high[voice][point]];
  const words = { nan: "NaN", positive_infinity: "+∞", negative_infinity: "−∞", missing: "–" }[state];
  if (Number.isNaN(low)) return words ?? "–";
  const number = low === high ? readable(low) : `${readable(low)} … ${readable(high)}`;
  return words && state !== "missing" ? `${words}, ${number}` : number;
}

class VoicesTable {
  /** onMute, onSolo: called with the number of a voice; absent where there are no stems. */
  constructor(table, data, { onMute, onSolo } = {}) {
    this.data = data;
    this.values = data.voices.map(() => cell(""));
    this.ranges = data.voices.map(() => cell(""));
    this.odd = data.voices.map(() => cell("", ""));
    this.caption = element("caption");
    this.buttons = data.voices.map((voice, v) => onMute
      ? [this._button("Mute", voice, () => onMute(v)), this._button("Solo", voice, () => onSolo(v))] : []);
    this.swatches = data.voices.map(() => element("span"));
    const titles = ["Voice", "Value", "Lowest … highest", "Sounds from … to", "Exceptions"];
    const head = element("tr", {}, ...titles.map((title) => heading(title)));
    if (onMute) head.append(heading("Hear"));
    const rows = data.voices.map((voice, v) => {
      const [low, high] = voice.register ?? [null, null];
      const name = element("th", { scope: "row" }, this.swatches[v], " ", named(voice.name));
      const sounds = low === null ? "–" : `${Math.round(low)} … ${Math.round(high)} Hz`;
      const row = element("tr", {}, name, this.values[v], this.ranges[v], cell(sounds), this.odd[v]);
      if (onMute) row.append(element("td", { className: "buttons" }, ...this.buttons[v]));
      return row;
    });
    table.append(this.caption, element("thead", {}, head), element("tbody", {}, ...rows));
    this.colour();
  }

  _button(text, voice, act) {
    const button = element("button", { type: "button", textContent: text, onclick: act });
    button.setAttribute("aria-pressed", "false");
    button.setAttribute("aria-label", `${text} ${isolated(voice.name)}`);
    return button;
  }

  colour() {
    this.swatches.forEach((place, voice) => place.replaceChildren(swatch(voice)));
  }

  show(run) {
    run.summaries.forEach(({ lowest, highest, counts }, v) => {
      this.ranges[v].textContent = lowest === null ? "–" : `${readable(lowest)} … ${readable(highest)}`;
      const told = Object.entries(counts).filter(([, count]) => count);
      this.odd[v].textContent = told.map(([kind, count]) => `${count} ${COUNT_NAMES[kind]}`).join(", ");
    });
  }

  at(run, point, caption) {
    this.caption.textContent = caption;
    this.values.forEach((place, v) => { place.textContent = valueAt(this.data, run, v, point); });
  }

  press(muted, solo) {
    this.buttons.forEach(([mute, only], v) => {
      mute?.setAttribute("aria-pressed", String(muted[v]));
      only?.setAttribute("aria-pressed", String(solo === v));
    });
  }
}

/** How many times its level something was, with two digits. */
function timesOf(factor) {
  if (factor === null) return "–";
  const [sign, size] = factor < 1 ? ["÷", 1 / factor] : ["×", factor];
  return Number.isFinite(size) ? `${sign}${short(Number(size.toPrecision(2)))}` : "zero";
}

function voicesOf(data, { voices, all_voices: all }) {
  if (all) return ["all voices"];
  return voices.flatMap((v, i) => [i ? ", " : "", swatch(v), " ", named(data.voices[v].name)]);
}

/** What happened, a row each; a click anywhere in it goes there, and so does its button. */
function showEvents(host, data, run, onChoose) {
  if (!run.events.length) {
    host.replaceChildren(element("p", { className: "note", textContent: "None." }));
    return;
  }
  const rows = run.events.map((event) => {
    const button = element("button", { type: "button", textContent: `step ${event.step.toLocaleString("en")}` });
    const voices = element("td", { className: "text" }, ...voicesOf(data, event));
    const choose = () => {
      button.focus(); // not the list, which would keep the arrow keys for itself
      onChoose(event);
    };
    return element("tr", { onclick: choose },
      element("th", { scope: "row" }, button), cell(`${event.time.toFixed(1)} s`), voices,
      cell(KIND_NAMES[event.kind] ?? event.kind), cell(timesOf(event.factor)),
      element("td", { className: "sentence" }, named(event.sentence)));
  });
  const titles = ["From", "Time", "Voice", "Kind", "Factor", "What happened"];
  const head = element("thead", {}, element("tr", {}, ...titles.map((title) => heading(title))));
  const more = run.more_events ? [element("p", { textContent: `… and ${run.more_events} more` })] : [];
  host.replaceChildren(element("table", {}, head, element("tbody", {}, ...rows)), ...more);
}

/** Values at a few steps, evenly spread: the curves, for those who do not see them. */
function showValues(table, data, axis, run) {
  const count = Math.min(ROWS, axis.points);
  const points = Array.from({ length: count }, (_, i) => Math.round((i * (axis.points - 1)) / Math.max(1, count - 1)));
  const head = element("tr", {}, heading("Step"), ...data.voices.map((voice) => heading(voice.name)));
  const rows = points.map((point) => element("tr", {}, heading(String(axis.steps[point]), "row"),
    ...data.voices.map((_, v) => cell(valueAt(data, run, v, point)))));
  const caption = element("caption", {
    textContent: `${isolated(run.name)}: ${count === axis.points ? "all" : count} of ${axis.total} steps`,
  });
  table.replaceChildren(caption, element("thead", {}, head), element("tbody", {}, ...rows));
}

function showSettings(table, data, run) {
  const level = run.level.lufs === null ? "not measured" : `${run.level.lufs.toFixed(1)} LUFS`;
  const scales = Object.entries(data.scales).map(([group, { low, high, kind }]) =>
    `${group || "value"}: ${readable(low)} … ${readable(high)}, ${kind}`);
  const rows = {
    run: run.name,
    status: run.status || "–",
    "hash of the log (SHA-256)": run.log_hash,
    "what was chosen": run.notes.join("; ") || "all series",
    "scale, the same for all runs here": scales.join("; ") || "none",
    "loudness of the sound": `${level}, gain ${run.level.gain_db.toFixed(1)} dB`,
    hyperparameters: run.hyperparameters,
    ...Object.fromEntries(Object.entries(data.settings).map(([key, value]) => [key, JSON.stringify(value)])),
  };
  const made = Object.entries(rows).map(([key, value]) =>
    element("tr", {}, heading(key, "row"), element("td", { className: "text" }, named(String(value)))));
  table.replaceChildren(element("tbody", {}, ...made));
}

/** Pictures and videos, each as an object of its own that the browser can play and seek in. */
function figuresOf(run) {
  return run.extras.map(({ title, file, type, base64 }) => {
    const address = URL.createObjectURL(new Blob([bytesOf(base64)], { type }));
    const media = type.startsWith("video/")
      ? element("video", { src: address, controls: true, preload: "metadata" })
      : element("img", { src: address, alt: `${title} of ${isolated(run.name)}` });
    if (type.startsWith("video/")) media.setAttribute("aria-label", `${title} of ${isolated(run.name)}`);
    return element("figure", {}, media, element("figcaption", { textContent: `${title} (${file})` }));
  });
}
