// What the meter says of itself and of the supply: what it complains about, whether its switch is closed, which tariff
// counts, how often the voltage sagged. A card is there only when the meter tells something for it.

import { byId, el, fillList, setText } from "../../dom.js";
import { dayTime, heardTime, number, span } from "../../texts/format.js";
import { language, text } from "../../texts/texts.js";
import { clock } from "../../data/clock.js";

const moment = (written) => (written ? dayTime(new Date(written)) : "");
const parts = (...all) => all.filter(Boolean).join(", ");

function show(id, visible) {
  byId(id).hidden = !visible;
  return visible;
}

/** Draw what the API tells of a meter's condition; nothing of it with null. */
export function drawCondition(condition) {
  drawComplaints(condition);
  const state = condition ? stateRows(condition) : [];
  show("state-card", state.length > 0);
  fillList(byId("state"), state);
  const tariffs = condition?.tariffs ? tariffRows(condition.tariffs) : [];
  show("tariff-card", tariffs.length > 0);
  fillList(byId("tariff"), tariffs);
  drawQuality(condition?.quality ?? null);
}

/** Troubles first, then what is only worth knowing. */
function drawComplaints(condition) {
  const state = condition?.state;
  const lost = (condition?.quality?.phases ?? []).filter(({ lost: gone }) => gone);
  const alarms = state?.alarms ?? [];
  const words = ({ name, label }) => text(`alarm_${name}`) || label;
  const troubles = [
    ...lost.map(({ phase }) => text("phase_lost", { phase: phase.toUpperCase() })),
    ...alarms.filter(({ trouble }) => trouble).map(words),
    ...(state?.mis_wiring ? [language === "en" ? state.mis_wiring : text("mis_wiring")] : []),
  ];
  const noted = alarms.filter(({ trouble }) => !trouble).map(words);
  if (!show("complaints-card", troubles.length + noted.length > 0)) {
    return;
  }
  byId("complaints").replaceChildren(
    ...troubles.map((line) => el("li", { class: "trouble" }, el("span", { class: "mark", "aria-hidden": "true" }, "!"), el("b", {}, line))),
    ...noted.map((line) => el("li", {}, line)),
  );
  setText(byId("complaints-hint"), text(troubles.length ? "complaints_hint" : "complaints_noted"));
}

function stateRows({ state, received }) {
  if (!state) {
    return [];
  }
  const switching = (seconds) => (seconds === null ? "" : text("relay_switches", { span: span(seconds) }));
  const told = received ? heardTime(new Date(received), clock.today() ?? new Date(received)) : "";
  return [
    [text("contactor"), state.contactor ? text(`contactor_${state.contactor}`) : ""],
    [text("contactor_button"), state.button_locked ? text("contactor_locked") : ""],
    [text("opened_by_limit"), moment(state.opened_by_limit)],
    [text("relay", { number: 1 }), switching(state.relay_1_pending)],
    [text("relay", { number: 2 }), switching(state.relay_2_pending)],
    [text("load_profile"), state.load_profile_off ? text("load_profile_off") : ""],
    [text("condition_read"), told],
  ].filter(([, words], index, all) => words && (index < all.length - 1 || all.slice(0, -1).some(([, other]) => other)));
}

function tariffRows({ tariff, set_by: by, until, next, next_tariff: following, season }) {
  return [
    [text("tariff_now"), text("tariff_name", { tariff })],
    [text("tariff_by"), by ? text(`tariff_${by}`) : ""],
    [text("tariff_until"), moment(until)],
    [text("tariff_next"), next && following ? text("tariff_from", { tariff: following, time: moment(next) }) : ""],
    [text("season"), String(season)],
  ].filter(([, words]) => words);
}

function drawQuality(quality) {
  if (!show("quality-card", Boolean(quality))) {
    return;
  }
  const counted = ({ count, last, voltage }) =>
    count === 0 ? "0" : parts(number(count), voltage === null ? "" : `${number(voltage, 1)} V`, moment(last));
  const distortion = ({ distortion: kinds }, kind) => {
    const found = kinds[kind];
    return found ? parts(number(found.count), found.maximum === null ? "" : `${number(found.maximum, 1)} %`, moment(found.last)) : "";
  };
  const { phases } = quality;
  const rows = [
    ["sags", ({ sags }) => counted(sags)],
    ["deep_sags", ({ deep_sags: deep }) => (deep ? counted(deep) : "")],
    ["swells", ({ swells }) => counted(swells)],
    ["losses", ({ losses }) => counted(losses)],
    ["over_currents", ({ over_currents: count }) => number(count)],
    ["distortion_voltage", (phase) => distortion(phase, "voltage")],
    ["distortion_current", (phase) => distortion(phase, "current")],
  ]
    .map(([key, words]) => [key, phases.map(words)])
    .filter(([, cells]) => cells.some(Boolean));
  byId("quality").replaceChildren(
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, text("quality_what")), ...phases.map(({ phase }) => el("th", { scope: "col" }, phase.toUpperCase())))),
    el("tbody", {}, ...rows.map(([key, cells]) => el("tr", {}, el("th", { scope: "row" }, text(`quality_${key}`)), ...cells.map((words) => el("td", {}, words))))),
  );
  const extreme = (found) => (found ? parts(`${number(found.hertz, 2)} Hz`, moment(found.at)) : "");
  const facts = [
    [text("lowest_frequency"), extreme(quality.lowest_frequency)],
    [text("highest_frequency"), extreme(quality.highest_frequency)],
    [text("short_outages", { span: span(quality.long_outage_seconds) }), number(quality.short_outages)],
  ].filter(([, words]) => words);
  fillList(byId("quality-facts"), facts);
  setText(
    byId("quality-hint"),
    text("quality_hint", { sag: number(quality.sag_percent), swell: number(quality.swell_percent), span: span(quality.event_seconds) }),
  );
}
