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

const part = (options, moment, type) => dateFormat(options).formatToParts(moment).find((p) => p.type === type).value;

export const clockTime = (moment) =>
  dateFormat({ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }).format(moment);
export const hourTime = (moment) => dateFormat({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(moment);
export const dayName = (moment) => dateFormat({ weekday: "short", day: "numeric", month: "short" }).format(moment);
export const dayMonth = (moment) => dateFormat({ day: "numeric", month: "short" }).format(moment);
export const dayNumber = (moment) => Number(part({ day: "numeric" }, moment, "day"));
export const hourNumber = (moment) => Number(part({ hour: "2-digit", hourCycle: "h23" }, moment, "hour"));
const wholeDay = (moment) => dateFormat({ day: "numeric", month: "numeric", year: "numeric" }).format(moment);
export const sameDay = (one, other) => wholeDay(one) === wholeDay(other);

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

/** A duration in its largest unit: "3 days". */
export function span(seconds) {
  const [count, unit] = largest(seconds);
  return new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "long" }).format(count);
}

/** How long ago: "12 minutes ago". */
export function ago(seconds) {
  const [count, unit] = largest(Math.max(0, seconds));
  return new Intl.RelativeTimeFormat(locale, { numeric: "always" }).format(-count, unit);
}
