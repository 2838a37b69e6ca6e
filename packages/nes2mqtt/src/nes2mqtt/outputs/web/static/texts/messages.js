// Troubles in words. The gateway tells each with a code and what differs; its own sentence is English and says most,
// so an English page shows that. Other languages have a sentence for each code, and a general one for what has none:
// two languages never stand side by side.

import { clock } from "../data/clock.js";
import { span } from "./format.js";
import { language, text } from "./texts.js";

/** Drop what the title has said already: "the meter refuses the key: ask ..." becomes "Ask ...". */
function withoutTitle(words, title) {
  const lead = `${title.replace(/\.$/, "").toLowerCase()}: `;
  const rest = words.toLowerCase().startsWith(lead) ? words.slice(lead.length) : words;
  return rest.charAt(0).toUpperCase() + rest.slice(1);
}

/** What is wrong with a meter: { title, words }, both empty when all is well. */
export function meterTrouble(meter) {
  const status = meter?.status;
  if (status && status.state !== "starting" && (status.state !== "online" || status.message)) {
    const title = text(`state_${status.state}`) || text("part_title");
    if (language === "en" && status.message) {
      return { title, words: withoutTitle(status.message, title) };
    }
    return { title, words: text(`trouble_${status.code}`, status.params) || text("trouble_unknown") };
  }
  if (meter && Object.values(meter.groups).some((group) => group.quality !== "good")) {
    return { title: text("stale_title"), words: text("stale_text") };
  }
  return { title: "", words: "" };
}

/** What is wrong with the gateway's clock. */
export function clockTrouble(meters) {
  const { code, off, meter } = clock.trouble;
  if (!code) {
    return { title: "", words: "" };
  }
  if (off === null) {
    return { title: text("clock_unknown"), words: text("clock_unknown_hint") };
  }
  const name = meters.find(({ id }) => id === meter)?.name ?? meter;
  return { title: text(code, { span: span(Math.abs(off)), meter: name }), words: text("clock_meter_hint") };
}

/** The code of an output's message; some have a sentence of their own for one, or for what is not told. */
function variant({ code, params }) {
  if (code === "history_damaged" && !params.command) {
    return "history_mending";
  }
  return params.pages === 1 ? `${code}_one` : code;
}

/** How an output is. "mqtt broker:1883 client": the first word says what it is, the rest which one. */
export function outputWords(output) {
  const [kind, ...which] = output.name.split(" ");
  const name = text(kind) || kind;
  const worded = text(`output_${variant(output)}`, output.params);
  const english = language === "en" && output.message;
  if (output.ok) {
    return { name, words: worded || english || which.join(" ") || text(`output_${kind}_ok`) || text("output_ok") };
  }
  return { name, words: english || worded || text("output_trouble") };
}

/** What happened to the history and waits for its owner; empty when nothing did. */
export function historyTrouble(outputs) {
  // That days wait for the time of day is told once, with the clock.
  const output = outputs.find(({ name, ok, code }) => name === "history" && !ok && code !== "history_waits_clock");
  return output ? { title: text("history"), words: outputWords(output).words } : { title: "", words: "" };
}
