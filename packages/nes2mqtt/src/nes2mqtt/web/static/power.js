// The power curve: the last hour as it came in, and two charts of it.
// Import is drawn upwards, export downwards. A gap in the data is a gap in the line.

import uPlot from "./vendor/uPlot.esm.js";
import { clockTime, hourTime, number } from "./format.js";
import { text } from "./texts.js";

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
  load({ start, t, import: imported, export: exported }, resumed) {
    if (!resumed) {
      this.clear();
    }
    t.forEach((seconds, index) => this.add(start + seconds, imported[index], exported[index]));
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
}

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function niceTicks(low, high) {
  const rough = Math.max(high - low, 1) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough);
  const ticks = [];
  for (let at = Math.ceil(low / step) * step; at <= high; at += step) {
    ticks.push(Math.round(at));
  }
  return ticks;
}

/** Round the range outwards, so that the scale stays put while values wander. */
function niceRange(low, high) {
  const top = Math.max(high, 0);
  const bottom = Math.min(low, 0);
  const round = (value) => {
    if (value <= 0) {
      return 0;
    }
    const power = 10 ** Math.floor(Math.log10(value));
    return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((m) => m * power).find((s) => s >= value * 1.06) ?? value * 1.2;
  };
  return [-round(-bottom), Math.max(round(top), bottom < 0 ? 0 : 100)];
}

/** One side of zero: the line touches zero where it crosses, and is not there on the other side. */
function side(watts, sign) {
  const on = (value) => value !== null && value !== undefined && (value * sign > 0 || (value === 0 && sign > 0));
  return watts.map((value, index) => {
    if (value === null || on(value)) {
      return value;
    }
    return on(watts[index - 1]) || on(watts[index + 1]) ? 0 : null;
  });
}

export class PowerChart {
  /**
   * @param place the element to draw in
   * @param readout where the point under the pointer is told
   * @param span seconds
   * @param title the chart's name, for who cannot see it
   */
  constructor(place, readout, span, title) {
    Object.assign(this, { place, readout, span, title });
    this.draw = this.draw.bind(this);
    new ResizeObserver(() => this.resize()).observe(place);
    for (const query of ["(prefers-color-scheme: dark)", "(resolution: 1dppx)"]) {
      matchMedia(query).addEventListener("change", () => this.restyle());
    }
  }

  size() {
    return { width: this.place.clientWidth, height: this.place.clientHeight };
  }

  resize() {
    const { width, height } = this.size();
    if (this.plot && width && (width !== this.plot.width || height !== this.plot.height)) {
      this.plot.setSize({ width, height });
    }
  }

  restyle() {
    this.plot?.destroy();
    this.plot = null;
    if (this.last) {
      this.draw(...this.last);
    }
  }

  create(data) {
    const muted = css("--muted");
    const line = css("--line");
    const font = `12px ${css("--font")}`;
    const spline = uPlot.paths.spline();
    const series = (color, fill) => ({
      stroke: css(color),
      fill: css(fill),
      width: this.span < HOUR ? 2 : 1.5,
      paths: spline,
      points: { show: false },
      fillTo: 0,
    });
    const short = this.span < HOUR;
    this.plot = new uPlot(
      {
        ...this.size(),
        legend: { show: false },
        padding: [8, 0, 0, 4],
        cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
        scales: { x: { time: true, range: () => this.range }, y: { range: (_, low, high) => niceRange(low ?? 0, high ?? 0) } },
        series: [{}, series("--import", "--import-fill"), series("--export", "--export-fill")],
        axes: [
          {
            stroke: muted,
            font,
            size: 26,
            gap: 6,
            grid: { show: false },
            ticks: { show: false },
            splits: () => this.timeSplits(short ? 60 : 600),
            values: (_, splits) =>
              splits.map((at) => (short ? this.minutesAgo(at) : hourTime(new Date(at * 1000)))),
          },
          {
            side: 1,
            stroke: muted,
            font,
            size: 58,
            gap: 8,
            grid: { stroke: line, width: 1 },
            ticks: { show: false },
            splits: (_, __, low, high) => niceTicks(low, high),
            values: (_, splits) => splits.map((watts) => number(Math.abs(watts)) + (watts === splits.at(-1) ? " W" : "")),
          },
        ],
        hooks: { draw: [(plot) => this.marks(plot)], setCursor: [(plot) => this.tell(plot)] },
      },
      data,
      this.place,
    );
  }

  timeSplits(step) {
    const [from, to] = this.range;
    if (this.span < HOUR) {
      return [4, 3, 2, 1, 0].map((minute) => this.now - minute * step);
    }
    const splits = [];
    // A label at the very edge would be cut off.
    const edge = this.span / 30;
    for (let at = Math.ceil((from + edge) / step) * step; at <= to - edge / 2; at += step) {
      splits.push(at);
    }
    return splits;
  }

  minutesAgo(at) {
    const minutes = Math.round((this.now - at) / 60);
    return minutes ? `\u2212${minutes} min` : text("now");
  }

  /** The zero line over everything, and a dot where we are now. */
  marks(plot) {
    const { ctx } = plot;
    const ratio = uPlot.pxRatio;
    const zero = Math.round(plot.valToPos(0, "y", true)) + 0.5;
    ctx.save();
    ctx.strokeStyle = css("--zero");
    ctx.lineWidth = ratio;
    ctx.beginPath();
    ctx.moveTo(plot.bbox.left, zero);
    ctx.lineTo(plot.bbox.left + plot.bbox.width, zero);
    ctx.stroke();
    const [at, watts] = this.newest;
    if (watts !== null && at > this.range[0]) {
      ctx.fillStyle = css(watts < 0 ? "--export" : "--import");
      ctx.beginPath();
      ctx.arc(plot.valToPos(at, "x", true), plot.valToPos(watts, "y", true), 4 * ratio, 0, 2 * Math.PI);
      ctx.fill();
    }
    ctx.restore();
  }

  tell(plot) {
    const index = plot.cursor.idx;
    const known = index !== null && index !== undefined && (plot.data[1][index] ?? plot.data[2][index]) !== null;
    const shown = known && plot.cursor.left >= 0;
    const watts = shown ? (plot.data[1][index] ?? 0) + (plot.data[2][index] ?? 0) : 0;
    this.readout.textContent = shown
      ? `${clockTime(new Date(plot.data[0][index] * 1000))}  ${number(Math.abs(watts))} W ${text(watts < 0 ? "export" : "import")}`
      : "";
  }

  /** Draw the end of a curve up to now (seconds since 1970). */
  draw(curve, now) {
    this.last = [curve, now];
    this.now = now;
    // A little room after now for the dot that marks it.
    this.range = [now - this.span, now + this.span / 60];
    // One point before the window keeps the line going to the edge.
    let first = curve.times.findIndex((time) => time >= this.range[0]);
    first = first < 0 ? curve.times.length : Math.max(0, first - 1);
    const times = curve.times.slice(first);
    const watts = curve.watts.slice(first);
    this.newest = [times.at(-1) ?? 0, watts.at(-1) ?? null];
    const data = [times, side(watts, 1), side(watts, -1)];
    if (!this.plot) {
      if (!this.place.clientWidth) {
        return;
      }
      this.create(data);
    } else {
      this.plot.setData(data);
    }
    this.describe(watts);
  }

  describe(watts) {
    const known = watts.filter((value) => value !== null);
    if (known.length) {
      this.place.setAttribute(
        "aria-label",
        text("curve", {
          title: this.title,
          low: number(Math.min(...known)),
          high: number(Math.max(...known)),
          now: number(known.at(-1)),
        }),
      );
    }
  }
}
