// The view of all meters: how each is, its power now, its energy of today; from each a link into it. There only with several.

import { kwh } from "../charts/buckets.js";
import { get, path } from "../data/ask.js";
import { clock } from "../data/clock.js";
import { byId, el, setText } from "../dom.js";
import { page } from "../page.js";
import { address } from "../router.js";
import { addDays, dayOf } from "../texts/calendar.js";
import { number } from "../texts/format.js";
import { text, translate } from "../texts/texts.js";
import { flowOf } from "./cards.js";

/** The API tells of so many meters at once. */
const AT_ONCE = 50;
/** Seconds between two questions for the power of a few meters, and of many. */
const [OFTEN, SELDOM] = [3, 30];
const FEW = 10;
/** Milliseconds after which a question without an answer is given up. */
const PATIENCE = 12_000;

const place = byId("view-meters");
/**
 * By the meter's id: its card; its power, { watts, until }: net power in W, null when it is old or not sent, and the moment
 * (performance.now) from which it says nothing any more; energy of today.
 */
const state = { cards: new Map(), power: new Map(), energy: new Map(), asking: false, wait: 0, day: null };

function build() {
  place.append(el("h2", { class: "unseen", "data-text": "meters" }), el("ul", { id: "meters-list", class: "meters-list" }));
  translate(place);
}

function cardOf({ id }) {
  if (!state.cards.has(id)) {
    const part = (name) => el("span", { class: name });
    const link = el(
      "a",
      { class: "card meter-link" },
      part("meter-called"),
      part("meter-how"),
      el("span", { class: "meter-power" }, part("value"), part("unit")),
      part("meter-flow"),
      part("meter-today"),
    );
    state.cards.set(id, el("li", { "data-meter": id }, link));
  }
  return state.cards.get(id);
}

function wordsOf({ state: how }) {
  const gone = page.connected === false;
  return gone ? text("offline") : how === "online" ? "" : text(`state_${how}`) || text("part_title");
}

/** Power now; null when it is not known, or was told too long ago: while nobody looked, or the gateway was away. */
function powerOf(id) {
  const told = state.power.get(id);
  return told && performance.now() < told.until ? told.watts : null;
}

function drawCard(meter) {
  const card = cardOf(meter);
  const find = (name) => card.querySelector(`.${name}`);
  card.firstElementChild.href = address({ meter: meter.id, view: "now" });
  setText(find("meter-called"), meter.name);
  const trouble = wordsOf(meter);
  const watts = trouble ? null : powerOf(meter.id);
  const flow = watts === null ? "" : flowOf(watts);
  card.firstElementChild.dataset.flow = flow;
  setText(find("meter-how"), trouble || (watts === null && state.power.has(meter.id) ? text("stale_title") : ""));
  setText(find("value"), watts === null ? "" : number(Math.abs(watts)));
  setText(find("unit"), watts === null ? "" : "W");
  setText(find("meter-flow"), flow && text(flow));
  setText(find("meter-today"), todayWords(state.energy.get(meter.id)));
}

function todayWords(bucket) {
  const parts = ["import", "export"]
    .filter((direction) => bucket && (bucket[`${direction}_kwh`] ?? null) !== null && (direction === "import" || bucket.export_kwh > 0))
    .map((direction) => `${text(direction)} ${kwh(bucket[`${direction}_kwh`])}\u00a0kWh`);
  return parts.length > 0 ? `${text("today")}: ${parts.join(", ")}` : "";
}

function draw() {
  const all = page.status?.meters ?? [];
  const list = byId("meters-list");
  const cards = all.map(cardOf);
  if (list.children.length !== cards.length || cards.some((card, index) => list.children[index] !== card)) {
    list.replaceChildren(...cards);
  }
  all.forEach(drawCard);
}

/** Ask for the power of all meters; what is old, or not sent, is none. */
async function askPower() {
  if (state.asking || place.hidden) {
    return;
  }
  state.asking = true;
  const ids = (page.status?.meters ?? []).map(({ id }) => id);
  state.wait = ids.length > FEW ? SELDOM : OFTEN;
  const lasts = 2000 * state.wait + PATIENCE;
  for (let from = 0; from < ids.length; from += AT_ONCE) {
    const some = ids.slice(from, from + AT_ONCE);
    const found = await get(`api/v1/readings?${new URLSearchParams(some.map((id) => ["meter", id]))}`, PATIENCE);
    const until = performance.now() + lasts;
    for (const id of some) {
      const value = (name) => found?.readings?.find((one) => one.meter === id && one.name === name && one.quality === "good")?.value;
      const [imported, exported] = [value("active_power_import"), value("active_power_export")];
      const watts = imported === undefined && exported === undefined ? null : (imported ?? 0) - (exported ?? 0);
      state.power.set(id, { watts, until });
    }
  }
  state.asking = false;
  draw();
}

/** Ask for the energy of today, one meter after the other. */
async function askEnergy() {
  const today = clock.today();
  const day = today && dayOf(today);
  if (state.day !== day) {
    state.energy.clear();
    state.day = day;
  }
  if (!day || !page.status?.gateway.history) {
    return;
  }
  for (const { id } of page.status.meters) {
    if (place.hidden) {
      return;
    }
    const found = await get(path("energy", { meter: id, period: "day", start: day, end: addDays(day, 1) }));
    if (found && !found.problem) {
      state.energy.set(id, found.buckets[0]);
      draw();
    }
  }
}

build();

export const view = {
  place,
  title: () => text("meters"),
  show() {
    place.hidden = false;
    draw();
    askPower();
    askEnergy();
  },
  hide() {
    place.hidden = true;
  },
  draw,
  tick() {
    state.wait -= 1;
    if (state.wait <= 0) {
      askPower();
    }
    draw();
  },
  refresh() {
    askPower();
    askEnergy();
  },
};
