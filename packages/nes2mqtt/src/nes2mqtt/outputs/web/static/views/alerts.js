// What needs attention: a card at the top of the view of now, there only when it has something to say. The words are the
// gateway's, in the page's language. What the banner says already, a silent meter and a refused key, is not said twice.

import { get, path } from "../data/ask.js";
import { clock } from "../data/clock.js";
import { byId, el } from "../dom.js";
import { dayTime, hourTime, sameDay, span } from "../texts/format.js";
import { page } from "../page.js";
import { language, text } from "../texts/texts.js";

const IN_BANNER = ["meter_silent", "key_refused"];
/** What is over is shown for a day. */
const LATELY = 86_400_000;
const MOST_OVER = 3;

const state = { meter: null, report: null };

/** Whether the card is as it will be, so that nothing moves when it comes. */
export const settled = (meter) => state.meter === meter;

export async function ask(meter) {
  const report = await get(path("alerts", { meter, language }));
  Object.assign(state, { meter, report: report?.problem ? null : report });
}

const raisedOf = (meter) =>
  (state.meter === meter ? (state.report?.alerts ?? []) : []).filter(({ state: how, kind }) => how === "raised" && !IN_BANNER.includes(kind));

/** What needs attention, in few words; nothing while that cannot be told. */
export const titles = (meter) => (page.connected === false ? [] : raisedOf(meter)).map(({ title }) => title);

export function drawAlerts(meter) {
  const raised = raisedOf(meter);
  const today = clock.today();
  const over = (state.meter === meter ? (state.report?.told ?? []) : [])
    .filter(({ what, time }) => what !== "raised" && what !== "test" && time && today && today - new Date(time) < LATELY)
    .slice(0, MOST_OVER);
  byId("alerts").hidden = raised.length + over.length === 0;
  byId("alerts").classList.toggle("calm", raised.length === 0);
  byId("alerts-head").hidden = byId("alerts-list").hidden = raised.length === 0;
  byId("alerts-list").replaceChildren(...raised.map((one) => raisedItem(one, today)));
  byId("alerts-over").hidden = over.length === 0;
  byId("alerts-over-title").textContent = text("alerts_over", { count: over.length });
  byId("alerts-over-list").replaceChildren(...over.map(overItem));
}

function raisedItem({ title, text: words, since, stale }, today) {
  const began = since && today ? new Date(since) : null;
  const lasts = began
    ? text("alert_since", { time: sameDay(began, today) ? hourTime(began) : dayTime(began), span: span((today - began) / 1000) })
    : "";
  return el(
    "li",
    {},
    el("b", {}, title),
    el("p", {}, words),
    el("p", { class: "muted small" }, [lasts, stale || page.connected === false ? text("alert_stale") : ""].filter(Boolean).join(" ")),
  );
}

const overItem = ({ title, text: words }) => el("li", {}, el("b", {}, title), el("p", { class: "muted small" }, words));
