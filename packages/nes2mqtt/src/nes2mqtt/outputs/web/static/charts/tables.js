// The numbers of the charts as tables, for who cannot see or point at a chart, and for copying.

import { kwh, known, nameOf, noteOf } from "./buckets.js";
import { clock } from "../data/clock.js";
import { el } from "../dom.js";
import { hourTime, number } from "../texts/format.js";
import { text } from "../texts/texts.js";

export function table(place, title, heads, rows) {
  place.hidden = rows.length === 0;
  if (place.hidden) {
    return;
  }
  const cells = (row) => row.map((words, index) => (index ? el("td", { class: "number" }, words) : el("th", { scope: "row" }, words)));
  place.replaceChildren(
    el("caption", {}, title),
    el("thead", {}, el("tr", {}, ...heads.map((words, index) => el("th", { scope: "col", ...(index ? { class: "number" } : {}) }, words)))),
    el("tbody", {}, ...rows.map((row) => el("tr", {}, ...cells(row)))),
  );
}

/** Draw an energy report; nothing without one. */
export function drawEnergy(place, report, title) {
  const written = (value) => (value === null ? "" : kwh(value));
  table(
    place,
    title,
    [text("time"), text("import"), text("export"), text("note")],
    (report?.buckets ?? [])
      .filter(known)
      .map((bucket) => [nameOf(report.period, bucket), written(bucket.import_kwh), written(bucket.export_kwh), noteOf(bucket).words]),
  );
}

/** Draw the power of the last hour by minute. */
export function drawMinutes(place, curve, now) {
  const when = (at) => {
    const date = clock.date(at);
    return date ? hourTime(date) : text("minutes_ago", { minutes: number(Math.round((now - at) / 60)) });
  };
  table(
    place,
    text("table_minutes"),
    [text("time"), text("lowest"), text("average"), text("highest")],
    curve.minutes(now).map(({ at, low, mean, high }) => [when(at), number(low), number(mean), number(high)]),
  );
}
