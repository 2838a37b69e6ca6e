// What a reading is called, in the page's language. Its key tells: active_power_import_l1 is "Import power" of a phase.

import { text } from "./texts.js";

const PART = /_(?:q(?<quadrant>[1-4])|l(?<phase>[123])|t(?<tier>[1-8])|(?<number>\d))(?=_|$)/g;

/** The name of a reading for people; its key where there is none. */
export function label(key) {
  const between = /^voltage_angle_l(\d)_l(\d)$/.exec(key);
  if (between) {
    return text("reading_voltage_angle", { from: between[1], to: between[2] });
  }
  const parts = {};
  for (const { groups } of key.matchAll(PART)) {
    for (const [name, found] of Object.entries(groups)) {
      if (found !== undefined) {
        // The first number of device_1_counter_2 is the device's.
        parts[name === "number" && "number" in parts ? "second" : name] = found;
      }
    }
  }
  const base = `reading_${key.replace(PART, "")}`;
  const phase = parts.phase ? ` L${parts.phase}` : "";
  const marked = "\u0000";
  const written = text(base, {
    phase: `${marked}${phase}`,
    number: parts.second ?? parts.number,
    device: parts.number,
  });
  if (!written) {
    return key;
  }
  const quadrant = parts.quadrant ? ` Q${parts.quadrant}` : "";
  const tariff = parts.tier ? text("reading_tariff", { tier: parts.tier }) : "";
  return `${written.replace(marked, "")}${quadrant}${written.includes(marked) ? "" : phase}${tariff}`;
}
