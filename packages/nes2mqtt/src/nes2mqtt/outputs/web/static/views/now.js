// The view of now: power, its last minutes and hour, the phases, the registers, energy of today and of this month.

import { get, path } from "../data/ask.js";
import { dayOf } from "../texts/calendar.js";
import { EnergyBars } from "../charts/bars.js";
import { known, running } from "../charts/buckets.js";
import { PowerChart } from "../charts/power.js";
import * as tables from "../charts/tables.js";
import { clock } from "../data/clock.js";
import { byId } from "../dom.js";
import { number } from "../texts/format.js";
import { curve, meterId, page, say } from "../page.js";
import { address } from "../router.js";
import { text } from "../texts/texts.js";
import * as cards from "./cards.js";
import { amounts, costsOf } from "./costs.js";

const place = byId("view-now");
/** Loaded where the gateway watches for something. */
let alerts = null;
const state = { meter: null, reports: {}, costs: null, flow: "" };

const chart = (id, span, title) =>
  new PowerChart({
    place: byId(`${id}-chart`),
    readout: byId(`${id}-readout`),
    empty: byId(`${id}-empty`),
    span,
    title: text(title),
    say,
  });

const energy = (id, title, span, cost) =>
  new EnergyBars({
    place: byId(`${id}-bars`),
    sums: byId(`${id}-sum`),
    empty: byId(`${id}-empty`),
    title: text(title),
    say,
    open: ({ start }) => location.assign(address(history(span, start))),
    more: (bucket) => amounts(state.costs ? cost(state.costs, bucket) : [], bucket === null || running(bucket)),
  });

function history(span, start) {
  const day = dayOf(new Date(start));
  return { meter: meterId(), view: "history", rest: span === "day" ? ["day", day] : ["month", day.slice(0, 7)] };
}

const charts = [chart("minutes", 300, "last_minutes"), chart("hour", 3600, "last_hour")];
const bars = {
  hour: energy("today", "today", "day", (costs, bucket) => (bucket ? [] : costs.of(dayOf(clock.today())))),
  day: energy("month", "this_month", "day", (costs, bucket) => (bucket ? costs.of(dayOf(new Date(bucket.start))) : costs.all)),
};

function draw() {
  const { meter } = page;
  const values = Boolean(meter) && Object.keys(meter.groups).length > 0;
  // The history is there whether the meter answers or not.
  const past = Object.values(state.reports).some((report) => report.buckets.some(known)) || curve.times.length > 0;
  const some = Boolean(meter) && (values || past) && (!page.status?.gateway.alerts || Boolean(alerts?.settled(meterId())));
  alerts?.drawAlerts(meterId());
  byId("waiting").hidden = values;
  byId("waiting").classList.toggle("brief", some);
  byId("cards").hidden = !some;
  byId("today").hidden = byId("month").hidden = !page.status?.gateway.history;
  byId("tables").hidden = !some;
  if (!some) {
    return;
  }
  cards.drawNow(meter, curve);
  cards.drawPhases(meter, page.status?.meters.find(({ id }) => id === meter.id)?.fuse ?? null);
  cards.drawTotals(meter);
  cards.drawAges(meter);
  drawCharts();
  if (byId("tables").open) {
    drawTables();
  }
  announce();
}

function drawCharts() {
  if (!byId("cards").hidden) {
    // While connected the window moves with the clock; afterwards it stays where the values end.
    const now = page.connected ? clock.now() : (curve.times.at(-1) ?? clock.now());
    charts.filter(({ place: at }) => !at.closest("section").hidden).forEach((one) => one.draw(curve, now));
  }
}

function drawTables() {
  tables.drawEnergy(byId("table-hours"), state.reports.hour, text("table_hours"));
  tables.drawEnergy(byId("table-days"), state.reports.day, text("table_days"));
  tables.drawMinutes(byId("table-minutes"), curve, clock.now());
}

/** Tell who cannot see the page what changed, but not each watt. */
function announce() {
  const power = cards.netPower(page.meter);
  const flow = power && !power.stale && page.connected !== false ? cards.flowOf(power.number) : "";
  if (flow && flow !== state.flow) {
    say(`${text(flow)}: ${number(Math.abs(power.number))} W`);
  }
  state.flow = flow;
}

/** What the window is called: the power, as long as it is known. */
function title() {
  const power = page.meter && cards.netPower(page.meter);
  if (!power || power.stale || page.connected === false) {
    return text("meter_page");
  }
  return `${power.number < 0 ? "\u2193" : "\u2191"} ${number(Math.abs(power.number))} W`;
}

async function refreshAlerts() {
  if (meterId() && page.status?.gateway.alerts) {
    alerts ??= await import("./alerts.js");
    await alerts.ask(meterId());
    draw();
  }
}

async function refresh() {
  refreshAlerts();
  const meter = meterId();
  if (state.meter !== meter) {
    Object.assign(state, { meter, reports: {}, costs: null, flow: "" });
  }
  if (!meter || !page.status?.gateway.history) {
    return;
  }
  for (const [period, chosen] of Object.entries(bars)) {
    const report = await get(path("energy", { meter, period }));
    if (meter !== meterId()) {
      return;
    }
    if (report?.problem) {
      delete state.reports[period];
      chosen.fail(text(page.status.clock.source === "none" ? "energy_no_time" : "energy_unreadable"));
    } else if (report) {
      state.reports[period] = report;
      chosen.draw(report);
    }
  }
  draw();
  if (page.status.gateway.costs && clock.today()) {
    const costs = await costsOf(meter);
    if (meter === meterId()) {
      state.costs = costs;
      redrawBars();
    }
  }
}

/** Which bar is the one of now is known with the time. */
function redrawBars() {
  Object.entries(state.reports).forEach(([period, report]) => bars[period].draw(report));
}

function show() {
  place.hidden = false;
  byId("to-wall").href = address({ meter: meterId(), view: "wall" });
  draw();
  refresh();
}

byId("tables").addEventListener("toggle", draw);

export const view = {
  place,
  title,
  show,
  draw,
  refresh,
  heard: redrawBars,
  alerted: refreshAlerts,
  tick() {
    drawCharts();
    if (page.meter) {
      cards.drawAges(page.meter);
    }
  },
  hide() {
    place.hidden = true;
  },
};
