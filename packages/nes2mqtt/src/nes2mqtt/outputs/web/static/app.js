// The page: follows one meter, and shows the view that the address names. Draws at most once a frame, and not at all
// while nobody can see it.

import { get } from "./data/ask.js";
import { keepPage, lastHeard, noteHeard } from "./data/away.js";
import { clock } from "./data/clock.js";
import { byId } from "./dom.js";
import { useZone } from "./texts/format.js";
import { curve, page } from "./page.js";
import { parse } from "./router.js";
import * as shell from "./shell.js";
import { Stream } from "./data/stream.js";
import { language, text, translate } from "./texts/texts.js";

const STATUS_EVERY = 15_000;
const REFRESH_EVERY = 60_000;
/** Milliseconds after which the list of outputs is asked again when this page has come or gone. */
const SOON = 1_500;

document.documentElement.lang = language;
if (language !== "en") {
  document.querySelector("link[rel=manifest]").href = `static/install/manifest.${language}.webmanifest`;
}
translate(document);

/**
 * The view that is shown. Each is a module of the folder views, loaded when it is first wanted, with an object:
 * place: its element; title(): what the window is called; show(moved): it shall be seen, or its address changed;
 * hide(); draw(): something was heard; heard(): all of the meter was; tick(): a second has gone by;
 * happened(): the meter's logs have something new; alerted(): what needs attention changed; refresh(): a minute has gone by, so ask what is asked for and not sent.
 */
let view = null;

const stream = new Stream({
  onMeter(meter) {
    page.meter = meter;
    if (meter.recent) {
      curve.load(meter.recent, meter.resumed);
    }
    view?.heard?.();
    redraw();
  },
  onChange(change) {
    Object.assign(page.meter.groups, change.groups);
    page.meter.status = change.status ?? page.meter.status;
    page.meter.production = change.production;
    const present = change.groups?.present;
    if (present && present.quality === "good") {
      const { active_power_import: imported, active_power_export: exported } = present.values;
      if (imported !== undefined || exported !== undefined) {
        curve.add(present.instant, imported ?? null, exported ?? null);
      }
    }
    redraw();
  },
  onEvents() {
    view?.happened?.();
  },
  onAlerts() {
    view?.alerted?.();
  },
  onState(connected) {
    if (page.connected && !connected) {
      page.lostAt = clock.today();
      noteHeard(page.lostAt, page.status?.gateway.timezone);
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
  shell.draw();
  view?.draw();
  document.title = view?.title() ?? text("meter_page");
}

/** What goes on without news: the window of the charts, and the ages of what is old. */
function tick() {
  if (document.visibilityState === "visible") {
    shell.tick();
    view?.tick?.();
  }
}

async function refreshStatus() {
  const status = await get("api/v1/status", STATUS_EVERY);
  if (!status || status.problem) {
    if (!status && !page.status) {
      openAway();
    }
    return;
  }
  if (page.status && page.status.gateway.version !== status.gateway.version) {
    location.reload();
  }
  const first = !page.status;
  if (first) {
    Object.assign(page, { connected: null, lostAt: null });
  }
  page.status = status;
  clock.trouble = status.clock;
  useZone(status.gateway.timezone);
  noteHeard(clock.today(), status.gateway.timezone);
  byId("logout").hidden = !status.gateway.login;
  if (first || !page.route?.meter) {
    await go(false);
  }
  redraw();
}

/** The page came without the gateway: say since when, and show no value. */
function openAway() {
  const last = lastHeard();
  if (last) {
    useZone(last.zone);
  }
  Object.assign(page, { connected: false, lostAt: last?.date ?? null });
  redraw();
}

/** Show what the address names. moved: somebody went there, so the focus goes along. */
async function go(moved) {
  if (!page.status) {
    return;
  }
  const route = parse(location.hash, page.status.meters);
  const elsewhere = view !== null && (page.route.view !== route.view || page.route.meter !== route.meter);
  page.route = route;
  if (route.meter && stream.meter !== route.meter) {
    curve.clear();
    page.meter = null;
    stream.follow(route.meter);
  }
  const { view: wanted } = await import(`./views/${route.view}.js`);
  if (page.route !== route) {
    return;
  }
  if (view && view !== wanted) {
    view.hide();
  }
  view = wanted;
  document.body.dataset.view = route.view;
  view.show(moved);
  if (moved && elsewhere) {
    scrollTo(0, 0);
    byId("main").focus({ preventScroll: true });
  }
  redraw();
}

const refresh = () => document.visibilityState === "visible" && view?.refresh?.();

byId("skip").addEventListener("click", () => byId("main").focus());
addEventListener("hashchange", () => go(true));
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") {
    redraw();
    refreshStatus();
    refresh();
  }
});
keepPage();
setInterval(tick, 1000);
setInterval(() => document.visibilityState === "visible" && refreshStatus(), STATUS_EVERY);
setInterval(refresh, REFRESH_EVERY);
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
