// Energy by hour or day as bars: import upwards, export downwards, on one scale.
// An hour that is not known has no bar; it is not a zero.

import { el, setText } from "./dom.js";
import { dayName, dayNumber, hourNumber, hourTime, number } from "./format.js";
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

const kwh = (value) => number(value, value !== 0 && Math.abs(value) < 10 ? 2 : 1);

export class EnergyBars {
  constructor(place, sums) {
    this.place = place;
    this.sums = sums;
    this.columns = [];
    this.shown = null;
    place.addEventListener("pointerover", (event) => this.point(event.target.closest(".bar")));
    place.addEventListener("pointerleave", () => this.point(null));
  }

  point(column) {
    this.shown = column ? this.columns.indexOf(column) : null;
    this.tellSums();
  }

  tellSums() {
    const bucket = this.shown === null ? this.report.total : this.report.buckets[this.shown];
    if (!bucket) {
      return;
    }
    const parts = [];
    if (this.shown !== null) {
      parts.push(el("span", { class: "muted" }, UNITS[this.report.period].name(moments(bucket))));
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

  draw(report) {
    this.report = report;
    const { buckets, period } = report;
    const most = Math.max(0, ...buckets.map((b) => b.import_kwh ?? 0));
    const least = Math.max(0, ...buckets.map((b) => b.export_kwh ?? 0));
    // Both sides on one scale; the smaller one gets room enough to be seen.
    const share = least ? Math.min(Math.max(most / (most + least), 0.1), 0.9) : 1;
    const perKwh = Math.min(share / (most || 1e-9), (1 - share || 1) / (least || 1e-9));
    while (this.columns.length > buckets.length) {
      this.columns.pop().remove();
    }
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
      const height = (value, part) => (value ? `max(2px, ${((value * perKwh) / part) * 100}%)` : "0");
      above.firstElementChild.style.height = height(bucket.import_kwh, share);
      below.firstElementChild.style.height = height(bucket.export_kwh, 1 - share);
      const unit = moments(bucket);
      column.classList.toggle("future", unit.start > new Date());
      column.classList.toggle("current", unit.start <= new Date() && new Date() < unit.end);
      setText(tick, UNITS[period].tick(unit));
    });
    this.place.setAttribute("aria-label", this.words());
    this.tellSums();
  }

  words() {
    const { buckets, period } = this.report;
    return buckets
      .filter((bucket) => bucket.import_kwh !== null || bucket.export_kwh !== null)
      .map((bucket) => {
        const parts = [];
        if (bucket.import_kwh !== null) {
          parts.push(text("sum_import", { kwh: kwh(bucket.import_kwh) }));
        }
        if (bucket.export_kwh) {
          parts.push(text("sum_export", { kwh: kwh(bucket.export_kwh) }));
        }
        return `${UNITS[period].name(moments(bucket))}: ${parts.join(", ")}`;
      })
      .join("; ");
  }
}

const moments = (bucket) => ({ start: new Date(bucket.start), end: new Date(bucket.end) });
