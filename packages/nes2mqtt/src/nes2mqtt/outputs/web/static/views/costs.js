// What energy cost, as the gateway's bills tell it. Amounts of several contracts in one currency are put together: what is
// paid, and what is got for energy given. Knows no contract and calculates no price.

import { get, getPast, path } from "../data/ask.js";
import { el } from "../dom.js";
import { money } from "../texts/format.js";
import { text } from "../texts/texts.js";

const DIRECTIONS = ["import", "export"];

/** Add amounts up by currency and direction: [{ currency, direction, amount, complete }], what is paid first. */
function added(parts) {
  const sums = new Map();
  for (const { currency, direction, amount, complete } of parts) {
    const key = `${direction} ${currency}`;
    const sum = sums.get(key) ?? { currency, direction, amount: 0, complete: true };
    sums.set(key, { ...sum, amount: sum.amount + amount, complete: sum.complete && complete });
  }
  return [...sums.values()].sort((one, other) => DIRECTIONS.indexOf(one.direction) - DIRECTIONS.indexOf(other.direction));
}

const priced = (bill) => bill.pending_quarters === 0 && bill.unmeasured_quarters === 0;

/**
 * The costs of a meter from a day up to another, of this month without them: { all, of(day), between(first, after), bills };
 * null where there are none. All but bills are lists as amounts() takes them. past: the time is over, so it is asked once.
 */
export async function costsOf(meter, first = null, after = null, past = false) {
  const asked = path("costs", { meter, first, after });
  const report = await (past ? getPast(asked, ({ bills }) => bills.every(priced)) : get(asked));
  if (!report || report.problem || report.bills.length === 0) {
    return null;
  }
  const { bills } = report;
  const days = new Map();
  for (const { currency, direction, days: billed } of bills) {
    for (const { day, gross, complete } of billed) {
      days.set(day, [...(days.get(day) ?? []), { currency, direction, amount: gross, complete }]);
    }
  }
  const whole = bills.map((bill) => ({
    currency: bill.currency,
    direction: bill.direction,
    amount: bill.gross,
    complete: priced(bill),
  }));
  const between = (one, other) => added([...days].flatMap(([day, parts]) => (one <= day && day < other ? parts : [])));
  return { bills, all: added(whole), of: (day) => added(days.get(day) ?? []), between };
}

/** Those amounts that are worth telling: not that nothing was got for nothing given. */
export const shown = (list) => list.filter(({ direction, amount }) => direction === "import" || amount !== 0);

/**
 * Amounts as elements: what was paid, and what was got with its word. One of which a part is not known yet says so, unless
 * its time is running: then that goes without saying.
 */
export function amounts(list, running = false) {
  return shown(list).map(({ currency, direction, amount, complete }) => {
    const words = money(amount, currency);
    const told = complete || running ? words : text("cost_known", { amount: words });
    return el("span", { class: "money", "data-value": String(amount) }, direction === "export" ? text("cost_income", { amount: told }) : told);
  });
}
