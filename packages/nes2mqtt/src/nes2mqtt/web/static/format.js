// Numbers and times as people here write them. Times are shown in the gateway's time zone,
// because days begin there.

import { locale } from "./texts.js";

let zone;

/** Use the gateway's time zone from now on. */
export function useZone(name) {
  zone = name;
  formats.clear();
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

export const clockTime = (moment) =>
  dateFormat({ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }).format(moment);
export const hourTime = (moment) => dateFormat({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(moment);
export const dayName = (moment) => dateFormat({ weekday: "short", day: "numeric", month: "short" }).format(moment);
export const dayNumber = (moment) => Number(dateFormat({ day: "numeric" }).formatToParts(moment).find((p) => p.type === "day").value);
export const hourNumber = (moment) => Number(dateFormat({ hour: "2-digit", hourCycle: "h23" }).formatToParts(moment).find((p) => p.type === "hour").value);

/** A moment with its day when that is not today. */
export function heardTime(moment) {
  const day = { day: "numeric", month: "short" };
  const words = clockTime(moment);
  return dateFormat(day).format(moment) === dateFormat(day).format(new Date()) ? words : `${dateFormat(day).format(moment)} ${words}`;
}
