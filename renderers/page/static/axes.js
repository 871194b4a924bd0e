"use strict";
// What uPlot needs to know of axes: where ticks stand, and what they say.

const AXIS_SIZE = 62; // px, of those at the side; all of one size, so that charts are aligned
const LABEL_SIZE = 18; // px
const FREQUENCIES = [100, 200, 500, 1000, 2000, 5000, 10000]; // Hz; where ticks stand

/** Round values between two, for a logarithmic axis: powers of ten, or 1, 2, 5 of few of them. */
function logTicks(low, high) {
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const each = Math.ceil((last - first) / 9);
  const digits = last - first > 3 ? [1] : last - first > 1 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 6, 8];
  const found = [];
  for (let decade = Math.floor(first / each) * each; decade <= last; decade += each) {
    found.push(...digits.map((digit) => Number(`${digit}e${decade}`)));
  }
  return found.filter((value) => value >= low && value <= high);
}

/** Round values between two: about half a dozen. */
function linearTicks(low, high) {
  const rough = high / 6 - low / 6;
  const decade = 10 ** Math.floor(Math.log10(rough));
  const each = [1, 2, 5, 10].map((factor) => factor * decade).find((one) => one >= rough);
  const first = Math.ceil(low / each);
  const count = Math.floor(high / each) - first + 1;
  return Array.from({ length: count }, (_, i) => Number(((first + i) * each).toPrecision(12)));
}

const FONT = "12px system-ui, sans-serif";
const look = () => ({
  stroke: () => styleOf("--soft"),
  font: FONT,
  labelFont: FONT,
  labelSize: LABEL_SIZE,
  ticks: { stroke: () => styleOf("--line"), width: 1, size: 5 },
  grid: { show: false },
  gap: 4,
});

/** An axis of seconds that is labelled in steps. */
function stepsBelow(axis) {
  return {
    ...look(),
    size: 30,
    label: "step",
    splits: (u, _, min, max) => axis.ticks(min, max, u.over.clientWidth / 70),
    values: (_, splits) => splits.map((time) => axis.stepAt(time).toLocaleString("en")),
  };
}

function valuesBeside(logarithmic, label) {
  return {
    ...look(),
    size: AXIS_SIZE,
    label: label || "value", // without one, the axis would be narrower
    grid: { stroke: () => styleOf("--line"), width: 1 },
    // uPlot's own ticks end at 32 decades. Its increment must just not be zero.
    incrs: (_u, _axis, low, high) => [Math.max(10, high - low)],
    splits: (_u, _axis, low, high) => (logarithmic ? logTicks : linearTicks)(low, high),
    filter: (_u, splits) => splits,
    values: (_, splits) => splits.map((value) => (value === null ? "" : short(value))),
  };
}

/** Frequencies on a logarithmic axis from 0 to 1. */
function frequenciesBeside({ lowest_hz: lowest, highest_hz: highest }) {
  const placed = FREQUENCIES.filter((hz) => hz >= lowest && hz <= highest);
  const places = placed.map((hz) => Math.log(hz / lowest) / Math.log(highest / lowest));
  return {
    ...look(),
    size: AXIS_SIZE,
    label: "Hz",
    splits: () => places,
    values: () => placed.map((hz) => (hz >= 1000 ? `${hz / 1000}k` : String(hz))),
  };
}
