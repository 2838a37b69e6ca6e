// Power over time: the last hour as it came in. Points stand at the moments of the gateway's monotonic clock.

import { clock } from "../data/clock.js";

const HOUR = 3600;
/** Seconds without a sample after which the line is broken. */
const GAP = 30;

export class Curve {
  constructor() {
    this.clear();
  }

  clear() {
    this.times = [];
    this.watts = [];
  }

  /** Take the columns the gateway sends at the beginning, or after a gap. */
  load({ instant, t, import: imported, export: exported }, resumed) {
    if (!resumed) {
      this.clear();
    }
    t.forEach((seconds, index) => this.add(instant + seconds, imported[index], exported[index]));
  }

  add(at, imported, exported) {
    const last = this.times.at(-1);
    if (last !== undefined && at <= last + 0.05) {
      return;
    }
    if (last !== undefined && at - last > GAP) {
      this.times.push(last + 1);
      this.watts.push(null);
    }
    this.times.push(at);
    this.watts.push(imported === null && exported === null ? null : (imported ?? 0) - (exported ?? 0));
    if (this.times[0] < at - HOUR - 300) {
      const old = this.times.findIndex((time) => time >= at - HOUR);
      this.times.splice(0, old);
      this.watts.splice(0, old);
    }
  }

  /** Lowest, average and highest of each minute of the last hour, oldest first: { at, low, mean, high }. */
  minutes(now) {
    const found = [];
    let minute = null;
    this.times.forEach((at, index) => {
      const watts = this.watts[index];
      if (watts === null || at < now - HOUR) {
        return;
      }
      // Minutes as the clock shows them; counted back from now while nobody knows the time.
      const date = clock.date(at);
      const start = date ? clock.moment(new Date(Math.floor(date / 60_000) * 60_000)) : now - Math.ceil((now - at) / 60) * 60;
      if (!minute || Math.abs(minute.at - start) > 1) {
        minute = { at: start, low: watts, high: watts, sum: 0, count: 0 };
        found.push(minute);
      }
      minute.low = Math.min(minute.low, watts);
      minute.high = Math.max(minute.high, watts);
      minute.sum += watts;
      minute.count += 1;
    });
    return found.map(({ at, low, high, sum, count }) => ({ at, low, high, mean: sum / count }));
  }
}
