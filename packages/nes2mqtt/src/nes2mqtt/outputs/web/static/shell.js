// What stands around every view: the meter's name, the switch between meters, the links to the views, whether what is
// shown is fresh, and what is wrong.

import { clock } from "./data/clock.js";
import { byId, el, setText } from "./dom.js";
import { ago, clockTime, dayTime } from "./texts/format.js";
import { clockTrouble, historyTrouble, meterTrouble } from "./texts/messages.js";
import { page } from "./page.js";
import { address } from "./router.js";
import { text } from "./texts/texts.js";

const MOST_LINKS = 8;
const LINKS = ["now", "history", "meter"];

let meters = "";
let links = "";

export function draw() {
  drawBanners();
  drawPulse();
  drawLinks();
  if (page.status && page.route?.meter) {
    drawSwitch(page.status.meters);
  }
  if (page.meter) {
    setText(byId("meter-name"), page.meter.status?.info.name || page.meter.id);
  }
}

export function tick() {
  if (page.meter) {
    drawPulse();
  }
}

function banner(id, { title, words }) {
  byId(id).hidden = !(title || words);
  setText(byId(`${id}-title`), title);
  setText(byId(`${id}-text`), words);
}

function drawBanners() {
  const away = page.connected === false && !page.status;
  const lost = page.connected === false && !away;
  byId("away").hidden = !away;
  if (away) {
    setText(byId("meter-name"), text("meter_page"));
    setText(byId("away-title"), page.lostAt ? text("away_since", { time: dayTime(page.lostAt) }) : text("offline"));
  }
  const lostWords = () =>
    page.lostAt ? text("lost_text", { time: clockTime(page.lostAt) }) : text("lost_text_undated");
  banner("banner", lost ? { title: text("lost_title"), words: page.meter ? lostWords() : "" } : page.route?.view === "meters" ? {} : meterTrouble(page.meter));
  banner("clock-banner", lost ? {} : clockTrouble(page.status?.meters ?? []));
  banner("history-banner", lost ? {} : historyTrouble(page.status?.outputs ?? []));
  document.body.classList.toggle("lost", lost);
}

function drawPulse() {
  const { meter, connected } = page;
  const groups = meter ? Object.values(meter.groups) : [];
  const fresh = Boolean(connected) && groups.length > 0 && groups.every((group) => group.quality === "good");
  byId("pulse").hidden = connected !== false && groups.length === 0;
  byId("pulse").className = `pulse ${fresh ? "fresh" : "old"}`;
  const newest = [...groups].sort((one, other) => one.instant - other.instant).at(-1);
  let words = "";
  if (connected === false) {
    words = text("offline");
  } else if (newest && fresh) {
    const date = clock.date(newest.instant);
    words = date ? `${text("live")}  ${clockTime(date)}` : text("live");
  } else if (newest) {
    words = text("last_heard_age", { age: ago(clock.now() - newest.instant) });
  }
  setText(byId("pulse-text"), words);
}

/** The links to the views. That of the meter has a mark while an output of the gateway is in trouble. */
function drawLinks() {
  if (!page.route?.meter) {
    return;
  }
  const trouble = page.status.outputs.some(({ ok }) => !ok);
  const drawn = JSON.stringify([page.route.meter, page.route.view, trouble]);
  if (drawn === links) {
    return;
  }
  links = drawn;
  byId("to-settings").hidden = false;
  for (const view of [...LINKS, "settings"]) {
    const link = byId(`to-${view}`);
    link.href = address({ meter: page.route.meter, view });
    link.toggleAttribute("aria-current", page.route.view === view);
    if (page.route.view === view) {
      link.setAttribute("aria-current", "page");
    }
  }
  byId("to-meter").classList.toggle("old", trouble);
  if (trouble) {
    byId("to-meter").setAttribute("aria-label", text("view_trouble", { view: text("view_meter") }));
  } else {
    byId("to-meter").removeAttribute("aria-label");
  }
  byId("views").hidden = false;
}

/** Links for a few meters, a list for many. Drawn anew only when something differs, to leave the focus alone. */
function drawSwitch(all) {
  const nav = byId("meters");
  nav.hidden = all.length < 2;
  byId("meter-name").classList.toggle("unseen", !nav.hidden);
  const { meter: chosen, view } = page.route;
  const drawn = JSON.stringify([chosen, view, all.map(({ id, name, state }) => [id, name, state])]);
  if (nav.hidden || drawn === meters) {
    return;
  }
  meters = drawn;
  const overview = view === "meters";
  const to = (id) => address({ meter: id, view: overview ? "now" : view });
  const everyone = { to: address({ meter: chosen, view: "meters" }), name: text("meters_all") };
  const current = (id, attribute) => (id === chosen && !overview ? attribute : {});
  if (all.length > MOST_LINKS) {
    const list = el("select", { "aria-label": text("meter") });
    list.append(el("option", { value: everyone.to, ...(overview ? { selected: "" } : {}) }, everyone.name));
    list.append(...all.map(({ id, name }) => el("option", { value: to(id), ...current(id, { selected: "" }) }, name)));
    list.addEventListener("change", () => location.assign(list.value));
    nav.replaceChildren(list);
  } else {
    const mark = (state) => (state === "online" ? {} : { class: "old" });
    nav.replaceChildren(
      el("a", { href: everyone.to, ...(overview ? { "aria-current": "page" } : {}) }, everyone.name),
      ...all.map(({ id, name, state }) => el("a", { href: to(id), ...mark(state), ...current(id, { "aria-current": "page" }) }, name)),
    );
  }
}
