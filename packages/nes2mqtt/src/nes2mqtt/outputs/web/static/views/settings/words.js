// What sections of the settings are called, and what is wrong with a value, in the page's language.

import { el } from "../../dom.js";
import { plain } from "../../texts/format.js";
import { language, text } from "../../texts/texts.js";

/** A section as the file writes it: [meters.house], [[mqtt]]; empty for the top. */
export function sectionName(path) {
  const name = path.filter((step) => typeof step === "string").map((step) => step || "ID").join(".");
  if (!name) {
    return "";
  }
  return typeof path.at(-1) === "number" ? `[[${name}]]` : `[${name}]`;
}

/** A path in words: "meters.house"; which broker of several is told by its number from 1. */
export function namesOf(path) {
  const name = path.map((step) => (typeof step === "number" ? `(${step + 1})` : `.${step}`)).join("").replace(/^\./, "");
  return name || text("settings_kind_Config");
}

/** What a section is called for people; as the file writes it where it has no other name. */
export function title({ kind, path, fields, absent }) {
  const named = fields.find(({ name, value }) => ["name", "host", "kind"].includes(name) && value);
  const which = path.length && !absent ? (named?.value ?? (kind === "MeterConfig" ? path.at(-1) : "")) : "";
  const words = text(`settings_kind_${kind}`);
  if (!words) {
    return sectionName(path);
  }
  return which && kind !== "Config" ? `${words} ${which}` : words;
}

/** What is wrong, as elements. English pages say it as check-config does; the others in their own words, where there are any. */
export function problemWords({ message, kind, context }) {
  const values = Object.fromEntries(Object.entries(context).map(([name, value]) => [name, typeof value === "number" ? plain(value) : value]));
  const own = language === "en" ? "" : text(`settings_problem_${kind}`, values);
  if (language === "en") {
    return [`${message.charAt(0).toUpperCase()}${message.slice(1)}.`];
  }
  // What only the gateway's English sentence tells is shown in English, and marked so: without it nobody could mend it.
  return own ? [own] : [`${text("settings_problem_other")} `, el("span", { lang: "en" }, message)];
}
