// The view of the history: a day, week, month, year, or all of it, as bars, beside another one if wanted, with its sums,
// its highest and lowest, what is missing, as a table and as a file. The address says what is shown.

import * as calendar from "../texts/calendar.js";
import { EnergyBars } from "../charts/bars.js";
import { kwh, moments, nameOf, running } from "../charts/buckets.js";
import { clock } from "../data/clock.js";
import { byId, el, fillList, setText, style } from "../dom.js";
import { dayName, number } from "../texts/format.js";
import { meterId, page, say } from "../page.js";
import { address } from "../router.js";
import { bring, text, translate } from "../texts/texts.js";
import { amounts } from "./costs.js";
import { comparison, notes, rows } from "./history/words.js";
import { costs as loadCosts, hours as loadHours, load, peaks as loadPeaks } from "./history/data.js";
import { drawPower, hidePower } from "./history/power.js";
import { drawTable, files } from "./history/table.js";

await bring("history");

/** Milliseconds after which a picture that is not the one wanted any more turns grey. */
const PATIENCE = 300;

/** Where there is no room for a long name of a day. */
const NARROW = matchMedia("(max-width: 640px)");

const place = byId("view-history");
const state = { wanted: null, found: null, bars: null, asked: 0 };

const link = (id, key, more = {}) => el("a", { id, href: "#", ...more, "data-text": key });
const arrow = (id, key, shape) =>
  el("a", { id, href: "#", class: "round", "data-label": key }, el("span", { "aria-hidden": "true" }, shape));

function build() {
  place.classList.add("first");
  place.append(
    el(
      "div",
      { class: "cards wide" },
      el(
        "section",
        { class: "card history-head", "aria-labelledby": "history-title" },
        el("nav", { class: "choice", "data-label": "history_span" }, ...calendar.SPANS.map((kind) => link(`span-${kind}`, `span_${kind}`))),
        el(
          "div",
          { class: "pick" },
          arrow("history-before", "history_before", "\u2039"),
          el("h2", { id: "history-title", tabindex: "-1" }),
          arrow("history-after", "history_after", "\u203a"),
        ),
        el(
          "div",
          { class: "pick-more" },
          el("label", {}, el("span", { class: "unseen", "data-text": "history_date" }), el("input", { id: "history-date", type: "date", min: "2000-01-01" })),
          link("history-today", "today", { class: "plain" }),
        ),
      ),
      el(
        "section",
        { id: "history", class: "card history-chart", "aria-labelledby": "history-energy" },
        el(
          "div",
          { class: "card-head" },
          el("h2", { id: "history-energy", "data-text": "energy" }),
          el("p", { id: "history-sum", class: "sums" }),
        ),
        el("div", { id: "history-bars", class: "bars tall", role: "img", tabindex: "0" }),
        el("p", { id: "history-empty", class: "empty", hidden: "" }),
        el("p", { id: "history-comparison", class: "comparison", hidden: "" }),
        el(
          "div",
          { class: "below" },
          el("nav", { id: "history-with", class: "choice", "data-label": "compare" }, link("with-none", "compare_none"), link("with-before", "compare_none"), link("with-year", "compare_year")),
          el("nav", { id: "history-by", class: "choice", "data-label": "history_bars" }, link("by-hour", "by_hour"), link("by-quarter", "by_quarter")),
        ),
      ),
      el(
        "section",
        { id: "history-summary", class: "card summary", "aria-labelledby": "summary-title", hidden: "" },
        el("div", { class: "card-head" }, el("h2", { id: "summary-title", "data-text": "summary" })),
        el("dl", { id: "summary", class: "facts" }),
        el("ul", { id: "summary-notes", class: "notes" }),
      ),
      el(
        "section",
        { id: "history-peaks", class: "card", "aria-labelledby": "peaks-title", hidden: "" },
        el("div", { class: "card-head" }, el("h2", { id: "peaks-title", "data-text": "peaks" })),
        el("ol", { id: "peaks", class: "peaks" }),
        el("p", { id: "base-load", class: "muted small" }),
      ),
      el(
        "section",
        { id: "history-power", class: "card history-power", "aria-labelledby": "power-title", hidden: "" },
        el(
          "div",
          { class: "card-head" },
          el("h2", { id: "power-title", "data-text": "power" }),
          el("output", { id: "power-readout", class: "readout" }),
        ),
        el("div", { id: "power-chart", class: "plot", role: "img", tabindex: "0" }),
        el("p", { id: "power-empty", class: "empty", hidden: "" }),
      ),
      el(
        "details",
        { id: "history-patterns", class: "card readings", hidden: "" },
        el("summary", { "data-text": "patterns" }),
        el("div", { id: "patterns", class: "patterns" }),
      ),
      el(
        "details",
        { id: "history-table", class: "card readings", hidden: "" },
        el("summary", { "data-text": "table" }),
        el("div", { class: "table-scroll", tabindex: "0", role: "group", "data-label": "table" }, el("table", { id: "history-rows" })),
        el("p", { class: "links" }, link("csv-point", "csv_point"), " ", link("csv-comma", "csv_comma"), " ", link("parquet", "parquet")),
      ),
    ),
  );
  translate(place);
  state.bars = new EnergyBars({
    place: byId("history-bars"),
    sums: byId("history-sum"),
    empty: byId("history-empty"),
    title: text("energy"),
    say,
    scale: true,
    open: (bucket) => inside(bucket) && location.assign(inside(bucket)),
    more: (bucket) => amounts(costsOf(bucket), running(bucket ?? state.found.report.total)),
  });
  byId("history-table").addEventListener("toggle", drawAll);
  byId("history-patterns").addEventListener("toggle", patterns);
  byId("history-date").addEventListener("change", ({ target }) => {
    if (calendar.isDay(target.value)) {
      location.assign(to(calendar.spanAt(state.wanted.span.kind === "all" ? "day" : state.wanted.span.kind, target.value)));
    }
  });
}

/** What the route names: { meter, span, other, by, query, today }; span is null while nobody knows which day it is. */
function wantedBy({ meter, rest, query }) {
  const kind = calendar.SPANS.includes(rest[0]) ? rest[0] : "day";
  const now = clock.today();
  const today = now && calendar.dayOf(now);
  const day = calendar.dayInAddress(rest[1]) ?? today;
  const span = kind === "all" ? { kind, start: "2000-01-01", end: today && calendar.addDays(today, 1) } : day && calendar.spanAt(kind, day);
  const other = span && kind !== "all" && ["before", "year"].includes(query.with) ? calendar.partner(span, query.with) : null;
  return { meter, kind, span, other, by: query.by === "quarter" ? "quarter" : "hour", query, today };
}

/** The address of a span; what it is compared with and by which bars stays. */
function to(span, query = state.wanted.query) {
  const name = span.kind === "all" ? [] : [calendar.nameInAddress(span)];
  return address({ meter: meterId(), view: "history", rest: [span.kind, ...name], query });
}

/** The address of what a bar holds; undefined where nothing finer is kept. */
function inside(bucket) {
  const kind = { hour: null, quarter: null, day: "day", month: "month", year: "year" }[state.found.report.period];
  return kind ? to(calendar.spanAt(kind, calendar.dayOf(moments(bucket).start)), { with: state.wanted.query.with }) : undefined;
}

/** What a bar cost, all of them with null. */
function costsOf(bucket) {
  const found = state.found?.costs;
  if (!found) {
    return [];
  }
  return bucket === null ? found.all : found.within(moments(bucket));
}

function drawHead() {
  const { kind, span, other, query, today, by } = state.wanted;
  const around = span?.kind === "all" ? today : span?.start;
  const anchor = today && around && span.start <= today && today < span.end ? today : around;
  for (const each of calendar.SPANS) {
    const there = byId(`span-${each}`);
    current(there, each === kind);
    if (each === "all") {
      there.href = to({ kind: "all" });
    } else if (anchor) {
      there.href = to(calendar.spanAt(each, anchor));
    }
  }
  const moves = span && kind !== "all";
  byId("history-before").hidden = byId("history-after").hidden = byId("history-today").hidden = !moves;
  byId("history-date").parentElement.hidden = kind === "all";
  const name = !span ? "" : kind === "all" ? text("span_all") : calendar.spanName(span, NARROW.matches);
  setText(byId("history-title"), kind === "week" && span ? text("week_name", { number: calendar.weekNumber(span.start), days: name }) : name);
  if (moves) {
    const after = calendar.next(span);
    byId("history-before").href = to(calendar.next(span, -1));
    byId("history-after").href = to(after);
    // There is nothing in the future, so there is no way there.
    byId("history-after").toggleAttribute("inert", Boolean(today) && after.start > today);
    byId("history-date").value = anchor;
    byId("history-date").max = today ?? "";
    byId("history-today").hidden = !today || (span.start <= today && today < span.end);
    if (today) {
      byId("history-today").href = to(calendar.spanAt(kind, today));
    }
    setText(byId("with-before"), text(`compare_${kind}`));
    for (const [id, value] of [["none", undefined], ["before", "before"], ["year", "year"]]) {
      byId(`with-${id}`).href = to(span, { ...query, with: value });
      current(byId(`with-${id}`), (query.with ?? undefined) === value);
    }
    for (const each of ["hour", "quarter"]) {
      byId(`by-${each}`).href = to(span, { ...query, by: each === "hour" ? undefined : each });
      current(byId(`by-${each}`), each === by);
    }
  }
  // Of one year before the first there is nothing to say: the year before is the one before.
  byId("with-year").hidden = kind === "year";
  byId("history-with").hidden = !moves;
  byId("history-by").hidden = kind !== "day";
  byId("history").classList.toggle("compared", Boolean(other));
}

function current(element, is) {
  if (is) {
    element.setAttribute("aria-current", "true");
  } else {
    element.removeAttribute("aria-current");
  }
}

/** Ask for what is wanted and draw it. The picture before stays until then; after a while it is grey. */
async function fetchAndDraw(aloud = false) {
  const { wanted, found: before } = state;
  const ticket = (state.asked += 1);
  if (!page.status?.gateway.history) {
    fail(text("history_off"));
    return;
  }
  if (!wanted.span?.end) {
    fail(text("energy_no_time"));
    return;
  }
  const timer = setTimeout(() => place.classList.add("loading"), PATIENCE);
  // Both at once; who waits for the bars need not wait for the bill.
  const bill = page.status.gateway.costs ? loadCosts(wanted) : null;
  const found = await load(wanted);
  clearTimeout(timer);
  if (ticket !== state.asked) {
    return;
  }
  place.classList.remove("loading");
  if (found?.problem) {
    fail(text(page.status.clock.source === "none" ? "energy_no_time" : "energy_unreadable"));
    return;
  }
  if (!found) {
    return;
  }
  state.found = { ...found, wanted, costs: before?.wanted === wanted ? before.costs : null };
  drawAll();
  if (aloud) {
    say(`${byId("history-title").textContent}. ${byId("history-bars").getAttribute("aria-label")}`);
  }
  const curve = wanted.kind === "day" ? drawPower(wanted, found.report, () => ticket === state.asked) : hidePower();
  const highest = loadPeaks(wanted);
  patterns();
  const costs = await bill;
  if (ticket === state.asked && costs) {
    state.found.costs = costs;
    drawAll();
  }
  const told = await highest;
  if (ticket === state.asked) {
    drawPeaks(told);
  }
  await curve;
}

/** How the hours of a week, a month or a year compare, when somebody opens that. */
async function patterns() {
  const { wanted, asked } = state;
  if (!byId("history-patterns").open || !state.found) {
    return;
  }
  // Those of another time are not shown below this one's title.
  const drawn = JSON.stringify([wanted.meter, wanted.span]);
  byId("patterns").classList.toggle("old", state.patterns !== drawn);
  const [found, { drawPatterns }] = await Promise.all([loadHours(wanted), import("./history/patterns.js"), style("static/styles/patterns.css")]);
  if (asked === state.asked && found && !found.problem) {
    drawPatterns(found);
    state.patterns = drawn;
    byId("patterns").classList.remove("old");
  }
}

/** The hours in which most was used: each leads to its day. */
function drawPeaks(found) {
  const highest = found?.highest ?? [];
  byId("history-peaks").hidden = highest.length === 0;
  byId("peaks").replaceChildren(
    ...highest.map((bucket) => {
      const { start } = moments(bucket);
      const day = el("a", { href: to(calendar.spanAt("day", calendar.dayOf(start)), {}) }, dayName(start));
      return el("li", {}, day, ` ${nameOf("hour", bucket)}: `, el("b", {}, `${kwh(bucket.import_kwh)}\u00a0kWh`));
    }),
  );
  const base = found?.base_watts ?? null;
  byId("base-load").hidden = base === null;
  setText(byId("base-load"), base === null ? "" : text("base_load", { watts: number(base) }));
}

function fail(words) {
  place.classList.remove("first");
  byId("history").classList.add("failed");
  state.found = null;
  state.bars.fail(words);
  for (const id of ["history-summary", "history-power", "history-peaks", "history-patterns", "history-table", "history-comparison"]) {
    byId(id).hidden = true;
  }
}

function drawAll() {
  const { found } = state;
  if (!found) {
    return;
  }
  const { report, other, wanted } = found;
  place.classList.remove("first");
  byId("history").classList.remove("failed");
  state.bars.draw(report, other);
  const words = comparison(found);
  byId("history-comparison").hidden = words.length === 0;
  byId("history-comparison").replaceChildren(...words.map((line) => el("span", {}, line)));
  const facts = rows(found);
  fillList(byId("summary"), facts);
  byId("summary-notes").replaceChildren(...notes(found).map((line) => el("li", {}, line)));
  byId("history-summary").hidden = facts.length === 0;
  byId("history-table").hidden = facts.length === 0;
  byId("history-patterns").hidden = facts.length === 0 || !["week", "month", "year"].includes(wanted.kind);
  if (byId("history-table").open) {
    drawTable(byId("history-rows"), found, inside);
  }
  for (const [id, decimal, kind] of [["csv-point", null, "csv"], ["csv-comma", "comma", "csv"], ["parquet", null, "parquet"]]) {
    byId(id).href = files(wanted, report, decimal, kind);
  }
}

function show(moved) {
  place.hidden = false;
  const before = state.wanted;
  state.wanted = wantedBy(page.route);
  if (before && before.meter !== state.wanted.meter) {
    state.found = null;
    state.bars.fail("");
  }
  drawHead();
  fetchAndDraw(moved);
}

build();
NARROW.addEventListener("change", () => state.wanted && drawHead());

export const view = {
  place,
  title: () => `${byId("history-title").textContent || text("view_history")} \u00b7 ${page.meter?.status?.info.name || meterId() || ""}`,
  show,
  hide() {
    place.hidden = true;
  },
  draw() {},
  /** The time may have become known, or the meter was changed. */
  heard() {
    if (!state.wanted?.today && clock.today()) {
      show(false);
    }
  },
  refresh() {
    const today = clock.today();
    // At midnight another day begins, and the one that was shown as the running one is over.
    if (today && state.wanted && calendar.dayOf(today) !== state.wanted.today) {
      show(false);
    } else if (state.wanted && (!state.wanted.today || (state.wanted.span?.end ?? "9") > state.wanted.today || !state.found)) {
      fetchAndDraw();
    }
  },
};
