"use strict";
// Steps and seconds. Points lie evenly in time, each of as many steps as the others or one more;
// the steps themselves need not be even.

class StepAxis {
  /** firstSteps: of each point; total: of all steps; last: the last step; seconds: how long. */
  constructor(firstSteps, { total, last, seconds }) {
    const points = firstSteps.length;
    this.steps = firstSteps;
    this.seconds = seconds;
    this.points = points;
    this.total = total;
    this.last = last;
    this.exact = points === total;
    // The number of steps before each point, and after the last one.
    this.starts = Float64Array.from({ length: points + 1 }, (_, i) => Math.floor((i * total) / points));
  }

  timeOfPoint(point) {
    return (this.starts[point] / this.total) * this.seconds;
  }

  pointAt(time) {
    // A hair on, so that the time of a point is in that point for all its rounding.
    const place = (time / this.seconds) * this.total + 1e-6;
    return lastNotAbove(this.starts.subarray(0, this.points), place);
  }

  stepAt(time) {
    const point = this.pointAt(time);
    const first = this.starts[point];
    const count = this.starts[point + 1] - first;
    const next = point + 1 < this.points ? this.steps[point + 1] : this.last + 1;
    const within = Math.min(count - 1, Math.max(0, Math.floor((time / this.seconds) * this.total + 1e-6 - first)));
    return Math.floor(this.steps[point] + (within * (next - this.steps[point])) / count);
  }

  timeOf(step) {
    const point = lastNotAbove(this.steps, step);
    const next = point + 1 < this.points ? this.steps[point + 1] : this.last + 1;
    const share = Math.min(1, Math.max(0, (step - this.steps[point]) / (next - this.steps[point])));
    const place = this.starts[point] + share * (this.starts[point + 1] - this.starts[point]);
    return (place / this.total) * this.seconds;
  }

  /** Where ticks stand, in seconds, at round steps. */
  ticks(from, to, most) {
    const low = this.stepAt(from);
    const high = this.stepAt(to);
    const rough = Math.max(1, (high - low) / most);
    const decade = 10 ** Math.floor(Math.log10(rough));
    const each = [1, 2, 5, 10].map((factor) => factor * decade).find((one) => one >= rough);
    const found = [];
    for (let step = Math.ceil(low / each) * each; step <= high; step += each) {
      const time = this.timeOf(step);
      if (time >= from && time <= to && time > (found.at(-1) ?? -1)) found.push(time);
    }
    return found;
  }
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
