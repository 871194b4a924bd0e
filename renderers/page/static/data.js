"use strict";
// From the JSON in the page to typed arrays, pictures and sounds.

function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

function numbersOf({ type, base64 }) {
  const buffer = bytesOf(base64).buffer;
  return type === "float64" ? new Float64Array(buffer) : new Float32Array(buffer);
}

/** Read the page's data; each run gets its arrays, one row a voice. */
function readData() {
  const data = JSON.parse(document.getElementById("data").textContent);
  const names = Object.fromEntries(Object.entries(data.states).map(([name, code]) => [code, name]));
  data.stateNames = names;
  data.axis.places = numbersOf(data.axis.places);
  data.axis.times = numbersOf(data.axis.times);
  data.runs.forEach((run, i) => {
    Object.assign(run, data.about[i]);
    run.steps = numbersOf(run.steps);
    const points = run.steps.length;
    const rows = (all) => data.voices.map((_, v) => all.subarray(v * points, (v + 1) * points));
    run.low = rows(numbersOf(run.low));
    run.high = rows(numbersOf(run.high));
    run.state = rows(bytesOf(run.state));
  });
  return data;
}

/** Colour a grey picture by a palette of 256 RGB triples; returns a canvas. */
async function coloured(base64, palette) {
  const picture = await createImageBitmap(new Blob([bytesOf(base64)], { type: "image/png" }));
  const canvas = document.createElement("canvas");
  canvas.width = picture.width;
  canvas.height = picture.height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(picture, 0, 0);
  const image = context.getImageData(0, 0, canvas.width, canvas.height);
  const pixels = image.data;
  for (let p = 0; p < pixels.length; p += 4) {
    const loud = 3 * (255 - pixels[p]);
    pixels[p] = palette[loud];
    pixels[p + 1] = palette[loud + 1];
    pixels[p + 2] = palette[loud + 2];
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/** A round number at a tick. */
function short(value) {
  const size = Math.abs(value);
  return value !== 0 && (size >= 1e5 || size < 1e-3) ? value.toExponential().replace("e+", "e") : String(value);
}

/** A number as people read it: four digits. */
function readable(value) {
  if (value === null || Number.isNaN(value)) return "–";
  const size = Math.abs(value);
  if (value !== 0 && (size >= 1e6 || size < 1e-4)) return value.toExponential(2).replace("e+", "e");
  return String(Number(value.toPrecision(4)));
}
