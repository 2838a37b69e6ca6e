// What happened to the meter, by its own logs: the newest first, more of it on demand.

import { get, path } from "../../data/ask.js";
import { byId, el } from "../../dom.js";
import { dayTime, number, span } from "../../texts/format.js";
import { text } from "../../texts/texts.js";

const PAGE = 20;
/** Events that the standard names, so that their names can be translated (ANSI C12.19, table 72 in the meter's own form). */
const NAMED = [1, 2];

const state = { meter: null, shown: [], next: null };

function nameOf({ kind, event, name }) {
  if (kind === "outage") {
    return text("event_outage");
  }
  return (NAMED.includes(event) && text(`event_${event}`)) || name || text("event_number", { number: event });
}

function details({ kind, seconds, end, who, user, argument }) {
  const words = [];
  if (kind === "outage") {
    words.push(seconds === null ? "" : text("outage_lasted", { span: span(seconds) }), end ? text("outage_until", { time: dayTime(new Date(end)) }) : "");
  } else {
    words.push(who && who !== "nobody" ? text(`who_${who}`, { user: user === null ? "" : number(user) }) : "", /[^0]/.test(argument) ? text("event_argument", { argument }) : "");
  }
  return words.filter(Boolean).join(" \u00b7 ");
}

function draw() {
  byId("events-card").hidden = state.shown.length === 0;
  byId("events").replaceChildren(
    ...state.shown.map((one) => {
      const more = details(one);
      return el(
        "tr",
        one.kind === "outage" ? { class: "outage" } : {},
        el("td", { class: "when" }, one.time ? dayTime(new Date(one.time)) : text("time_unknown")),
        // On a narrow screen details stand below the name, not beside it.
        el("th", { scope: "row" }, nameOf(one), el("span", { class: "below" }, more)),
        el("td", { class: "muted" }, more),
      );
    }),
  );
  byId("events-more").hidden = state.next === null;
}

async function page(before) {
  const { meter } = state;
  const kind = byId("events-kind").value || null;
  const found = await get(path("events", { meter, kind, before, limit: PAGE }));
  if (meter !== state.meter || !found || found.problem) {
    return;
  }
  state.shown = before === null ? found.events : [...state.shown, ...found.events];
  state.next = found.next;
  draw();
  if (before === null && kind) {
    byId("events-card").hidden = false;
  }
}

/** Show the newest entries of a meter; those that were asked for besides stay while there is nothing new. */
export async function drawEvents(meter) {
  if (state.meter !== meter) {
    Object.assign(state, { meter, shown: [], next: null });
    draw();
  }
  const kind = byId("events-kind").value || null;
  const newest = await get(path("events", { meter, kind, limit: 1 }));
  if (meter === state.meter && newest && !newest.problem && newest.events[0]?.number !== state.shown[0]?.number) {
    await page(null);
  }
}

/** Take the events' card into use. */
export function listen() {
  byId("events-more").addEventListener("click", () => page(state.next));
  byId("events-kind").addEventListener("change", () => page(null));
}
