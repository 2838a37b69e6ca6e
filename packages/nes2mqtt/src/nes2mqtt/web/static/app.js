// The page: follows one meter and draws what it is told. Draws at most once a frame, and not at
// all while nobody can see it.

import { EnergyBars } from "./bars.js";
import * as cards from "./cards.js";
import { byId, el, setText } from "./dom.js";
import { clockTime, heardTime, number, useZone } from "./format.js";
import { Curve, PowerChart } from "./power.js";
import { Stream } from "./stream.js";
import { language, text, translate } from "./texts.js";

const STATUS_EVERY = 15_000;
const ENERGY_EVERY = 60_000;
const MOST_LINKS = 8;

const curve = new Curve();
const page = { meter: null, status: null, sources: null, connected: null, flow: "", clockOffset: 0, switchDrawn: "" };

document.documentElement.lang = language;
translate(document);

const charts = [
  new PowerChart(byId("minutes-chart"), byId("minutes-readout"), 300, text("last_minutes")),
  new PowerChart(byId("hour-chart"), byId("hour-readout"), 3600, text("last_hour")),
];
const bars = {
  hour: new EnergyBars(byId("today-bars"), byId("today-sum")),
  day: new EnergyBars(byId("month-bars"), byId("month-sum")),
};

const stream = new Stream({
  onMeter(meter) {
    page.clockOffset = Date.parse(meter.now) - Date.now();
    page.meter = meter;
    curve.load(meter.recent, meter.resumed);
    redraw();
  },
  onChange(change) {
    page.clockOffset = Date.parse(change.now) - Date.now();
    Object.assign(page.meter.groups, change.groups);
    page.meter.status = change.status ?? page.meter.status;
    page.meter.now = change.now;
    const present = change.groups?.present;
    if (present && present.quality === "good") {
      const { active_power_import: imported, active_power_export: exported } = present.values;
      if (imported !== undefined || exported !== undefined) {
        curve.add(Date.parse(present.received) / 1000, imported ?? null, exported ?? null);
      }
    }
    redraw();
  },
  onState(connected) {
    if (page.connected && !connected) {
      page.lostAt = new Date();
    }
    if (page.connected === false && connected) {
      refreshStatus();
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
  const some = meter && Object.keys(meter.groups).length > 0;
  byId("waiting").hidden = Boolean(some);
  byId("cards").hidden = !some;
  byId("readings").hidden = !some;
  drawBanner();
  drawPulse();
  if (!meter) {
    return;
  }
  setText(byId("meter-name"), meter.status?.info.name || meter.id);
  cards.drawFooter(meter, page.status);
  if (!some) {
    return;
  }
  cards.drawNow(meter);
  cards.drawPhases(meter);
  cards.drawTotals(meter);
  cards.drawAges(meter);
  drawCharts();
  if (byId("readings").open) {
    drawReadings();
  }
  announce();
}

function drawCharts() {
  if (document.visibilityState === "visible" && !byId("minutes").hidden) {
    // While connected the window moves with the clock; afterwards it stays where the values end.
    const now = page.connected ? Date.now() + page.clockOffset : (curve.times.at(-1) ?? 0) * 1000;
    charts.forEach((chart) => chart.draw(curve, now / 1000));
  }
}

/** Drop what the title has said already: "the meter refuses the key: ask ..." becomes "Ask ...". */
function withoutTitle(words, title) {
  const lead = `${title.replace(/\.$/, "").toLowerCase()}: `;
  const rest = words.toLowerCase().startsWith(lead) ? words.slice(lead.length) : words;
  return rest.charAt(0).toUpperCase() + rest.slice(1);
}

function drawBanner() {
  const { meter } = page;
  let title = "";
  let words = "";
  if (page.connected === false) {
    title = text("lost_title");
    words = page.lostAt ? text("lost_text", { time: clockTime(page.lostAt) }) : "";
  } else if (meter?.status && (meter.status.message || text(`state_${meter.status.state}`)) && meter.status.state !== "starting") {
    title = text(`state_${meter.status.state}`);
    words = withoutTitle(meter.status.message, title);
  } else if (meter && Object.values(meter.groups).some((group) => group.quality !== "good")) {
    title = text("stale_title");
    words = text("stale_text");
  }
  byId("banner").hidden = !(title || words);
  setText(byId("banner-title"), title);
  setText(byId("banner-text"), words);
  document.body.classList.toggle("lost", page.connected === false);
}

function drawPulse() {
  const { meter, connected } = page;
  const groups = meter ? Object.values(meter.groups) : [];
  const fresh = connected && groups.length > 0 && groups.every((group) => group.quality === "good");
  byId("pulse").hidden = connected !== false && groups.length === 0;
  byId("pulse").className = `pulse ${fresh ? "fresh" : "old"}`;
  const newest = groups.map((group) => group.received).sort().at(-1);
  let words = "";
  if (connected === false) {
    words = text("offline");
  } else if (newest) {
    words = fresh ? `${text("live")}  ${clockTime(new Date(newest))}` : text("last_heard", { time: heardTime(new Date(newest)) });
  }
  setText(byId("pulse-text"), words);
}

/** Tell who cannot see the page what changed, but not each watt. */
function announce() {
  const power = cards.netPower(page.meter);
  if (!power) {
    return;
  }
  const flow = cards.flowOf(power.number);
  const watts = number(Math.abs(power.number));
  document.title = `${power.number < 0 ? "\u2193" : "\u2191"} ${watts} W`;
  if (flow !== page.flow) {
    page.flow = flow;
    setText(byId("announce"), `${text(flow)}: ${watts} W`);
  }
}

async function get(path) {
  const response = await fetch(path, { headers: { Accept: "application/json" }, cache: "no-store" });
  if (response.status === 401) {
    location.assign("login");
  }
  return response.ok ? response.json() : null;
}

async function refreshStatus() {
  const status = await get("api/v1/status").catch(() => null);
  if (!status) {
    return;
  }
  if (page.status && page.status.gateway.version !== status.gateway.version) {
    location.reload();
  }
  page.status = status;
  useZone(status.gateway.timezone);
  byId("logout").hidden = !status.gateway.login;
  byId("today").hidden = byId("month").hidden = !status.gateway.history;
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
    stream.follow(chosen.id);
    refreshEnergy();
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
  const meter = encodeURIComponent(stream.meter);
  for (const [period, place] of Object.entries(bars)) {
    const report = await get(`api/v1/energy?meter=${meter}&period=${period}`).catch(() => null);
    if (report && report.meter === stream.meter) {
      place.draw(report);
    }
  }
}

async function drawReadings() {
  for (const [id, period] of [["csv-hours", "hour"], ["csv-days", "day"]]) {
    byId(id).hidden = !page.status?.gateway.history;
    byId(id).href = `api/v1/energy.csv?meter=${encodeURIComponent(page.meter.id)}&period=${period}`;
  }
  if (!page.sources) {
    page.sources = new Map();
    const list = await get("api/v1/sources").catch(() => null);
    page.sources = new Map((list ?? []).map((source) => [source.name, source]));
  }
  cards.drawReadings(page.meter, page.sources);
}

byId("readings").addEventListener("toggle", redraw);
addEventListener("hashchange", () => page.status && choose(page.status.meters));
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") {
    redraw();
    refreshStatus();
    refreshEnergy();
  }
});
setInterval(drawCharts, 1000);
setInterval(() => document.visibilityState === "visible" && refreshStatus(), STATUS_EVERY);
setInterval(refreshEnergy, ENERGY_EVERY);
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
