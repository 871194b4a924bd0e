"use strict";
// Steps and seconds. Points are of as many steps as the others, or one more; the steps themselves
// need not be even, nor need they take the same time: a sound may stand still at one of them.

class StepAxis {
  /**
   * firstSteps: of each point; total: of all steps; last: the last step; places, times: so many
   * steps are over after so many seconds, in ascending order, from the beginning to the end.
   */
  constructor(firstSteps, { total, last, places, times }) {
    const points = firstSteps.length;
    this.steps = firstSteps;
    this.places = places;
    this.times = times;
    this.seconds = times.at(-1);
    this.points = points;
    this.total = total;
    this.last = last;
    this.exact = points === total;
    // The number of steps before each point, and after the last one.
    this.starts = Float64Array.from({ length: points + 1 }, (_, i) => Math.floor((i * total) / points));
  }

  timeOfPoint(point) {
    return along(this.places, this.times, this.starts[point]);
  }

  pointAt(time) {
    return lastNotAbove(this.starts.subarray(0, this.points), this._placeAt(time));
  }

  stepAt(time) {
    const point = this.pointAt(time);
    const first = this.starts[point];
    const count = this.starts[point + 1] - first;
    const within = Math.min(count - 1, Math.max(0, Math.floor(this._placeAt(time) - first)));
    return Math.floor(this.steps[point] + (within * (this._next(point) - this.steps[point])) / count);
  }

  timeOf(step) {
    const point = lastNotAbove(this.steps, step);
    const share = Math.min(1, Math.max(0, (step - this.steps[point]) / (this._next(point) - this.steps[point])));
    const place = this.starts[point] + share * (this.starts[point + 1] - this.starts[point]);
    return along(this.places, this.times, place);
  }

  /** Where ticks stand, in seconds, at round steps. */
  ticks(from, to, most) {
    const low = this.stepAt(from);
    const high = this.stepAt(to);
    const rough = Math.max(1, (high - low) / most);
    const decade = 10 ** Math.floor(Math.log10(rough));
    const each = [1, 2, 5, 10].map((factor) => factor * decade).find((one) => one >= rough);
    const apart = (to - from) / most / 2; // where time runs fast, not every one has room
    const found = [];
    for (let step = Math.ceil(low / each) * each; step <= high; step += each) {
      const time = this.timeOf(step);
      if (time >= from && time <= to && time > (found.at(-1) ?? -Infinity) + apart) found.push(time);
    }
    return found;
  }

  /** How many steps are over: a hair on, so that the time of a step is in it for all its rounding. */
  _placeAt(time) {
    return along(this.times, this.places, time) + 1e-6;
  }

  _next(point) {
    return point + 1 < this.points ? this.steps[point + 1] : this.last + 1;
  }
}

/** Where a value lies along one ascending array as it does along another one of the same length. */
function along(from, to, value) {
  const at = Math.min(lastNotAbove(from, value), from.length - 2);
  const share = Math.min(1, Math.max(0, (value - from[at]) / (from[at + 1] - from[at])));
  return to[at] + share * (to[at + 1] - to[at]);
}

/** Index of the last element of an ascending array that is not above a value; at least 0. */
function lastNotAbove(ascending, value) {
  let low = 0;
  let high = ascending.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (ascending[middle] <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}
