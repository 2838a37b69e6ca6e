// The power of a day that the view of the history shows, as the gateway kept it: each minute, or each quarter hour.

import { get, getPast, path } from "../../data/ask.js";
import { PowerChart } from "../../charts/power.js";
import { clock } from "../../data/clock.js";
import { byId } from "../../dom.js";
import { say } from "../../page.js";
import { text } from "../../texts/texts.js";

/** Enough for the minutes of a day of 25 hours. */
const POINTS = 1500;
/** Seconds by which a step begins and ends within its time, so that two of them do not stand at one moment. */
const EDGE = 0.1;
const NAMES = ["active_power_import", "active_power_export"];

let chart = null;

export function hidePower() {
  byId("history-power").hidden = true;
}

/** Ask for the curve of a day and draw it, unless something else is wanted meanwhile; no card without a curve. */
export async function drawPower({ meter, span, today }, { total }, wanted) {
  const query = new URLSearchParams([["meter", meter], ...NAMES.map((name) => ["name", name]), ["start", span.start], ["end", span.end], ["points", POINTS]]);
  const asked = `api/v1/series?${query}`;
  const series = await (today && span.end <= today ? getPast(asked) : get(asked));
  if (!wanted()) {
    return;
  }
  const found = series && !series.problem ? curveOf(series) : null;
  byId("history-power").hidden = !found;
  if (!found) {
    return;
  }
  const [start, end] = [total.start, total.end].map((time) => clock.moment(new Date(time)));
  chart ??= new PowerChart({
    place: byId("power-chart"),
    readout: byId("power-readout"),
    empty: byId("power-empty"),
    title: text("power"),
    say,
    span: end - start,
    live: false,
  });
  chart.span = end - start;
  chart.draw(found, end);
}

/** The points of a curve: what was read, and apart from it what the meter's load profile tells of the rest, as steps. */
function curveOf({ times, step, lines, filled = [] }) {
  const [imported, exported] = NAMES.map((name) => lines[name].average);
  const net = (one, other) => (one === null && other === null ? null : (one ?? 0) - (other ?? 0));
  const parts = filled.map(({ start, end, values }) => ({
    from: clock.moment(new Date(start)),
    to: clock.moment(new Date(end)),
    watts: net(...NAMES.map((name) => values[name] ?? null)),
  }));
  const told = (at) => parts.find(({ from, to }) => from <= at && at < to)?.watts ?? null;
  const points = times.map((time, index) => {
    const at = clock.moment(new Date(time)) + (step ?? 0) / 2;
    const watts = net(imported[index], exported[index]);
    return { at, watts, told: watts === null ? told(at) : null };
  });
  for (const { from, to, watts } of parts) {
    points.push({ at: from + EDGE, watts: null, told: watts }, { at: to - EDGE, watts: null, told: watts });
  }
  points.sort((one, other) => one.at - other.at);
  if (!clock.today() || !points.some(({ watts, told: other }) => watts !== null || other !== null)) {
    return null;
  }
  return { times: points.map(({ at }) => at), watts: points.map(({ watts }) => watts), told: points.map(({ told: other }) => other) };
}
