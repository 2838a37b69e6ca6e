// The bars of the history as a table, and as a file.

import { path } from "../../data/ask.js";
import { begun, kwh, known, moments, nameOf, noteOf, pairs } from "../../charts/buckets.js";
import { el } from "../../dom.js";
import { money } from "../../texts/format.js";
import { text } from "../../texts/texts.js";

const written = (value) => (value === null || value === undefined ? "" : kwh(value));

/** Draw the rows of a report; a row that can be looked into is a link. */
export function drawTable(place, { report, other, costs }, inside) {
  const { period, buckets } = report;
  const rows = (other ? pairs(period, buckets, other.buckets) : buckets.map((bucket) => [bucket, null])).filter(
    ([bucket, beside]) => (bucket && begun(bucket)) || (beside && known(beside)),
  );
  const billed = (bucket) => (bucket && costs ? costs.within(moments(bucket)) : []);
  const cost = rows.some(([bucket]) => billed(bucket).length > 0);
  const number = (words) => el("td", { class: "number" }, words);
  const head = (words, more = { class: "number" }) => el("th", { scope: "col", ...more }, words);
  const name = (bucket) => {
    const address = known(bucket) ? inside(bucket) : undefined;
    const words = nameOf(period, bucket);
    return address ? el("a", { href: address }, words) : words;
  };
  place.replaceChildren(
    el("caption", {}, text("table_energy")),
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        head(text("time"), {}),
        head(text("import")),
        head(text("export")),
        ...(cost ? [head(text("cost"))] : []),
        ...(other ? [head(text("compared_import")), head(text("compared_export"))] : []),
        head(text("note"), {}),
      ),
    ),
    el(
      "tbody",
      {},
      ...rows.map(([bucket, beside]) =>
        el(
          "tr",
          {},
          el("th", { scope: "row" }, bucket ? name(bucket) : nameOf(period, beside)),
          number(written(bucket?.import_kwh)),
          number(written(bucket?.export_kwh)),
          ...(cost ? [number(billed(bucket).map(({ amount, currency, direction }) => money(direction === "export" ? -amount : amount, currency)).join(" "))] : []),
          ...(other ? [number(written(beside?.import_kwh)), number(written(beside?.export_kwh))] : []),
          el("td", {}, bucket ? (known(bucket) ? noteOf(bucket).words : text("not_known")) : ""),
        ),
      ),
    ),
  );
}

/** The address of a report as a file. */
export function files({ meter, span }, { period, buckets, total }, decimal, kind) {
  const start = span.kind === "all" ? (buckets[0]?.start ?? total.start) : span.start;
  return path(`energy.${kind}`, { meter, period, start, end: span.end, decimal });
}
