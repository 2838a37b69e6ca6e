// What the view of the history says beside its bars: sums, the highest and lowest, what is missing, and how it compares.

import * as calendar from "../../texts/calendar.js";
import { exact, kwh, known, moments, nameOf, noteOf, silences } from "../../charts/buckets.js";
import { clock } from "../../data/clock.js";
import { dayMonth, hourTime, localTime, money, number, span as spanWords } from "../../texts/format.js";
import { text } from "../../texts/texts.js";
import { shown as shownCosts } from "../costs.js";

const DIRECTIONS = ["import", "export"];
const MOST_SILENCES = 6;
/** A share of a time that is known, from which two of them may be compared. */
const ENOUGH = 0.98;
const DAY = 86_400;
const HOUR = 3_600_000;

const amount = (value) => `${kwh(value)}\u00a0kWh`;
const of = (bucket, direction) => bucket[`${direction}_kwh`];

/** Whether all of a sum was measured, as far as its time is over. */
function sufficient({ expected_seconds: expected, known_seconds: told }) {
  return expected === null || told >= expected * ENOUGH;
}

/** The buckets that are over and hold exactly the energy of their time: one of them may be a record. */
function comparable({ buckets }) {
  const today = clock.today();
  return buckets.filter((bucket) => exact(bucket) && bucket.complete && (!today || moments(bucket).end <= today));
}

function extreme(report, direction, sign) {
  const best = (one, other) => (sign * of(other, direction) > sign * of(one, direction) ? other : one);
  const candidates = comparable(report).filter((bucket) => of(bucket, direction) !== null);
  return candidates.length > 1 ? candidates.reduce(best) : null;
}

/** The facts of a report as [term, words]; none where nothing is known. */
export function rows({ report, costs, wanted }) {
  if (!report.buckets.some(known)) {
    return [];
  }
  const { total, period } = report;
  const told = DIRECTIONS.filter((direction) => of(total, direction) !== null && (direction === "import" || of(total, direction) > 0));
  const found = told.map((direction) => [text(direction), amount(of(total, direction))]);
  found.push(...ownUse(total.own_use));
  for (const { direction, amount: cost, currency, complete } of shownCosts(costs?.all ?? [])) {
    const words = money(cost, currency);
    found.push([text(direction === "export" ? "income" : "cost"), complete ? words : text("cost_known", { amount: words })]);
  }
  for (const direction of told) {
    const most = extreme(report, direction, 1);
    if (most && of(most, direction) > 0) {
      found.push([text(`most_${direction}`), `${nameOf(period, most)}: ${amount(of(most, direction))}`]);
    }
  }
  const least = period === "day" || period === "month" ? extreme(report, "import", -1) : null;
  if (least) {
    found.push([text("least_import"), `${nameOf(period, least)}: ${amount(of(least, "import"))}`]);
  }
  const days = total.known_seconds / DAY;
  if (wanted.kind !== "day" && days >= 2 && total.import_kwh !== null && !noteOf(total).carried) {
    found.push([text("per_day"), amount(total.import_kwh / days)]);
  }
  if (!sufficient(total)) {
    found.push([text("known"), text("known_share", knownShare(total))]);
  }
  return found;
}

/** What the inverter gave and what became of it; nothing where none is heard or nothing is known. */
function ownUse(own) {
  if (!own || own.produced_kwh === null) {
    return [];
  }
  const found = [[text("produced"), amount(own.produced_kwh)]];
  if (own.self_used_kwh !== null) {
    const percent = (whole) => (whole > 0 ? `${number((own.self_used_kwh / whole) * 100)}\u00a0%` : "");
    const share = percent(own.produced_kwh);
    found.push([text("self_used"), share ? `${amount(own.self_used_kwh)} (${share})` : amount(own.self_used_kwh)]);
    found.push([text("consumed"), amount(own.consumed_kwh)], [text("self_supply"), percent(own.consumed_kwh)]);
  }
  return found.filter(([, words]) => words);
}

/** How much of a time is known, in days or in hours: { known, count }. */
function knownShare({ expected_seconds: expected, known_seconds: told }) {
  const unit = expected >= 2 * DAY ? DAY : 3600;
  const name = unit === DAY ? "day" : "hour";
  const words = (seconds) => number(seconds / unit, seconds % unit && seconds < 100 * unit ? 1 : 0);
  return { known: words(told), all: spanWords(expected, name) };
}

/** Whatever else there is to say of a report, a line each. */
export function notes({ report, wanted }) {
  const { total, buckets } = report;
  const { start, end } = moments(total);
  const found = [];
  if (wanted.kind === "day") {
    const hours = Math.round((end - start) / HOUR);
    if (hours !== 24) {
      found.push(text("day_hours", { hours: number(hours) }));
    }
  }
  const beginning = buckets.find(known);
  const first = beginning && moments(beginning).first;
  const quiet = silences(report);
  if (first && quiet[0]?.from <= moments(buckets[0]).start && !quiet[0].later) {
    quiet.shift();
    found.push(text("begins", { time: moment(first, wanted) }));
  }
  for (const { from, to, later } of quiet.slice(0, MOST_SILENCES)) {
    found.push(text(later ? "silence_later" : "silence", { from: moment(from, wanted), to: moment(to, wanted) }));
  }
  if (quiet.length > MOST_SILENCES) {
    found.push(text("silence_more", { count: quiet.length - MOST_SILENCES }));
  }
  const own = total.own_use;
  if (own?.until) {
    found.push(text("own_until", { time: moment(new Date(own.until), wanted) }));
  } else if (own && own.produced_kwh !== null && own.self_used_kwh === null) {
    found.push(text("own_unknown"));
  }
  if (buckets.some((bucket) => noteOf(bucket).carried)) {
    found.push(text("carried_hint"));
  }
  if (buckets.some((bucket) => bucket.filled?.length)) {
    found.push(text("filled_hint"));
  }
  if (buckets.some((bucket) => bucket.imported?.length)) {
    found.push(text("imported_hint"));
  }
  return found;
}

function moment(at, { kind }) {
  return kind === "day" ? hourTime(at) : `${dayMonth(at)} ${hourTime(at)}`;
}

/** How a span compares with the other, a line each; none where nothing is compared. */
export function comparison({ report, other, elapsed, wanted }) {
  if (!other) {
    return [];
  }
  const name = calendar.spanName(wanted.other, true);
  if (!other.buckets.some(known)) {
    return [text("compare_nothing", { name })];
  }
  const [own, beside] = elapsed ? [elapsed.own, elapsed.other] : [report.total, other.total];
  if (!own || !beside || own.import_kwh === null || beside.import_kwh === null) {
    return [text("compare_early", { name })];
  }
  for (const [sum, whose] of [[beside, name], [own, calendar.spanName(wanted.span, true)]]) {
    if (!sufficient(sum)) {
      return [text("compare_unequal", { name: whose, ...knownShare(sum) })];
    }
  }
  const lines = DIRECTIONS.filter((direction) => of(own, direction) || of(beside, direction)).map((direction) => {
    const values = { direction: text(direction), own: amount(of(own, direction) ?? 0), other: amount(of(beside, direction) ?? 0), name };
    const share = of(beside, direction) ? (of(own, direction) ?? 0) / of(beside, direction) - 1 : null;
    if (share === null || Math.abs(share) > 9.995) {
      return text("compare_plain", values);
    }
    const percent = Math.round(Math.abs(share) * 100);
    return text(percent === 0 ? "compare_same" : share < 0 ? "compare_less" : "compare_more", { ...values, percent: number(percent) });
  });
  if (elapsed) {
    return [...lines, text("compare_until", { one: localTime(elapsed.until), other: localTime(elapsed.otherUntil) })];
  }
  const [length, otherLength] = [own, beside].map((sum) => (moments(sum).end - moments(sum).start) / HOUR);
  if (Math.round(length) !== Math.round(otherLength)) {
    const unit = wanted.kind === "day" ? "hour" : "day";
    const words = (hours) => spanWords(Math.round(unit === "day" ? hours / 24 : hours) * (unit === "day" ? DAY : 3600), unit);
    if (words(length) !== words(otherLength)) {
      return [...lines, text("compare_lengths", { one: words(length), other: words(otherLength) })];
    }
  }
  return lines;
}
