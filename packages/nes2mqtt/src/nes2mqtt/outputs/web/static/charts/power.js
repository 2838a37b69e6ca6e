// Charts of a power curve. Import is drawn upwards, export downwards. A gap in the data is a gap in the line. Points stand at the moments of the
// gateway's monotonic clock and get their dates when they are drawn, so that a clock that is set does not tear the curve.

import uPlot from "../vendor/uPlot.min.js";
import { clock } from "../data/clock.js";
import { setText } from "../dom.js";
import { clockTime, hourTime, number } from "../texts/format.js";
import { text } from "../texts/texts.js";

const HOUR = 3600;
/** Seconds between the labels of a day; the first for which there is room is taken. */
const DAY_STEPS = [HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR];
/** Pixels that a label of the time axis takes, with its room. */
const LABEL = 62;

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
   * @param readout where the point under the pointer or of the keyboard is told
   * @param empty where it is told that there is nothing yet
   * @param span seconds
   * @param title the chart's name, for who cannot see it
   * @param say called with a point's numbers in words when it was reached by keyboard
   * @param live whether its end is now; else it is a time that is over, or a day that is not
   */
  constructor({ place, readout, empty, span, title, say, live = true }) {
    Object.assign(this, { place, readout, empty, span, title, say, live, chosen: null });
    this.draw = this.draw.bind(this);
    place.setAttribute("aria-label", title);
    new ResizeObserver(() => this.resize()).observe(place);
    for (const query of ["(prefers-color-scheme: dark)", "(resolution: 1dppx)"]) {
      matchMedia(query).addEventListener("change", () => this.restyle());
    }
    place.addEventListener("keydown", (event) => this.key(event));
    place.addEventListener("blur", () => this.choose(null));
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
    // What the meter's load profile tells was never read here: in another stroke, and without a fill.
    const told = { stroke: css("--ink"), width: 1.5, dash: [4, 3], points: { show: false } };
    const widest = (plot, values) => {
      plot.ctx.font = `${12 * uPlot.pxRatio}px ${css("--font")}`;
      return Math.max(0, ...values.map((words) => plot.ctx.measureText(words).width / uPlot.pxRatio));
    };
    this.plot = new uPlot(
      {
        ...this.size(),
        legend: { show: false },
        padding: [8, 0, 0, 4],
        cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
        scales: {
          x: { time: true, range: () => this.range },
          y: { range: (_, low, high) => niceRange(low ?? 0, high ?? 0) },
        },
        series: [{}, series("--import", "--import-fill"), series("--export", "--export-fill"), ...(data.length > 3 ? [told] : [])],
        axes: [
          {
            stroke: muted,
            font,
            size: 26,
            gap: 6,
            grid: { show: false },
            ticks: { show: false },
            splits: () => this.timeSplits(),
            values: (_, splits) => splits.map((at) => this.timeLabel(at)),
          },
          {
            side: 1,
            stroke: muted,
            font,
            // As wide as its widest label in whatever font the reader has.
            size: (plot, values) => (values ? Math.ceil(widest(plot, values)) + 14 : 50),
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

  /** Where the time axis has labels: as many as have room beside each other. */
  timeSplits() {
    const [from, to] = this.range;
    const room = Math.max(2, Math.floor((this.place.clientWidth - 60) / LABEL));
    if (!this.live) {
      const step = DAY_STEPS.find((seconds) => this.span / seconds <= room) ?? DAY_STEPS.at(-1);
      // The first and the last one would be cut off at the edges.
      return Array.from({ length: Math.ceil(this.span / step) - 1 }, (_, index) => from + (index + 1) * step);
    }
    if (this.span < HOUR) {
      const every = room >= 5 ? 1 : 2;
      return [4, 3, 2, 1, 0].filter((minute) => minute % every === 0).map((minute) => this.now - minute * 60);
    }
    const step = [600, 900, 1200, 1800].find((seconds) => this.span / seconds <= room) ?? 1800;
    const date = clock.date(from);
    // Round times of day in the gateway's zone, whose offset is a multiple of a quarter hour; back from now without a date.
    const begin = date ? clock.moment(new Date(Math.ceil(date / 1000 / step) * step * 1000)) : this.now - this.span + (this.span % step);
    const splits = [];
    // A label at the very edge would be cut off.
    const edge = this.span / 30;
    for (let at = begin; at <= to - edge / 2; at += step) {
      if (at >= from + edge) {
        splits.push(at);
      }
    }
    return splits;
  }

  timeLabel(at) {
    const date = clock.date(at);
    if (this.span >= HOUR && date) {
      return hourTime(new Date(Math.round(date / 1000) * 1000));
    }
    const minutes = Math.round((this.now - at) / 60);
    return minutes ? text("minutes_ago", { minutes: number(minutes) }) : text("now");
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
    if (this.live && watts !== null && at > this.range[0]) {
      ctx.fillStyle = css(watts < 0 ? "--export" : "--import");
      ctx.beginPath();
      ctx.arc(plot.valToPos(at, "x", true), plot.valToPos(watts, "y", true), 4 * ratio, 0, 2 * Math.PI);
      ctx.fill();
    }
    ctx.restore();
  }

  /** A point's numbers in words; empty where nothing is known. */
  words(index) {
    const told = this.plot.data[3]?.[index] ?? null;
    const watts = this.plot.data[1][index] ?? this.plot.data[2][index] ?? told;
    if (watts === null || watts === undefined) {
      return "";
    }
    const sum = told ?? (this.plot.data[1][index] ?? 0) + (this.plot.data[2][index] ?? 0);
    const date = clock.date(this.plot.data[0][index]);
    const filled = told === null ? "" : `  ${text("bar_filled")}`;
    return `${date ? clockTime(date) : ""}  ${number(Math.abs(sum))} W ${text(sum < 0 ? "export" : "import")}${filled}`.trim();
  }

  tell(plot) {
    if (this.chosen !== null) {
      return;
    }
    const index = plot.cursor.idx;
    const shown = index !== null && index !== undefined && plot.cursor.left >= 0;
    setText(this.readout, shown ? this.words(index) : "");
  }

  /** Choose a point by its moment, or none; its numbers stay while the curve moves on. */
  choose(moment) {
    this.chosen = moment;
    if (!this.plot) {
      return;
    }
    const index = moment === null ? -1 : this.plot.data[0].indexOf(moment);
    if (index < 0) {
      this.chosen = null;
      this.plot.setCursor({ left: -10, top: -10 });
      setText(this.readout, "");
      return;
    }
    this.plot.setCursor({ left: this.plot.valToPos(moment, "x"), top: 0 });
    setText(this.readout, this.words(index));
  }

  /** One tab stop for the chart; the arrows move over its points, with the page keys ten at a time. */
  key(event) {
    const times = this.plot?.data[0] ?? [];
    const there = times.flatMap((at, index) => (this.words(index) && at >= this.range[0] ? [at] : []));
    const at = there.indexOf(this.chosen);
    const from = at < 0 ? there.length - 1 : at;
    const steps = {
      ArrowRight: from + 1,
      ArrowLeft: at < 0 ? from : from - 1,
      PageDown: from + 10,
      PageUp: from - 10,
      Home: 0,
      End: there.length - 1,
    };
    if (event.key === "Escape") {
      this.choose(null);
    } else if (event.key in steps && there.length) {
      event.preventDefault();
      this.choose(there[Math.min(Math.max(steps[event.key], 0), there.length - 1)]);
      this.say(this.readout.textContent);
    }
  }

  /** Draw the end of a curve up to now, a moment. */
  draw(curve, now) {
    this.last = [curve, now];
    this.now = now;
    // A little room after now for the dot that marks it.
    this.range = [now - this.span, now + (this.live ? this.span / 60 : 0)];
    // One point before the window keeps the line going to the edge.
    let first = curve.times.findIndex((time) => time >= this.range[0]);
    first = first < 0 ? curve.times.length : Math.max(0, first - 1);
    let last = curve.times.findLastIndex((time) => time <= this.range[1]);
    last = last < 0 ? curve.times.length : last + 1;
    const times = curve.times.slice(first, last);
    const watts = curve.watts.slice(first, last);
    const told = curve.told?.slice(first, last);
    const nothing = ![...watts, ...(told ?? [])].some((value) => value !== null);
    setText(this.empty, nothing ? text(curve.times.length ? "curve_gap" : "curve_none") : "");
    this.empty.hidden = !nothing;
    this.place.hidden = nothing;
    if (nothing) {
      return;
    }
    this.newest = [times.at(-1) ?? 0, watts.at(-1) ?? null];
    const data = [times, side(watts, 1), side(watts, -1), ...(told ? [told] : [])];
    if (!this.plot) {
      if (!this.place.clientWidth) {
        return;
      }
      this.create(data);
    } else {
      this.plot.setData(data);
    }
    if (this.chosen !== null) {
      this.choose(this.chosen);
    }
    this.describe([...watts, ...(told ?? [])]);
  }

  describe(watts) {
    const known = watts.filter((value) => value !== null);
    this.place.setAttribute(
      "aria-label",
      text(this.live ? "curve" : "curve_past", {
        title: this.title,
        low: number(Math.min(...known)),
        high: number(Math.max(...known)),
        now: number(known.at(-1)),
      }),
    );
  }
}
