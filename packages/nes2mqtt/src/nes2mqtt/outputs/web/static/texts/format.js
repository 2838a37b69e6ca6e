// Numbers and times as people here write them. Times are shown in the gateway's time zone,
// because days begin there.

import { locale } from "./texts.js";

let zone;

/** Use the gateway's time zone from now on. */
export function useZone(name) {
  if (zone !== name) {
    zone = name;
    formats.clear();
  }
}

const formats = new Map();

function dateFormat(options) {
  const key = JSON.stringify(options);
  if (!formats.has(key)) {
    formats.set(key, new Intl.DateTimeFormat(locale, { ...options, timeZone: zone }));
  }
  return formats.get(key);
}

const numbers = new Map();

/** A number with exactly this many digits after the point, and a true minus sign. */
export function number(value, decimals = 0) {
  if (!numbers.has(decimals)) {
    numbers.set(
      decimals,
      new Intl.NumberFormat(locale, { minimumFractionDigits: decimals, maximumFractionDigits: decimals }),
    );
  }
  return numbers.get(decimals).format(value).replace("-", "\u2212");
}

/** A number as it was written: no digit more, none less, no groups. */
export const plain = (value) => new Intl.NumberFormat(locale, { maximumFractionDigits: 9, useGrouping: false }).format(value);

const part = (options, moment, type) => dateFormat(options).formatToParts(moment).find((p) => p.type === type).value;

export const clockTime = (moment) =>
  dateFormat({ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }).format(moment);
export const hourTime = (moment) => dateFormat({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(moment);
export const dayName = (moment) => dateFormat({ weekday: "short", day: "numeric", month: "short" }).format(moment);
export const dayMonth = (moment) => dateFormat({ day: "numeric", month: "short" }).format(moment);
export const dayNumber = (moment) => Number(part({ day: "numeric" }, moment, "day"));
export const hourNumber = (moment) => Number(part({ hour: "2-digit", hourCycle: "h23" }, moment, "hour"));
export const dayNameOnly = (moment) => dateFormat({ weekday: "short" }).format(moment);
export const monthName = (moment) => dateFormat({ month: "short" }).format(moment);
export const monthYear = (moment) => dateFormat({ month: "long", year: "numeric" }).format(moment);
export const monthNumber = (moment) => Number(part({ month: "numeric" }, moment, "month"));
export const yearNumber = (moment) => Number(part({ year: "numeric" }, moment, "year"));
export const minuteNumber = (moment) => Number(part({ minute: "2-digit" }, moment, "minute"));
const DAY_TIME = { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
export const dayTime = (moment) => dateFormat(DAY_TIME).format(moment);
export const dayTimes = (from, to) => dateFormat(DAY_TIME).formatRange(from, to);
const wholeDay = (moment) => dateFormat({ day: "numeric", month: "numeric", year: "numeric" }).format(moment);
export const sameDay = (one, other) => wholeDay(one) === wholeDay(other);

/** The day of a moment in the gateway's zone, as ISO 8601 writes it: 2026-11-22. */
export function zoned(moment) {
  if (!formats.has("iso")) {
    formats.set("iso", new Intl.DateTimeFormat("sv-SE", { year: "numeric", month: "2-digit", day: "2-digit", timeZone: zone }));
  }
  return formats.get("iso").format(moment);
}

/** The time of day of the quarter hour that a moment is in, as ISO 8601 writes it: 14:15. */
export function quarterTime(moment) {
  const two = (value) => String(value).padStart(2, "0");
  return `${two(hourNumber(moment))}:${two(Math.floor(minuteNumber(moment) / 15) * 15)}`;
}

/** A local time that is written 2026-11-28T14:15, or a day alone, as people write it. */
export function localTime(written) {
  const options = { day: "numeric", month: "short", ...(written.length > 10 ? { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } : {}) };
  const key = `local ${written.length > 10}`;
  if (!formats.has(key)) {
    formats.set(key, new Intl.DateTimeFormat(locale, { ...options, timeZone: "UTC" }));
  }
  return formats.get(key).format(new Date(`${written.length > 10 ? written : `${written}T00:00`}:00Z`));
}

/** An amount of money in its currency. */
export function money(amount, currency) {
  const key = `money ${currency}`;
  if (!numbers.has(key)) {
    numbers.set(key, new Intl.NumberFormat(locale, { style: "currency", currency }));
  }
  return numbers.get(key).format(amount).replace("-", "\u2212");
}

/** A moment with its day when that is not today. */
export function heardTime(moment, today) {
  return sameDay(moment, today) ? clockTime(moment) : `${dayMonth(moment)} ${clockTime(moment)}`;
}

const SPANS = [
  ["year", 31_556_952],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];

function largest(seconds) {
  const [unit, length] = SPANS.find(([, length]) => seconds >= 0.95 * length) ?? SPANS.at(-1);
  return [Math.round(seconds / length), unit];
}

/** A duration in its largest unit, or in one that is named: "3 days". */
export function span(seconds, wanted = null) {
  const [count, unit] = wanted ? [Math.round(seconds / SPANS.find(([name]) => name === wanted)[1]), wanted] : largest(seconds);
  return new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "long" }).format(count);
}

/** How long ago: "12 minutes ago". */
export function ago(seconds) {
  const [count, unit] = largest(Math.max(0, seconds));
  return new Intl.RelativeTimeFormat(locale, { numeric: "always" }).format(-count, unit);
}
