// Energy by hour or day as bars: import upwards, export downwards, on one scale.
// An hour that is not known has no bar; it is not a zero. A bar that holds the energy of a gap, or of a part of its time
// only, is hatched and says so; a gap's energy is kept out of the scale. The arrow keys move from bar to bar.

import { clock } from "./clock.js";
import { el, setText } from "./dom.js";
import { dayMonth, dayName, dayNumber, hourNumber, hourTime, number, sameDay } from "./format.js";
import { text } from "./texts.js";

const UNITS = {
  hour: {
    name: ({ start, end }) => text("hour_bar", { start: hourTime(start), end: hourTime(end) }),
    tick: ({ start }) => (hourNumber(start) % 6 === 0 ? String(hourNumber(start)).padStart(2, "0") : ""),
  },
  day: {
    name: ({ start }) => dayName(start),
    tick: ({ start }) => ([1, 8, 15, 22, 29].includes(dayNumber(start)) ? String(dayNumber(start)) : ""),
  },
};

/** Milliseconds by which the first and last reading of a bucket may be off before that is worth a word. */
const SLACK = 120_000;

export const kwh = (value) => number(value, value !== 0 && Math.abs(value) < 10 ? 2 : 1);
export const known = (bucket) => bucket.import_kwh !== null || bucket.export_kwh !== null;

export function moments(bucket) {
  const date = (written) => (written ? new Date(written) : null);
  return { start: date(bucket.start), end: date(bucket.end), first: date(bucket.first), last: date(bucket.last) };
}

/**
 * What a bucket's energy is besides its own time, or where it is from: { carried, filled, words }.
 * carried: it holds the energy of a gap before it; filled: the meter's load profile told a part of it later.
 */
export function noteOf(bucket) {
  const { start, end, first, last } = moments(bucket);
  const today = clock.today();
  if (!known(bucket) || !first) {
    return { carried: false, words: "" };
  }
  if (start - first > SLACK) {
    const time = (moment) => (sameDay(moment, start) ? hourTime(moment) : dayMonth(moment));
    const before = new Date(start - 1);
    const until = sameDay(first, before) || sameDay(first, start) ? "" : dayMonth(before);
    const words = until
      ? text("bar_includes_range", { from: time(first), to: until })
      : text("bar_includes", { from: time(first) });
    return { carried: true, words };
  }
  const time = (moment) => (sameDay(start, new Date(end - 1)) ? hourTime(moment) : `${dayMonth(moment)} ${hourTime(moment)}`);
  if (first - start > SLACK) {
    return { carried: false, words: text("bar_from", { time: time(first) }) };
  }
  if (today && end <= today && end - last > SLACK) {
    return { carried: false, words: text("bar_until", { time: time(last) }) };
  }
  const filled = Boolean(bucket.filled?.length);
  return { carried: false, filled, words: filled ? text("bar_filled") : "" };
}

export const nameOf = (period, bucket) => UNITS[period].name(moments(bucket));

export class EnergyBars {
  /**
   * @param place the element to draw in
   * @param sums where the sums, or a bar's numbers, are told
   * @param empty where it is told why there is nothing
   * @param title the chart's name
   * @param say called with a bar's numbers in words when it was reached by keyboard
   */
  constructor({ place, sums, empty, title, say }) {
    Object.assign(this, { place, sums, empty, title, say, columns: [], shown: null, report: null });
    place.addEventListener("pointerover", (event) => this.point(this.columns.indexOf(event.target.closest(".bar"))));
    place.addEventListener("pointerleave", () => this.point(-1));
    place.addEventListener("blur", () => this.point(-1));
    place.addEventListener("keydown", (event) => this.key(event));
  }

  point(index) {
    this.shown = index >= 0 ? index : null;
    this.columns.forEach((column, at) => column.classList.toggle("shown", at === this.shown));
    this.tellSums();
  }

  /** One tab stop for the chart; the arrows move over the bars that are known. */
  key(event) {
    const there = (this.report?.buckets ?? []).flatMap((bucket, index) => (known(bucket) ? [index] : []));
    const at = there.indexOf(this.shown);
    const steps = {
      ArrowRight: at < 0 ? 0 : at + 1,
      ArrowLeft: at < 0 ? there.length - 1 : at - 1,
      Home: 0,
      End: there.length - 1,
    };
    if (event.key === "Escape") {
      this.point(-1);
    } else if (event.key in steps && there.length) {
      event.preventDefault();
      this.point(there[Math.min(Math.max(steps[event.key], 0), there.length - 1)]);
      this.say(this.words(this.report.buckets[this.shown]));
    }
  }

  tellSums() {
    const bucket = this.shown === null ? this.report?.total : this.report?.buckets[this.shown];
    if (!bucket) {
      return;
    }
    const parts = [];
    const { filled, words: note } = noteOf(bucket);
    if (this.shown !== null) {
      parts.push(el("span", { class: "muted" }, nameOf(this.report.period, bucket)));
    }
    if (note && !(filled && this.shown === null)) {
      parts.push(el("span", { class: "note" }, note));
    }
    for (const direction of ["import", "export"]) {
      const value = bucket[`${direction}_kwh`];
      if (value !== null && (direction === "import" || value > 0 || this.shown !== null)) {
        parts.push(
          el("span", { class: `sum ${direction}` }, el("span", { class: "unseen" }, text(direction)), el("b", {}, kwh(value)), " kWh"),
        );
      }
    }
    this.sums.replaceChildren(...parts);
  }

  /** Say why there are no bars. */
  fail(words) {
    this.report = null;
    this.columns.splice(0).forEach((column) => column.remove());
    this.sums.replaceChildren();
    this.tellEmpty(words);
  }

  tellEmpty(words) {
    setText(this.empty, words);
    this.empty.hidden = !words;
    this.place.hidden = Boolean(words);
  }

  draw(report) {
    this.report = report;
    const { buckets, period } = report;
    this.tellEmpty(buckets.some(known) ? "" : text("energy_none"));
    const notes = buckets.map(noteOf);
    // The energy of days of silence in one bar would press all the others flat.
    const own = buckets.filter((_, index) => !notes[index].carried);
    const scaled = own.some((bucket) => bucket.import_kwh || bucket.export_kwh) ? own : buckets;
    const most = Math.max(0, ...scaled.map((b) => b.import_kwh ?? 0));
    const least = Math.max(0, ...scaled.map((b) => b.export_kwh ?? 0));
    // Both sides on one scale; the smaller one gets room enough to be seen.
    const share = least ? Math.min(Math.max(most / (most + least), 0.1), 0.9) : 1;
    const perKwh = Math.min(share / (most || 1e-9), (1 - share || 1) / (least || 1e-9));
    while (this.columns.length > buckets.length) {
      this.columns.pop().remove();
    }
    const today = clock.today();
    buckets.forEach((bucket, index) => {
      let column = this.columns[index];
      if (!column) {
        column = el("div", { class: "bar" }, el("div", { class: "up" }, el("i")), el("div", { class: "down" }, el("i")), el("span"));
        this.columns.push(column);
        this.place.append(column);
      }
      const [above, below, tick] = column.children;
      above.style.flexGrow = String(share * 100);
      below.style.flexGrow = String((1 - share) * 100);
      const height = (value, part) => (value ? `clamp(2px, ${((value * perKwh) / part) * 100}%, 100%)` : "0");
      above.firstElementChild.style.height = height(bucket.import_kwh, share);
      below.firstElementChild.style.height = height(bucket.export_kwh, 1 - share);
      const unit = moments(bucket);
      column.classList.toggle("gap", Boolean(notes[index].words) && !notes[index].filled);
      column.classList.toggle("filled", Boolean(notes[index].filled));
      column.classList.toggle("carried", notes[index].carried);
      column.classList.toggle("current", Boolean(today) && unit.start <= today && today < unit.end);
      setText(tick, UNITS[period].tick(unit));
    });
    this.place.setAttribute("aria-label", text("bars_words", { title: this.title, sums: this.words(report.total, true) }));
    this.tellSums();
  }

  /** A bucket's numbers in words. */
  words(bucket, total = false) {
    const parts = [];
    for (const direction of ["import", "export"]) {
      const value = bucket[`${direction}_kwh`];
      if (value !== null && (direction === "import" || value > 0)) {
        parts.push(text(`sum_${direction}`, { kwh: kwh(value) }));
      }
    }
    const { filled, words: note } = noteOf(bucket);
    const all = [...parts, ...(note && !(total && filled) ? [note] : [])].join(", ");
    return total ? all : `${nameOf(this.report.period, bucket)}: ${all}`;
  }
}
