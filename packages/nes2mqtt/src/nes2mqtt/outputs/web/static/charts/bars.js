// Energy as bars: import upwards, export downwards, on one scale. A bucket that is not known has no bar; it is not a zero.
// A bar that holds the energy of a gap, or of a part of its time only, is hatched and says so; a gap's energy is kept out
// of the scale. The arrow keys move from bar to bar. The bars of another span may stand behind them, in outline.

import { el, setText } from "../dom.js";
import { number } from "../texts/format.js";
import { text } from "../texts/texts.js";
import { begun, known, kwh, nameOf, noteOf, pairs, running, tickOf } from "./buckets.js";

/** Pixels of width from which there is room for a label at each third hour and for the names of months. */
const WIDE = 600;
/** More bars than this stand closer. */
const DENSE = 60;

export class EnergyBars {
  /**
   * @param place the element to draw in
   * @param sums where the sums, or a bar's numbers, are told
   * @param empty where it is told why there is nothing
   * @param title the chart's name
   * @param say called with a bar's numbers in words when it was reached by keyboard
   * @param open called with a bucket that shall be looked into; without it the bars cannot be opened
   * @param scale whether the scale is written beside the bars
   * @param more called with a bucket, null for all of them: further things to tell, as elements
   */
  constructor({ place, sums, empty, title, say, open, scale = false, more = () => [] }) {
    Object.assign(this, { place, sums, empty, title, say, open, more, columns: [], lines: [], shown: null, report: null, pairs: [] });
    this.scale = scale;
    place.setAttribute("aria-label", title);
    place.classList.toggle("scaled", scale);
    place.classList.toggle("opens", Boolean(open));
    const at = (event) => this.columns.indexOf(event.target.closest(".bar"));
    let [before, opens] = [null, false];
    place.addEventListener("pointerover", (event) => {
      before = this.shown;
      this.point(at(event));
    });
    place.addEventListener("pointerdown", (event) => {
      opens = event.pointerType === "mouse" || before === at(event);
      // A finger that moves on tells the numbers of the bars it moves over.
      event.target.releasePointerCapture?.(event.pointerId);
    });
    place.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && this.point(-1));
    place.addEventListener("blur", () => this.point(-1));
    place.addEventListener("keydown", (event) => this.key(event));
    // A finger's first tap tells the numbers, its second one opens.
    place.addEventListener("click", (event) => opens && at(event) >= 0 && this.enter(at(event)));
  }

  point(index) {
    this.shown = index >= 0 ? index : null;
    this.columns.forEach((column, at) => column.classList.toggle("shown", at === this.shown));
    this.tellSums();
  }

  enter(index) {
    const bucket = this.pairs[index]?.[0];
    if (bucket && this.open && begun(bucket)) {
      this.open(bucket);
    }
  }

  /** One tab stop for the chart; the arrows move over the bars that are known. */
  key(event) {
    const there = this.pairs.flatMap((pair, index) => (pair.some((bucket) => bucket && known(bucket)) ? [index] : []));
    const at = there.indexOf(this.shown);
    const steps = {
      ArrowRight: at < 0 ? 0 : at + 1,
      ArrowLeft: at < 0 ? there.length - 1 : at - 1,
      PageDown: at + 10,
      PageUp: at - 10,
      Home: 0,
      End: there.length - 1,
    };
    if (event.key === "Escape") {
      this.point(-1);
    } else if (event.key === "Enter" && this.shown !== null) {
      this.enter(this.shown);
    } else if (event.key in steps && there.length) {
      event.preventDefault();
      this.point(there[Math.min(Math.max(steps[event.key], 0), there.length - 1)]);
      this.say(this.words(this.pairs[this.shown]));
    }
  }

  tellSums() {
    const [bucket, other] = this.shown === null ? [this.report?.total, null] : this.pairs[this.shown];
    const parts = [];
    if (bucket) {
      const { filled, imported, words: note } = noteOf(bucket);
      if (this.shown !== null) {
        parts.push(el("span", { class: "muted" }, nameOf(this.report.period, bucket)));
      }
      if (note && !((filled || imported) && this.shown === null)) {
        parts.push(el("span", { class: "note" }, note));
      }
      parts.push(...this.amounts(bucket));
      parts.push(...this.more(this.shown === null ? null : bucket));
    }
    if (other && known(other)) {
      const name = el("span", { class: "muted" }, nameOf(this.report.period, other));
      parts.push(el("span", { class: "other" }, name, " ", ...this.amounts(other)));
    }
    if (this.report) {
      this.sums.replaceChildren(...parts);
    }
  }

  amounts(bucket) {
    return ["import", "export"].flatMap((direction) => {
      const value = bucket[`${direction}_kwh`];
      if (value === null || (direction === "export" && value === 0 && this.shown === null)) {
        return [];
      }
      return [el("span", { class: `sum ${direction}` }, el("span", { class: "unseen" }, text(direction)), el("b", {}, kwh(value)), " kWh")];
    });
  }

  /** Say why there are no bars. */
  fail(words) {
    this.report = null;
    this.pairs = [];
    this.columns.splice(0).forEach((column) => column.remove());
    this.sums.replaceChildren();
    this.tellEmpty(words);
  }

  tellEmpty(words) {
    setText(this.empty, words);
    this.empty.hidden = !words;
    this.place.hidden = Boolean(words);
  }

  /** Draw a report, and behind it another one of the same period. */
  draw(report, other = null) {
    if (report.period !== this.report?.period || report.buckets[0]?.start !== this.report?.buckets[0]?.start) {
      this.shown = null;
    }
    this.report = report;
    this.pairs = other ? pairs(report.period, report.buckets, other.buckets) : report.buckets.map((bucket) => [bucket, null]);
    this.shown = this.shown !== null && this.shown < this.pairs.length ? this.shown : null;
    this.tellEmpty(report.buckets.some(known) ? "" : text("energy_none"));
    const scale = this.findScale();
    while (this.columns.length > this.pairs.length) {
      this.columns.pop().remove();
    }
    this.place.classList.toggle("dense", this.pairs.length > DENSE);
    this.pairs.forEach((pair, index) => this.drawColumn(index, pair, scale));
    this.drawLines(scale);
    const { filled, imported, words: note } = noteOf(report.total);
    const sums = [this.amountWords(report.total), filled || imported ? "" : note].filter(Boolean).join(", ");
    this.place.setAttribute("aria-label", text("bars_words", { title: this.title, sums }));
    this.tellSums();
  }

  /** The share of the height above zero, and the shares of it that a kWh takes. */
  findScale() {
    const all = this.pairs.flat().filter(Boolean);
    // The energy of days of silence in one bar would press all the others flat.
    const own = all.filter((bucket) => !noteOf(bucket).carried);
    const scaled = own.some((bucket) => bucket.import_kwh || bucket.export_kwh) ? own : all;
    const most = Math.max(0, ...scaled.map((b) => b.import_kwh ?? 0));
    const least = Math.max(0, ...scaled.map((b) => b.export_kwh ?? 0));
    // Both sides on one scale; the smaller one gets room enough to be seen.
    const share = least ? Math.min(Math.max(most / (most + least), 0.1), 0.9) : 1;
    return { share, perKwh: Math.min(share / (most || 1e-9), (1 - share || 1) / (least || 1e-9)), most, least };
  }

  drawColumn(index, [bucket, other], { share, perKwh }) {
    let column = this.columns[index];
    if (!column) {
      const side = (name) => el("div", { class: name }, el("i"));
      column = el("div", { class: "bar" }, side("up"), side("down"), el("span"));
      this.columns.push(column);
      this.place.append(column);
    }
    const [above, below, tick] = column.children;
    above.style.flexGrow = String(share * 100);
    below.style.flexGrow = String((1 - share) * 100);
    const height = (value, part) => (value ? `clamp(2px, ${((value * perKwh) / part) * 100}%, 100%)` : "0");
    const sides = [
      [above, "import_kwh", share],
      [below, "export_kwh", 1 - share],
    ];
    for (const [side, key, part] of sides) {
      side.firstElementChild.style.height = height(bucket?.[key], part);
      if (other && side.children.length < 2) {
        side.append(el("b"));
      }
      if (other) {
        side.children[1].style.height = height(other[key], part);
      } else {
        side.children[1]?.remove();
      }
    }
    const note = bucket ? noteOf(bucket) : { words: "" };
    column.classList.toggle("gap", Boolean(note.words) && !note.filled && !note.imported);
    column.classList.toggle("filled", Boolean(note.filled) && !note.imported);
    column.classList.toggle("imported", Boolean(note.imported));
    column.classList.toggle("carried", Boolean(note.carried));
    column.classList.toggle("unknown", Boolean(bucket) && !known(bucket) && begun(bucket));
    column.classList.toggle("current", Boolean(bucket) && running(bucket));
    column.classList.toggle("shown", index === this.shown);
    const every = this.place.clientWidth >= WIDE ? 3 : 6;
    setText(tick, bucket ? tickOf(this.report.period, bucket, every, this.report.buckets.length) : "");
  }

  /** Lines at round amounts, with their numbers. */
  drawLines({ share, perKwh, most, least }) {
    this.lines.splice(0).forEach((line) => line.remove());
    if (!this.scale || !(most || least)) {
      return;
    }
    const step = roundStep((most + least) / 5);
    const digits = Math.max(0, -Math.floor(Math.log10(step)));
    const amounts = [];
    for (let count = -Math.floor(least / step); count * step <= most; count += 1) {
      amounts.push(count * step);
    }
    amounts.forEach((amount) => {
      const words = number(Math.abs(amount), Math.min(digits, 3)) + (amount === amounts.at(-1) ? " kWh" : "");
      const line = el("div", { class: "line", "aria-hidden": "true" }, el("span", {}, words));
      line.style.setProperty("--at", String(share - amount * perKwh));
      this.lines.push(line);
      this.place.append(line);
    });
  }

  amountWords(bucket) {
    return ["import", "export"]
      .filter((direction) => bucket[`${direction}_kwh`] !== null && (direction === "import" || bucket.export_kwh > 0))
      .map((direction) => text(`sum_${direction}`, { kwh: kwh(bucket[`${direction}_kwh`]) }))
      .join(", ");
  }

  /** The numbers of a bar, and of the one it is compared with, in words. */
  words([bucket, other]) {
    const told = [bucket, other].filter((one) => one && known(one)).map((one) => {
      const { words: note } = noteOf(one);
      return `${nameOf(this.report.period, one)}: ${[this.amountWords(one), note].filter(Boolean).join(", ")}`;
    });
    return told.join("; ");
  }
}

/** The next larger of 1, 2, 5, 10, 20, 50, ..., also below 1. */
function roundStep(rough) {
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((m) => m * power).find((step) => step >= rough * 0.999);
}
