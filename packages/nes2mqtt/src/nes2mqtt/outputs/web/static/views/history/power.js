// The power of a day that the view of the history shows, as the gateway kept it: each minute, or each quarter hour.

import { get, getPast, path } from "../../ask.js";
import { PowerChart } from "../../charts/power.js";
import { clock } from "../../clock.js";
import { byId } from "../../dom.js";
import { say } from "../../page.js";
import { text } from "../../texts.js";

/** Enough for the minutes of a day of 25 hours. */
const POINTS = 1500;
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

function curveOf({ times, step, lines }) {
  const [imported, exported] = NAMES.map((name) => lines[name].average);
  const at = times.map((time) => clock.moment(new Date(time)));
  if (at.length === 0 || at[0] === null || ![...imported, ...exported].some((value) => value !== null)) {
    return null;
  }
  const watts = imported.map((value, index) => {
    const other = exported[index];
    return value === null && other === null ? null : (value ?? 0) - (other ?? 0);
  });
  return { times: at.map((moment) => moment + (step ?? 0) / 2), watts };
}
