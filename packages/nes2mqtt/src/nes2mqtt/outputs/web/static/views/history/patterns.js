// How the hours of a week or a month compare: a map of each hour of each day, and the average day, of Monday to Friday and of the
// weekend; of a year the map is of the average hours of each month. Averages count hours that were measured whole; what is not known has no colour. Loaded when somebody wants it.

import { exact, known, kwh, moments, noteOf } from "../../charts/buckets.js";
import { clock } from "../../data/clock.js";
import { byId, el, setText } from "../../dom.js";
import { say } from "../../page.js";
import { dayOf } from "../../texts/calendar.js";
import { dayName, dayNumber, hourNumber, monthName, monthYear } from "../../texts/format.js";
import { text, translate } from "../../texts/texts.js";

const HOURS = 24;
/** Steps of colour, of which the style sheet has each. */
const LEVELS = 10;
const KINDS = ["weekdays", "weekend"];

/**
 * source: what is drawn: title, the key of what the map is called; rows(), a row of the map each { name, title, hours }, of which each hour has
 * its mean in kWh (null where it is not known), the most of it that was measured whole, whether it is that, and words; averages().
 */
const state = { source: null, rows: [], direction: "import", top: 0, average: null, cells: [], shown: null, hour: null, built: false };

const valueOf = (bucket) => bucket[`${state.direction}_kwh`];
const amount = (value) => `${kwh(value)}\u00a0kWh`;
const twoDigits = (hour) => String(hour).padStart(2, "0");
const hourWords = (hour) => text("hour_bar", { start: `${twoDigits(hour)}:00`, end: `${twoDigits((hour + 1) % HOURS)}:00` });

/** Whether a bucket is over and holds the energy of exactly its time. */
function whole(bucket) {
  const today = clock.today();
  return exact(bucket) && (valueOf(bucket) ?? null) !== null && (!today || moments(bucket).end <= today);
}

function kindOf(day) {
  return [0, 6].includes(new Date(`${day}T12:00Z`).getUTCDay()) ? "weekend" : "weekdays";
}

/** The days of a report with their 24 hours: each has the buckets that begin in it, two for the one that comes twice in autumn. */
function daysOf(buckets) {
  const days = new Map();
  for (const bucket of buckets) {
    const { start } = moments(bucket);
    const day = dayOf(start);
    if (!days.has(day)) {
      days.set(day, { day, start, hours: Array.from({ length: HOURS }, () => []) });
    }
    days.get(day).hours[hourNumber(start)].push(bucket);
  }
  return [...days.values()];
}

/** What is known of an hour of a day. */
function hourOfDay({ start }, buckets, hour) {
  const told = buckets.filter((bucket) => known(bucket) && (valueOf(bucket) ?? null) !== null);
  const parts = told.map((bucket) => [amount(valueOf(bucket)), noteOf(bucket).words].filter(Boolean).join(" "));
  const words = buckets.length === 0 ? text("patterns_no_hour") : parts.join(" + ") || text("not_known");
  return {
    mean: told.length ? told.reduce((sum, bucket) => sum + valueOf(bucket), 0) / told.length : null,
    most: Math.max(...told.filter(whole).map(valueOf)),
    whole: told.every(whole),
    words: `${dayName(start)}, ${hourWords(hour)}: ${words}`,
    told: told.map((bucket) => kwh(valueOf(bucket))).join(" + "),
  };
}

/** The source of a report by hours. */
function ofDays(buckets) {
  const days = daysOf(buckets);
  const of = (kind, hour) => {
    const found = days.filter(({ day }) => kindOf(day) === kind).flatMap(({ hours }) => hours[hour].filter(whole).map(valueOf));
    return { mean: found.length ? found.reduce((sum, value) => sum + value, 0) / found.length : null, count: found.length };
  };
  const name = ({ start }) => (days.length > 7 ? String(dayNumber(start)) : dayName(start).split(/[ ,]/)[0]);
  return {
    title: "patterns_hours",
    gives: buckets.some(({ export_kwh: given }) => given > 0),
    rows: () => days.map((day) => ({ name: name(day), title: dayName(day.start), hours: day.hours.map((found, hour) => hourOfDay(day, found, hour)) })),
    averages: () => Object.fromEntries(KINDS.map((kind) => [kind, Array.from({ length: HOURS }, (_, hour) => of(kind, hour))])),
  };
}

/** An hour of the day in a month, on average. */
function hourOfMonth(start, found, hour) {
  const mean = valueOf(found);
  const words = mean === null ? text("not_known") : `${amount(mean)} (${text("patterns_days", { count: found.count })})`;
  return { mean, most: mean ?? -Infinity, whole: true, words: `${monthYear(start)}, ${hourWords(hour)}: ${words}`, told: mean === null ? "" : kwh(mean) };
}

/** The source of a year's report: means of whole hours, by month and by day of the week. */
function ofYear({ months, weekdays }) {
  const noon = ({ month }) => new Date(`${month}T12:00Z`);
  const some = ({ hours }) => hours.some(({ count }) => count > 0);
  const told = months.slice(0, months.findLastIndex(some) + 1);
  const of = (kind, hour) => {
    const found = weekdays.filter(({ weekday }) => (weekday > 5 ? "weekend" : "weekdays") === kind).map(({ hours }) => hours[hour]);
    const count = found.reduce((sum, one) => sum + one.count, 0);
    return { mean: count ? found.reduce((sum, one) => sum + (valueOf(one) ?? 0) * one.count, 0) / count : null, count };
  };
  return {
    title: "patterns_months",
    gives: months.some(({ hours }) => hours.some(({ export_kwh: given }) => given > 0)),
    rows: () => told.map((month) => ({ name: monthName(noon(month)), title: monthYear(noon(month)), hours: month.hours.map((found, hour) => hourOfMonth(noon(month), found, hour)) })),
    averages: () => Object.fromEntries(KINDS.map((kind) => [kind, Array.from({ length: HOURS }, (_, hour) => of(kind, hour))])),
  };
}

function build() {
  const chart = (id, shape) => el("div", { id, class: shape, role: "img", tabindex: "0" });
  const table = (id, label) => el("div", { class: "table-scroll", tabindex: "0", role: "group", "data-label": label }, el("table", { id }));
  const head = (id, key) => el("div", { class: "card-head" }, el("h3", { id: `${id}-title`, "data-text": key }), el("output", { id, class: "readout" }));
  byId("patterns").replaceChildren(
    el(
      "p",
      { id: "patterns-direction", class: "choice" },
      ...["import", "export"].map((direction) => el("button", { type: "button", class: "quiet", "data-direction": direction, "data-text": direction })),
    ),
    head("heat-readout", "patterns_hours"),
    chart("heat", "heat"),
    el("p", { id: "heat-scale", class: "muted small" }),
    head("average-readout", "patterns_average"),
    chart("average", "average"),
    el(
      "p",
      { class: "muted small average-key" },
      ...KINDS.map((kind) => el("span", { class: `key ${kind}`, "data-text": kind })),
      el("span", { "data-text": "patterns_hint" }),
    ),
    table("average-table", "patterns_average"),
    table("heat-table", "patterns_hours"),
  );
  translate(byId("patterns"));
  byId("patterns-direction").addEventListener("click", ({ target }) => {
    if (target.dataset.direction) {
      state.direction = target.dataset.direction;
      drawAll();
    }
  });
  listen(byId("heat"), (target) => state.cells.flat().indexOf(target.closest("[data-level]")), pointHeat);
  listen(byId("average"), (target) => [...byId("average").children].indexOf(target.closest(".average-hour")), pointHour);
  byId("heat").addEventListener("keydown", (event) => {
    const at = state.shown ?? 0;
    const column = at % HOURS;
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: HOURS, ArrowUp: -HOURS, PageDown: 7 * HOURS, PageUp: -7 * HOURS, Home: -column, End: HOURS - 1 - column };
    move(event, state.shown === null ? { [event.key]: 0, Escape: undefined } : steps, at, state.rows.length * HOURS, pointHeat);
  });
  byId("average").addEventListener("keydown", (event) => {
    const at = state.hour ?? 0;
    const steps = { ArrowRight: 1, ArrowLeft: -1, Home: -at, End: HOURS - 1 - at };
    move(event, state.hour === null ? { ...steps, ArrowRight: 0, ArrowLeft: HOURS - 1 } : steps, at, HOURS, pointHour);
  });
  state.built = true;
}

function listen(place, at, point) {
  place.addEventListener("pointerover", ({ target }) => point(at(target)));
  place.addEventListener("pointerdown", (event) => event.target.releasePointerCapture?.(event.pointerId));
  place.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && point(-1));
  place.addEventListener("blur", () => point(-1));
}

function move(event, steps, at, count, point) {
  if (event.key === "Escape") {
    point(-1);
  } else if (/^(Arrow|Page|Home|End)/.test(event.key) && steps[event.key] !== undefined && count > 0) {
    event.preventDefault();
    say(point(Math.min(Math.max(at + steps[event.key], 0), count - 1)));
  }
}

function pointHeat(at) {
  state.shown = at >= 0 ? at : null;
  state.cells.flat().forEach((cell, index) => cell.classList.toggle("shown", index === at));
  const words = at >= 0 ? state.rows[Math.floor(at / HOURS)].hours[at % HOURS].words : "";
  setText(byId("heat-readout"), words);
  return words;
}

function pointHour(hour) {
  state.hour = hour >= 0 ? hour : null;
  [...byId("average").children].forEach((each, index) => each.classList.toggle("shown", index === hour));
  const part = (kind) => {
    const { mean, count } = state.average[kind][hour];
    return `${text(kind)} ${mean === null ? text("not_known") : `${amount(mean)} (${text("patterns_days", { count })})`}`;
  };
  const words = hour >= 0 ? `${hourWords(hour)}: ${KINDS.map(part).join(", ")}` : "";
  setText(byId("average-readout"), words);
  return words;
}

function cell({ mean, whole: exactly }) {
  if (mean === null) {
    return el("div", { "data-level": "" });
  }
  const level = state.top > 0 ? Math.min(LEVELS, Math.ceil((mean / state.top) * LEVELS)) : 0;
  return el("div", { "data-level": String(level), ...(exactly ? {} : { class: "part" }) });
}

function drawHeat() {
  const most = Math.max(...state.rows.flatMap(({ hours }) => hours.map((hour) => hour.most)));
  state.top = Math.max(0, most);
  state.cells = state.rows.map(({ hours }) => hours.map(cell));
  const ticks = Array.from({ length: HOURS }, (_, hour) => el("span", { class: "tick" }, hour % 6 === 0 ? twoDigits(hour) : ""));
  byId("heat").replaceChildren(
    ...state.rows.flatMap(({ name }, row) => [el("span", { class: "row-name" }, name), ...state.cells[row]]),
    el("span", {}),
    ...ticks,
  );
  const scale = Number.isFinite(most) ? text("patterns_scale", { most: amount(state.top) }) : text("patterns_empty");
  setText(byId("heat-scale"), scale);
  byId("heat").setAttribute("aria-label", `${text(state.source.title)}. ${scale}`);
}

function drawAverage() {
  const most = Math.max(0, ...KINDS.flatMap((kind) => state.average[kind].map(({ mean }) => mean ?? 0)));
  const bar = (kind, hour) => {
    const { mean } = state.average[kind][hour];
    const found = el("span", { class: `average-bar ${kind}`, ...(mean === null ? { hidden: "" } : {}) });
    found.style.setProperty("--share", String(most > 0 && mean !== null ? mean / most : 0));
    return found;
  };
  byId("average").replaceChildren(
    ...Array.from({ length: HOURS }, (_, hour) =>
      el("div", { class: "average-hour" }, el("span", { class: "average-bars" }, ...KINDS.map((kind) => bar(kind, hour))), el("span", { class: "tick" }, hour % 6 === 0 ? twoDigits(hour) : "")),
    ),
  );
  byId("average").setAttribute("aria-label", `${text("patterns_average")}. ${most > 0 ? text("patterns_most", { most: amount(most) }) : text("patterns_empty")}`);
}

function drawTables() {
  const head = (words, more = { class: "number" }) => el("th", { scope: "col", ...more }, words);
  const number = (words) => el("td", { class: "number" }, words);
  byId("average-table").replaceChildren(
    el("caption", {}, `${text("patterns_average")}, kWh`),
    el("thead", {}, el("tr", {}, head(text("time"), {}), ...KINDS.map((kind) => head(text(kind))))),
    el(
      "tbody",
      {},
      ...Array.from({ length: HOURS }, (_, hour) =>
        el("tr", {}, el("th", { scope: "row" }, hourWords(hour)), ...KINDS.map((kind) => number(state.average[kind][hour].mean === null ? "" : kwh(state.average[kind][hour].mean)))),
      ),
    ),
  );
  byId("heat-table").replaceChildren(
    el("caption", {}, `${text(state.source.title)}, kWh`),
    el("thead", {}, el("tr", {}, head(text("time"), {}), ...Array.from({ length: HOURS }, (_, hour) => head(twoDigits(hour))))),
    el("tbody", {}, ...state.rows.map(({ title, hours }) => el("tr", {}, el("th", { scope: "row" }, title), ...hours.map(({ told }) => number(told))))),
  );
}

function drawAll() {
  state.rows = state.source.rows();
  state.average = state.source.averages();
  Object.assign(state, { shown: null, hour: null });
  for (const button of byId("patterns-direction").children) {
    button.setAttribute("aria-pressed", String(button.dataset.direction === state.direction));
  }
  byId("patterns").dataset.direction = state.direction;
  drawHeat();
  drawAverage();
  drawTables();
  pointHeat(-1);
  pointHour(-1);
}

/** Draw the patterns of a report by hours, or of a year's. */
export function drawPatterns(found) {
  if (!state.built) {
    build();
  }
  state.source = found.months ? ofYear(found) : ofDays(found.buckets);
  setText(byId("heat-readout-title"), text(state.source.title));
  byId("heat-table").parentElement.setAttribute("aria-label", text(state.source.title));
  byId("patterns-direction").hidden = !state.source.gives;
  state.direction = state.source.gives ? state.direction : "import";
  drawAll();
}
