// Days, weeks, months and years of the calendar, as the gateway's time zone has them. A day is written 2026-11-22; which
// moment it begins is the gateway's business. Knows nothing of the page.

import { zoned } from "./format.js";
import { locale } from "./texts.js";

export const SPANS = ["day", "week", "month", "year", "all"];
/** What the bars of each span are. */
export const BARS = { day: "hour", week: "day", month: "day", year: "month", all: "year" };

const DAY = 86_400_000;
const date = (day) => new Date(`${day}T00:00:00Z`);
const written = (moment) => moment.toISOString().slice(0, 10);

/** The day that a moment is in. */
export function dayOf(moment) {
  return zoned(moment);
}

export function isDay(words) {
  return /^\d{4}-\d\d-\d\d$/.test(words ?? "") && !Number.isNaN(date(words).valueOf()) && written(date(words)) === words;
}

export function addDays(day, count) {
  return written(new Date(date(day).valueOf() + count * DAY));
}

/** The same day of another month; the last one where the month is shorter. */
export function addMonths(day, count) {
  const from = date(day);
  const first = new Date(Date.UTC(from.getUTCFullYear(), from.getUTCMonth() + count, 1));
  const last = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1, 0)).getUTCDate();
  first.setUTCDate(Math.min(from.getUTCDate(), last));
  return written(first);
}

/** The whole days from one day up to another. */
export const daysBetween = (one, other) => Math.round((date(other) - date(one)) / DAY);

/** The day, week, month or year that a day is in: { kind, start, end }, the end being the day after the last one. */
export function spanAt(kind, day) {
  if (kind === "day") {
    return { kind, start: day, end: addDays(day, 1) };
  }
  if (kind === "week") {
    const start = addDays(day, -((date(day).getUTCDay() + 6) % 7));
    return { kind, start, end: addDays(start, 7) };
  }
  if (kind === "month") {
    const start = `${day.slice(0, 7)}-01`;
    return { kind, start, end: addMonths(start, 1) };
  }
  const start = `${day.slice(0, 4)}-01-01`;
  return { kind, start, end: addMonths(start, 12) };
}

/** The span after one, or with -1 before it. */
export function next({ kind, start, end }, step = 1) {
  return spanAt(kind, step > 0 ? end : addDays(start, -1));
}

/** The span that another is compared with: the one before it, or that of a year before. A week's is 52 weeks before. */
export function partner(span, which) {
  if (which === "before") {
    return next(span, -1);
  }
  return spanAt(span.kind, span.kind === "week" ? addDays(span.start, -364) : addMonths(span.start, -12));
}

/** The part of an address that names a span: a day, the Monday of a week, 2026-11, 2026. */
export function nameInAddress({ kind, start }) {
  return start.slice(0, { month: 7, year: 4 }[kind] ?? 10);
}

/** The day that an address names; null where it names none. */
export function dayInAddress(words = "") {
  const day = words + "-01-01".slice(words.length === 7 ? 3 : 0).slice(0, Math.max(0, 10 - words.length));
  return isDay(day) ? day : null;
}

const formats = new Map();

function formatted(day, options) {
  const key = JSON.stringify(options);
  if (!formats.has(key)) {
    formats.set(key, new Intl.DateTimeFormat(locale, { ...options, timeZone: "UTC" }));
  }
  return formats.get(key);
}

/** What people call a span: "Sunday 22 November 2026", "16 – 22 Nov 2026", "November 2026", "2026". */
export function spanName({ kind, start, end }, short = false) {
  const options = {
    day: { weekday: short ? "short" : "long", day: "numeric", month: short ? "short" : "long", year: "numeric" },
    week: { day: "numeric", month: "short", year: "numeric" },
    month: { month: short ? "short" : "long", year: "numeric" },
    year: { year: "numeric" },
  }[kind];
  const format = formatted(start, options);
  return kind === "week" ? format.formatRange(date(start), date(addDays(end, -1))) : format.format(date(start));
}

/** The ISO number of the week that a day is in. */
export function weekNumber(day) {
  const thursday = addDays(spanAt("week", day).start, 3);
  return 1 + Math.floor(daysBetween(`${thursday.slice(0, 4)}-01-01`, thursday) / 7);
}
