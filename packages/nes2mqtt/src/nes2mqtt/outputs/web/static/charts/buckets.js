// What a bucket of energy is: whether it is known, what it is called, what it holds besides its own time.
// Knows nothing of drawing.

import { clock } from "../data/clock.js";
import * as format from "../texts/format.js";
import { text } from "../texts/texts.js";

const { dayMonth, dayName, dayNumber, hourNumber, hourTime, minuteNumber, number, sameDay } = format;

/** Milliseconds by which the first and last reading of a bucket may be off before that is worth a word, ... */
const SLACK = 120_000;
/** ... and the share of its length, where that is more: an hour of silence is nothing to a month. */
const SHARE = 0.002;

/** Milliseconds that the newest reading may be old. */
const NEWEST = 900_000;

/** A bar's name, what stands below it, and what it has in common with the bar of another day, month or year. */
const PERIODS = {
  quarter: {
    name: ({ start, end }) => text("hour_bar", { start: hourTime(start), end: hourTime(end) }),
    tick: ({ start }, every) => (minuteNumber(start) === 0 && hourNumber(start) % every === 0 ? twoDigits(hourNumber(start)) : ""),
    place: ({ start }) => hourTime(start),
  },
  hour: {
    name: ({ start, end }) => text("hour_bar", { start: hourTime(start), end: hourTime(end) }),
    tick: ({ start }, every) => (hourNumber(start) % every === 0 ? twoDigits(hourNumber(start)) : ""),
    place: ({ start }) => hourTime(start),
  },
  day: {
    name: ({ start }) => dayName(start),
    tick: ({ start }, every, count) => {
      if (count <= 7) {
        return format.dayNameOnly(start);
      }
      return [1, 8, 15, 22, 29].includes(dayNumber(start)) ? String(dayNumber(start)) : "";
    },
    place: ({ start }, count) => (count <= 7 ? format.dayNameOnly(start) : String(dayNumber(start))),
  },
  month: {
    name: ({ start }) => format.monthYear(start),
    tick: ({ start }, every, count) => {
      if (count > 12) {
        return format.monthNumber(start) === 1 ? String(format.yearNumber(start)) : "";
      }
      return every > 3 ? String(format.monthNumber(start)) : format.monthName(start);
    },
    place: ({ start }) => String(format.monthNumber(start)),
  },
  year: {
    name: ({ start }) => String(format.yearNumber(start)),
    tick: ({ start }) => String(format.yearNumber(start)),
    place: ({ start }) => String(format.yearNumber(start)),
  },
};

const twoDigits = (value) => String(value).padStart(2, "0");

/** Energy as people read it: fewer digits the more there is. */
export function kwh(value) {
  const size = Math.abs(value);
  return number(value, size >= 1000 ? 0 : value !== 0 && size < 10 ? 2 : 1);
}

export const known = (bucket) => bucket.import_kwh !== null || bucket.export_kwh !== null;

export function moments(bucket) {
  const date = (written) => (written ? new Date(written) : null);
  return { start: date(bucket.start), end: date(bucket.end), first: date(bucket.first), last: date(bucket.last) };
}

/**
 * What a bucket's energy is besides its own time, or where it is from: { carried, filled, imported, words }.
 * carried: it holds the energy of a gap before it; filled: the meter's load profile told a part of it later; imported: an import did.
 */
export function noteOf(bucket) {
  const { start, end, first, last } = moments(bucket);
  const today = clock.today();
  if (!known(bucket) || !first) {
    return { carried: false, words: "" };
  }
  const slack = Math.max(SLACK, (end - start) * SHARE);
  if (start - first > slack) {
    const time = (moment) => (sameDay(moment, start) ? hourTime(moment) : dayMonth(moment));
    const before = new Date(start - 1);
    const until = sameDay(first, before) || sameDay(first, start) ? "" : dayMonth(before);
    const words = until
      ? text("bar_includes_range", { from: time(first), to: until })
      : text("bar_includes", { from: time(first) });
    return { carried: true, words };
  }
  const time = (moment) => (sameDay(start, new Date(end - 1)) ? hourTime(moment) : `${dayMonth(moment)} ${hourTime(moment)}`);
  if (first - start > slack) {
    return { carried: false, words: text("bar_from", { time: time(first) }) };
  }
  if (today && end <= today && end - last > slack) {
    return { carried: false, words: text("bar_until", { time: time(last) }) };
  }
  const imported = Boolean(bucket.imported?.length);
  const filled = Boolean(bucket.filled?.length);
  return { carried: false, filled, imported, words: imported ? text("bar_imported") : filled ? text("bar_filled") : "" };
}

/** Whether a bucket holds the energy of exactly its own time, as far as it is over: only such a one may be a record. */
export const exact = (bucket) => known(bucket) && (!noteOf(bucket).words || noteOf(bucket).filled || noteOf(bucket).imported);

/** Whether a bucket is over, or has begun; true as well while nobody knows the time. */
export function begun(bucket) {
  const today = clock.today();
  return !today || moments(bucket).start <= today;
}

/** Whether a bucket is the one of now. */
export function running(bucket) {
  const today = clock.today();
  const { start, end } = moments(bucket);
  return Boolean(today) && start <= today && today < end;
}

export const nameOf = (period, bucket) => PERIODS[period].name(moments(bucket));
export const tickOf = (period, bucket, every, count) => PERIODS[period].tick(moments(bucket), every, count);

/**
 * Put the buckets of one span beside those of another by their place in the calendar: [[bucket, partner]]. What has no
 * partner stands alone, on either side: the 31st, and the hour that comes twice in autumn.
 */
export function pairs(period, buckets, others) {
  const places = (list) => {
    const seen = new Map();
    return list.map((bucket) => {
      const place = PERIODS[period].place(moments(bucket), list.length);
      seen.set(place, (seen.get(place) ?? 0) + 1);
      return `${place} ${seen.get(place)}`;
    });
  };
  const left = new Map(places(others).map((place, index) => [place, others[index]]));
  const found = places(buckets).map((place, index) => {
    const other = left.get(place) ?? null;
    left.delete(place);
    return [buckets[index], other];
  });
  return [...found, ...[...left.values()].map((other) => [null, other])];
}

/**
 * The times of a report, as far as they are over, in which nothing was heard: [{ from, to, later }], moments. later: it ended
 * some time after that, in the bucket that has the energy of all of it.
 */
export function silences({ buckets }) {
  const today = clock.today();
  const found = [];
  const add = (from, to, later) => {
    const before = found.at(-1);
    if (before && from - before.to <= SLACK) {
      Object.assign(before, { to, later });
    } else {
      found.push({ from, to, later });
    }
  };
  for (const bucket of buckets.filter(begun)) {
    const { start, end, first, last } = moments(bucket);
    const over = today && today < end ? today : end;
    const slack = Math.max(SLACK, (end - start) * SHARE);
    if (!first || !known(bucket)) {
      add(start, over, false);
      continue;
    }
    if (start - first > slack) {
      add(first > moments(buckets[0]).start ? first : moments(buckets[0]).start, start, true);
    } else if (first - start > slack) {
      add(start, first, false);
    }
    // The newest reading is seconds or minutes old while the meter answers: that is no silence.
    if (over - last > slack && !(running(bucket) && over - last < NEWEST)) {
      add(last, over, false);
    }
  }
  return found;
}
