// What needs attention: a card at the top of the view of now, there only when it has something to say. The words are the
// gateway's, in the page's language. What the banner says already, a silent meter and a refused key, is not said twice.

import { get, path } from "../data/ask.js";
import { clock } from "../data/clock.js";
import { byId, el } from "../dom.js";
import { dayTime, span } from "../texts/format.js";
import { language, text } from "../texts/texts.js";

const IN_BANNER = ["meter_silent", "key_refused"];
/** What is over is shown for a day. */
const LATELY = 86_400_000;
const MOST_OVER = 3;

const state = { meter: null, report: null };

/** Whether the card is as it will be, so that nothing moves when it comes. */
export const settled = (status, meter) => !status?.gateway.alerts || state.meter === meter;

export async function ask(meter) {
  const report = await get(path("alerts", { meter, language }));
  Object.assign(state, { meter, report: report?.problem ? null : report });
}

export function drawAlerts(meter) {
  const report = state.meter === meter ? state.report : null;
  const raised = (report?.alerts ?? []).filter(({ state: how, kind }) => how === "raised" && !IN_BANNER.includes(kind));
  const today = clock.today();
  const over = (report?.told ?? [])
    .filter(({ what, time }) => what !== "raised" && what !== "test" && time && today && today - new Date(time) < LATELY)
    .slice(0, MOST_OVER);
  byId("alerts").hidden = raised.length + over.length === 0;
  byId("alerts").classList.toggle("calm", raised.length === 0);
  byId("alerts-title").textContent = text(raised.length ? "alerts" : "alerts_over");
  byId("alerts-list").replaceChildren(...raised.map((one) => raisedItem(one, today)), ...over.map(overItem));
}

function raisedItem({ title, text: words, since, stale }, today) {
  const lasts = since && today ? text("alert_since", { time: dayTime(new Date(since)), span: span((today - new Date(since)) / 1000) }) : "";
  return el(
    "li",
    { class: "raised" },
    el("b", {}, title),
    el("p", {}, words),
    el("p", { class: "muted small" }, [lasts, stale ? text("alert_stale") : ""].filter(Boolean).join(" ")),
  );
}

function overItem({ title, text: words, what }) {
  return el("li", { class: what === "happened" ? "happened" : "over" }, el("b", {}, title), el("p", { class: "muted small" }, words));
}
