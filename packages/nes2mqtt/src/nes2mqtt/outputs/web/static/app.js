// The page: follows one meter and draws what it is told. Draws at most once a frame, and not at
// all while nobody can see it.

import { EnergyBars, known } from "./bars.js";
import * as cards from "./cards.js";
import { clock } from "./clock.js";
import { drawDevices } from "./devices.js";
import { byId, el, setText } from "./dom.js";
import { ago, clockTime, number, useZone } from "./format.js";
import { clockTrouble, historyTrouble, meterTrouble } from "./messages.js";
import { Curve, PowerChart } from "./power.js";
import { Stream } from "./stream.js";
import * as tables from "./tables.js";
import { language, text, translate } from "./texts.js";

const STATUS_EVERY = 15_000;
const ENERGY_EVERY = 60_000;
const DEVICES_EVERY = 60_000;
const MOST_LINKS = 8;
/** Milliseconds after which the list of outputs is asked again when this page has come or gone. */
const SOON = 1_500;

const curve = new Curve();
const page = { meter: null, status: null, sources: null, connected: null, flow: "", switchDrawn: "", reports: {} };

document.documentElement.lang = language;
if (language !== "en") {
  document.querySelector("link[rel=manifest]").href = `static/manifest.${language}.webmanifest`;
}
translate(document);

const say = (words) => setText(byId("announce"), words);
const chart = (id, span, title) =>
  new PowerChart({
    place: byId(`${id}-chart`),
    readout: byId(`${id}-readout`),
    empty: byId(`${id}-empty`),
    span,
    title: text(title),
    say,
  });
const energy = (id, title) =>
  new EnergyBars({ place: byId(`${id}-bars`), sums: byId(`${id}-sum`), empty: byId(`${id}-empty`), title: text(title), say });
const charts = [chart("minutes", 300, "last_minutes"), chart("hour", 3600, "last_hour")];
const bars = { hour: energy("today", "today"), day: energy("month", "this_month") };

const stream = new Stream({
  onMeter(meter) {
    page.meter = meter;
    if (meter.recent) {
      curve.load(meter.recent, meter.resumed);
    }
    // Which bar is the one of now is known with the time.
    Object.entries(page.reports).forEach(([period, report]) => bars[period].draw(report));
    redraw();
  },
  onChange(change) {
    Object.assign(page.meter.groups, change.groups);
    page.meter.status = change.status ?? page.meter.status;
    const present = change.groups?.present;
    if (present && present.quality === "good") {
      const { active_power_import: imported, active_power_export: exported } = present.values;
      if (imported !== undefined || exported !== undefined) {
        curve.add(present.instant, imported ?? null, exported ?? null);
      }
    }
    redraw();
  },
  onState(connected) {
    if (page.connected && !connected) {
      page.lostAt = clock.today();
    }
    if (page.connected !== true && connected) {
      // The list of outputs also counts the open pages, of which this one is now one.
      setTimeout(refreshStatus, SOON);
    }
    page.connected = connected;
    redraw();
  },
});

let asked = false;
function redraw() {
  if (!asked) {
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      draw();
    });
  }
}

function draw() {
  const { meter } = page;
  const values = Boolean(meter) && Object.keys(meter.groups).length > 0;
  // The history is there whether the meter answers or not.
  const past = Object.values(page.reports).some((report) => report.buckets.some(known)) || curve.times.length > 0;
  const some = Boolean(meter) && (values || past);
  byId("waiting").hidden = values;
  byId("waiting").classList.toggle("brief", some);
  byId("cards").hidden = !some;
  byId("today").hidden = byId("month").hidden = !page.status?.gateway.history;
  byId("readings").hidden = !values;
  byId("tables").hidden = !some;
  drawBanners();
  drawPulse();
  if (!meter) {
    return;
  }
  setText(byId("meter-name"), meter.status?.info.name || meter.id);
  cards.drawFooter(meter, page.status);
  if (!some) {
    return;
  }
  cards.drawNow(meter, curve);
  cards.drawPhases(meter);
  cards.drawTotals(meter);
  cards.drawAges(meter);
  drawCharts();
  if (byId("readings").open) {
    drawReadings();
  }
  if (byId("tables").open) {
    drawTables();
  }
  announce();
}

/** What goes on without news: the window of the charts, and the ages of what is old. */
function tick() {
  drawCharts();
  if (page.meter && document.visibilityState === "visible") {
    cards.drawAges(page.meter);
    drawPulse();
  }
}

function drawCharts() {
  if (document.visibilityState === "visible" && !byId("cards").hidden) {
    // While connected the window moves with the clock; afterwards it stays where the values end.
    const now = page.connected ? clock.now() : (curve.times.at(-1) ?? clock.now());
    charts.filter(({ place }) => !place.closest("section").hidden).forEach((chart) => chart.draw(curve, now));
  }
}

function drawTables() {
  tables.drawEnergy(byId("table-hours"), page.reports.hour);
  tables.drawEnergy(byId("table-days"), page.reports.day);
  tables.drawMinutes(byId("table-minutes"), curve, clock.now());
}

function banner(id, { title, words }) {
  byId(id).hidden = !(title || words);
  setText(byId(`${id}-title`), title);
  setText(byId(`${id}-text`), words);
}

function drawBanners() {
  const lost = page.connected === false;
  const lostWords = () =>
    page.lostAt ? text("lost_text", { time: clockTime(page.lostAt) }) : text("lost_text_undated");
  banner("banner", lost ? { title: text("lost_title"), words: page.meter ? lostWords() : "" } : meterTrouble(page.meter));
  banner("clock-banner", lost ? {} : clockTrouble(page.status?.meters ?? []));
  banner("history-banner", lost ? {} : historyTrouble(page.status?.outputs ?? []));
  document.body.classList.toggle("lost", lost);
}

function isFresh() {
  const groups = page.meter ? Object.values(page.meter.groups) : [];
  return Boolean(page.connected) && groups.length > 0 && groups.every((group) => group.quality === "good");
}

function drawPulse() {
  const { meter, connected } = page;
  const groups = meter ? Object.values(meter.groups) : [];
  const fresh = isFresh();
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

/** Tell who cannot see the page what changed, but not each watt. */
function announce() {
  const power = cards.netPower(page.meter);
  if (!power) {
    document.title = text("meter_page");
    return;
  }
  const flow = cards.flowOf(power.number);
  const watts = number(Math.abs(power.number));
  if (power.stale || page.connected === false) {
    document.title = text("meter_page");
    page.flow = "";
    return;
  }
  document.title = `${power.number < 0 ? "\u2193" : "\u2191"} ${watts} W`;
  if (flow !== page.flow) {
    page.flow = flow;
    say(`${text(flow)}: ${watts} W`);
  }
}

/** Ask the gateway: the answer; null when there was none; { problem } when it says why it has none. */
async function get(path) {
  const response = await fetch(path, { headers: { Accept: "application/json" }, cache: "no-store" }).catch(() => null);
  if (response?.status === 401) {
    location.assign("login");
  }
  if (!response || response.status === 401) {
    return null;
  }
  return response.ok ? response.json() : { problem: await response.json().catch(() => ({})) };
}

async function refreshStatus() {
  const status = await get("api/v1/status");
  if (!status || status.problem) {
    return;
  }
  if (page.status && page.status.gateway.version !== status.gateway.version) {
    location.reload();
  }
  page.status = status;
  clock.trouble = status.clock;
  useZone(status.gateway.timezone);
  byId("logout").hidden = !status.gateway.login;
  choose(status.meters);
  redraw();
}

/** Follow the meter named in the address, or the first; offer the others. */
function choose(meters) {
  const wanted = decodeURIComponent(location.hash.slice(1));
  const chosen = meters.find(({ id }) => id === wanted) ?? meters[0];
  if (chosen && stream.meter !== chosen.id) {
    curve.clear();
    page.meter = null;
    page.flow = "";
    page.reports = {};
    stream.follow(chosen.id);
    drawDevices([]);
    refreshEnergy();
    refreshDevices();
  }
  drawSwitch(meters, chosen);
}

/** Links for a few meters, a list for many. Drawn anew only when something differs, to leave the focus alone. */
function drawSwitch(meters, chosen) {
  const nav = byId("meters");
  nav.hidden = meters.length < 2;
  byId("meter-name").classList.toggle("unseen", !nav.hidden);
  const drawn = JSON.stringify([chosen?.id, meters.map(({ id, name, state }) => [id, name, state])]);
  if (nav.hidden || drawn === page.switchDrawn) {
    return;
  }
  page.switchDrawn = drawn;
  const address = (id) => `#${encodeURIComponent(id)}`;
  const current = (id, attribute) => (id === chosen.id ? attribute : {});
  if (meters.length > MOST_LINKS) {
    const list = el("select", { "aria-label": text("meter") });
    list.append(...meters.map(({ id, name }) => el("option", { value: address(id), ...current(id, { selected: "" }) }, name)));
    list.addEventListener("change", () => location.assign(list.value));
    nav.replaceChildren(list);
  } else {
    const mark = (state) => (state === "online" ? {} : { class: "old" });
    nav.replaceChildren(
      ...meters.map(({ id, name, state }) =>
        el("a", { href: address(id), ...mark(state), ...current(id, { "aria-current": "page" }) }, name),
      ),
    );
  }
}

async function refreshEnergy() {
  if (document.visibilityState !== "visible" || !stream.meter || !page.status?.gateway.history) {
    return;
  }
  const { meter } = stream;
  for (const [period, place] of Object.entries(bars)) {
    const report = await get(`api/v1/energy?meter=${encodeURIComponent(meter)}&period=${period}`);
    if (meter !== stream.meter) {
      return;
    }
    if (report?.problem) {
      delete page.reports[period];
      place.fail(text(page.status.clock.source === "none" ? "energy_no_time" : "energy_unreadable"));
    } else if (report) {
      page.reports[period] = report;
      place.draw(report);
    }
  }
  redraw();
}

/** The devices behind the meter. They change once an hour or less often, so they are asked for and not sent. */
async function refreshDevices() {
  const { meter } = stream;
  if (document.visibilityState !== "visible" || !meter) {
    return;
  }
  const devices = await get(`api/v1/devices?meter=${encodeURIComponent(meter)}`);
  if (meter === stream.meter && Array.isArray(devices)) {
    drawDevices(devices);
  }
}

async function drawReadings() {
  for (const [id, period] of [["csv-hours", "hour"], ["csv-days", "day"]]) {
    byId(id).hidden = !page.status?.gateway.history;
    byId(id).href = `api/v1/energy.csv?meter=${encodeURIComponent(page.meter.id)}&period=${period}`;
  }
  if (!page.sources) {
    page.sources = new Map();
    const list = await get("api/v1/sources");
    page.sources = new Map((Array.isArray(list) ? list : []).map((source) => [source.name, source]));
  }
  cards.drawReadings(page.meter, page.sources);
}

byId("readings").addEventListener("toggle", redraw);
byId("tables").addEventListener("toggle", redraw);
addEventListener("hashchange", () => page.status && choose(page.status.meters));
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") {
    redraw();
    refreshStatus();
    refreshEnergy();
    refreshDevices();
  }
});
setInterval(tick, 1000);
setInterval(() => document.visibilityState === "visible" && refreshStatus(), STATUS_EVERY);
setInterval(refreshEnergy, ENERGY_EVERY);
setInterval(refreshDevices, DEVICES_EVERY);
refreshStatus().then(() => {
  if (!page.status || !page.status.meters.length) {
    byId("waiting").hidden = false;
    const again = setInterval(async () => {
      await refreshStatus();
      if (page.status?.meters.length) {
        clearInterval(again);
      }
    }, 2000);
  }
});
