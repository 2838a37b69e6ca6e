// The view for a wall: what power flows, large enough to be read from across the room, the hours of today, and the time.
// Nothing else is on the screen; a tap shows what can be set, for some seconds. Made for panels that are always on: dark,
// dimmed at night, moved by some pixels each minute so that nothing burns in, and begun anew once a day.

import { get, path } from "../data/ask.js";
import { addDays, dayOf } from "../texts/calendar.js";
import { EnergyBars } from "../charts/bars.js";
import { kwh } from "../charts/buckets.js";
import { clock } from "../data/clock.js";
import { byId, el, setText, setValue } from "../dom.js";
import { hourNumber, hourTime, minuteNumber, number, quarterTime } from "../texts/format.js";
import { meterId, page, say } from "../page.js";
import { address } from "../router.js";
import { text, translate } from "../texts/texts.js";
import { flowOf, heardWords, netPower, phasesOf } from "./cards.js";

const BAR_STAYS = 5_000;
/** Milliseconds without a connection after which only the time is shown: old values do not belong on a wall. */
const GIVEN_UP = 600_000;
const MINUTE = 60_000;
/** Loaded where the gateway watches for something. */
let alerts = null;
/** The path on which everything moves, in pixels, a step each minute. */
const STEPS = [[0, 0], [4, 1], [8, 3], [7, 6], [4, 8], [1, 7], [0, 4], [2, 2]];
const NIGHT = { from: 22, to: 6 };
/** When the page is loaded anew if nobody touched it lately: memory is given back, and a new version is taken. */
const AGAIN = { hour: 3, minute: 30 };
const KEPT = "nes2mqtt-wall";

const place = byId("view-wall");
const state = { bars: null, report: null, before: null, lost: 0, touched: 0, lock: null, timer: 0, shown: false, answered: false, settings: settings() };

/** What was set on this device: { awake, dim }; dim is night, always or never. */
function settings() {
  const usual = { awake: false, dim: "night" };
  try {
    return { ...usual, ...JSON.parse(localStorage.getItem(KEPT) ?? "{}") };
  } catch {
    return usual;
  }
}

function keep() {
  try {
    localStorage.setItem(KEPT, JSON.stringify(state.settings));
  } catch {
    // A browser that keeps nothing forgets it with the page.
  }
}

function build() {
  place.append(
    el(
      "div",
      { id: "wall", class: "wall", hidden: "" },
      el("p", { id: "wall-time", class: "wall-time" }),
      el("p", { id: "wall-waiting", class: "wall-waiting", "data-text": "waiting", hidden: "" }),
      el(
        "section",
        { id: "wall-now", class: "wall-now", "aria-labelledby": "wall-words" },
        el("h1", { id: "wall-words" }),
        el("p", { class: "wall-power" }, el("span", { id: "wall-value", class: "value" }), el("span", { class: "unit" }, "W")),
        el("p", { id: "wall-heard", class: "heard", hidden: "" }),
        el("p", { id: "wall-alerts", class: "wall-alerts", role: "status" }),
      ),
      el(
        "section",
        { id: "wall-today", class: "wall-today", "aria-labelledby": "wall-today-title", hidden: "" },
        el("h2", { id: "wall-today-title", class: "unseen", "data-text": "today" }),
        el("p", { id: "wall-sum", class: "sums" }),
        el("div", { id: "wall-bars", class: "bars", role: "img", tabindex: "0" }),
        el("p", { id: "wall-empty", class: "empty", hidden: "" }),
        el("p", { id: "wall-before", class: "muted" }),
      ),
      el("p", { id: "wall-phases", class: "wall-phases" }),
    ),
    el(
      "div",
      { id: "wall-bar", class: "wall-bar", hidden: "" },
      el("a", { id: "wall-exit", href: "#", "data-text": "wall_exit" }),
      el("label", {}, el("span", { "data-text": "wall_dim" }), " ", dims()),
      el("button", { id: "wall-awake", type: "button", "aria-pressed": "false", "data-text": "wall_awake" }),
      el("p", { id: "wall-hint", class: "muted", "data-text": "wall_hint", hidden: "" }),
    ),
  );
  translate(place);
  state.bars = new EnergyBars({ place: byId("wall-bars"), sums: byId("wall-sum"), empty: byId("wall-empty"), title: text("today"), say });
  byId("wall-dim").value = state.settings.dim;
  byId("wall-dim").addEventListener("change", ({ target }) => set({ dim: target.value }));
  // Browsers offer it at https addresses and on this machine only.
  byId("wall-awake").hidden = !("wakeLock" in navigator);
  byId("wall-hint").hidden = "wakeLock" in navigator;
  byId("wall-awake").addEventListener("click", () => {
    set({ awake: !state.settings.awake });
    stayAwake();
  });
  for (const kind of ["pointerdown", "keydown", "focusin"]) {
    addEventListener(kind, () => state.shown && touched());
  }
  document.addEventListener("visibilitychange", stayAwake);
}

function dims() {
  return el(
    "select",
    { id: "wall-dim" },
    ...["night", "always", "never"].map((value) => el("option", { value, "data-text": `wall_dim_${value}` })),
  );
}

function set(change) {
  Object.assign(state.settings, change);
  keep();
  draw();
}

/** Somebody is there: show what can be set, for some seconds, and do not dim. */
function touched() {
  state.touched = performance.now();
  byId("wall-bar").hidden = false;
  clearTimeout(state.timer);
  state.timer = setTimeout(hideBar, BAR_STAYS);
  dim();
}

function hideBar() {
  if (byId("wall-bar").contains(document.activeElement)) {
    state.timer = setTimeout(hideBar, BAR_STAYS);
    return;
  }
  byId("wall-bar").hidden = true;
  dim();
}

/** Ask the browser to keep the screen on, if that is wanted. It forgets when the page is not seen. */
async function stayAwake() {
  const wanted = state.shown && state.settings.awake && document.visibilityState === "visible";
  byId("wall-awake").setAttribute("aria-pressed", String(state.settings.awake));
  if (!wanted) {
    state.lock?.release();
    state.lock = null;
  } else if (!state.lock || state.lock.released) {
    state.lock = (await navigator.wakeLock?.request("screen").catch(() => null)) ?? null;
  }
}

function isNight() {
  const now = clock.today();
  return Boolean(now) && (hourNumber(now) >= NIGHT.from || hourNumber(now) < NIGHT.to);
}

function dim() {
  const wanted = state.settings.dim === "always" || (state.settings.dim === "night" && isNight());
  place.classList.toggle("dim", wanted && byId("wall-bar").hidden);
}

function draw() {
  const { meter, connected } = page;
  if (connected === false) {
    state.lost ||= performance.now();
  } else {
    state.lost = 0;
  }
  const gone = state.lost > 0 && performance.now() - state.lost > GIVEN_UP;
  place.classList.toggle("gone", gone);
  // All of it at once: nothing jumps then.
  const history = !page.status?.gateway.history || state.answered;
  byId("wall").hidden &&= !((meter && history) || gone);
  const power = meter && netPower(meter);
  byId("wall-now").hidden = !power || gone;
  byId("wall-waiting").hidden = Boolean(power) || Boolean(state.report) || gone;
  byId("wall-today").hidden = !state.report || gone;
  byId("wall-phases").hidden = gone;
  if (power) {
    const flow = flowOf(power.number);
    const old = power.stale || connected === false;
    place.dataset.flow = old ? "" : flow;
    byId("wall-now").classList.toggle("stale", old);
    setText(byId("wall-words"), text(flow));
    const digits = number(Math.abs(power.number));
    byId("wall-now").style.setProperty("--digits", String(Math.max(3, digits.length)));
    setValue(byId("wall-value"), "net_power", power.number, digits);
    byId("wall-heard").hidden = !old;
    setText(byId("wall-heard"), old && meter.groups.present ? heardWords(meter.groups.present) : "");
    const phases = phasesOf(meter).filter(({ amperes }) => amperes);
    setText(byId("wall-phases"), old ? "" : phases.map(({ phase, amperes }) => `L${phase} ${number(amperes.number, 1)} A`).join("   "));
  }
  setText(byId("wall-alerts"), (alerts?.titles(meterId()) ?? []).join("\n"));
  tick();
}

async function refreshAlerts() {
  if (meterId() && page.status?.gateway.alerts) {
    alerts ??= await import("./alerts.js");
    await alerts.ask(meterId());
    draw();
  }
}

function tick() {
  const now = clock.today();
  setText(byId("wall-time"), now ? hourTime(now) : "");
  const [x, y] = STEPS[Math.floor(performance.now() / MINUTE) % STEPS.length];
  byId("wall").style.transform = `translate(${x}px, ${y}px)`;
  dim();
  if (now && hourNumber(now) === AGAIN.hour && minuteNumber(now) === AGAIN.minute && performance.now() - state.touched > 5 * MINUTE && performance.now() > 5 * MINUTE) {
    location.reload();
  }
}

async function refresh() {
  refreshAlerts();
  const meter = meterId();
  if (!meter || !page.status?.gateway.history) {
    return;
  }
  const report = await get(path("energy", { meter, period: "hour" }));
  state.answered = true;
  if (meter !== meterId() || !report || report.problem) {
    draw();
    return;
  }
  state.report = report;
  await compare(meter);
  byId("wall-today").hidden = false;
  byId("wall").hidden &&= !page.meter;
  state.bars.draw(report);
  draw();
}

/** Today beside yesterday up to the same time; nothing where one of them is not known. */
async function compare(meter) {
  const now = clock.today();
  let words = "";
  if (now && quarterTime(now) !== "00:00") {
    const today = dayOf(now);
    const sum = async (day) => {
      const found = await get(path("energy", { meter, period: "day", start: day, end: `${day}T${quarterTime(now)}`, exact: true }));
      const total = found?.total;
      return total && total.known_seconds > 0.95 * total.expected_seconds ? total.import_kwh : null;
    };
    const [own, other] = [await sum(today), await sum(addDays(today, -1))];
    if (own !== null && other) {
      const percent = Math.round((own / other - 1) * 100);
      words = text(percent > 0 ? "wall_more" : percent < 0 ? "wall_less" : "wall_same", { percent: number(Math.abs(percent)), kwh: `${kwh(other)}\u00a0kWh` });
    }
  }
  setText(byId("wall-before"), words);
}

build();

export const view = {
  place,
  title: () => text("view_wall"),
  show() {
    state.shown = true;
    place.hidden = false;
    byId("wall-exit").href = address({ meter: meterId(), view: "now" });
    Object.assign(state, { report: null, lost: 0 });
    draw();
    touched();
    stayAwake();
    refresh();
  },
  hide() {
    state.shown = false;
    place.hidden = true;
    stayAwake();
  },
  draw,
  tick,
  refresh,
  alerted: refreshAlerts,
};
