// What the view of the history asks the gateway. Knows nothing of what is drawn.

import { get, getPast, path } from "../../data/ask.js";
import * as calendar from "../../texts/calendar.js";
import { known } from "../../charts/buckets.js";
import { clock } from "../../data/clock.js";
import { quarterTime } from "../../texts/format.js";
import { costsOf } from "../costs.js";

/** Up to so many months all of the history is shown by month, a longer one by year. */
const MOST_MONTHS = 36;
/** Days of which a bill can be asked for at once. */
const MOST_BILLED = 400;

/** Hours that are told as the highest ones. */
const MOST_PEAKS = 5;

const whole = (report) => report.total?.complete;

/** Ask for energy; about a span that is over and known, once. */
function energy(wanted, period, span, more = {}) {
  const asked = path("energy", { meter: wanted.meter, period, start: span.start, end: span.end, ...more });
  return wanted.today && span.end <= wanted.today ? getPast(asked, whole) : get(asked);
}

/** All that is known, by month or by year, without the years before the first reading. */
async function everything(wanted) {
  const trimmed = (report) => {
    const first = report.buckets.findIndex(known);
    const last = report.buckets.findLastIndex(known);
    const buckets = first < 0 ? [] : report.buckets.slice(first, last + 1);
    if (buckets.length === 0) {
      return { ...report, buckets };
    }
    const expected = buckets.reduce((sum, bucket) => sum + (bucket.expected_seconds ?? 0), 0);
    return { ...report, buckets, total: { ...report.total, start: buckets[0].start, end: buckets.at(-1).end, expected_seconds: expected } };
  };
  const months = await energy(wanted, "month", wanted.span);
  if (!months || months.problem) {
    return months;
  }
  const found = trimmed(months);
  if (found.buckets.length <= MOST_MONTHS) {
    return found;
  }
  const years = await energy(wanted, "year", wanted.span);
  return !years || years.problem ? years : trimmed(years);
}

/**
 * The sums of two spans up to the same moment of each, where the one is not over: { own, other, until, otherUntil }, the
 * moments being local times such as 2026-11-28T14:15. null where both are over, or the one has only just begun.
 */
async function elapsed(wanted) {
  const { span, other, kind, today, meter } = wanted;
  const now = clock.today();
  if (!now || !(span.start <= today && today < span.end)) {
    return null;
  }
  // Of a year whole days are compared: quarter hours of a year are much to add up.
  const time = kind === "year" ? "" : `T${quarterTime(now)}`;
  const until = `${today}${time}`;
  const day = kind === "year" ? calendar.addMonths(today, -12) : calendar.addDays(other.start, calendar.daysBetween(span.start, today));
  const otherUntil = day < other.end ? `${day}${time}` : other.end;
  if (until === span.start || until === `${span.start}T00:00`) {
    return { own: null, other: null, until, otherUntil };
  }
  const sum = async (start, end) => {
    const report = await get(path("energy", { meter, period: kind, start, end, exact: true }));
    return report && !report.problem ? report.total : null;
  };
  return { own: await sum(span.start, until), other: await sum(other.start, otherUntil), until, otherUntil };
}

/** What it cost; null where there is no bill. Bills of a year are much to add up, so they are asked for apart. */
export async function costs({ meter, kind, span, today }) {
  const end = today && span.end > today ? calendar.addDays(today, 1) : span.end;
  if (kind === "all" || span.start >= end || calendar.daysBetween(span.start, end) > MOST_BILLED) {
    return null;
  }
  const found = await costsOf(meter, span.start, end, span.end <= today);
  if (!found) {
    return null;
  }
  /** What a bar of whole days cost; nothing for an hour, of which bills do not tell. */
  const within = ({ start, end: after }) => {
    const [first, last] = [calendar.dayOf(start), calendar.dayOf(after)];
    return first === last ? [] : found.between(first, last);
  };
  return { ...found, within };
}

/**
 * What the view shows of what is wanted: { report, other, elapsed }; { problem } when the gateway says why not, null when it
 * does not answer.
 */
export async function load(wanted) {
  const { kind, span, other, by } = wanted;
  const period = kind === "day" ? by : calendar.BARS[kind];
  const [report, beside, sums] = await Promise.all([
    kind === "all" ? everything(wanted) : energy(wanted, period, span),
    other ? energy(wanted, period, other) : null,
    other ? elapsed(wanted) : null,
  ]);
  if (!report || report.problem) {
    return report;
  }
  const compared = beside && !beside.problem ? beside : null;
  return { report, other: compared, elapsed: compared ? sums : null };
}

/** The hours of a week or a month, or how those of a year compare; null for other times. */
export async function hours(wanted) {
  if (wanted.kind === "year") {
    const { meter, span, today } = wanted;
    const asked = path("patterns", { meter, start: span.start, end: span.end });
    return today && span.end <= today ? getPast(asked) : get(asked);
  }
  return wanted.kind === "week" || wanted.kind === "month" ? energy(wanted, "hour", wanted.span) : null;
}

/** The hours of a month or a year in which most was used, and the base load; null for shorter times. */
export async function peaks({ kind, meter, span, today }) {
  if (kind !== "month" && kind !== "year") {
    return null;
  }
  const asked = path("peaks", { meter, start: span.start, end: span.end, count: MOST_PEAKS });
  const found = await (today && span.end <= today ? getPast(asked) : get(asked));
  return found && !found.problem ? found : null;
}
