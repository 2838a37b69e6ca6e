// The words of the first run. The terminal reads the same files, setup.<language>.json: a text with {names}, or an object of
// plural forms that {count} chooses from. Knows nothing of the page.

const LANGUAGES = ["en", "da", "de"];
const KEPT = "language";

let words = {};
let plural = new Intl.PluralRules("en");

/** The language to begin with: the one chosen before, else the browser's first that we speak, else English. */
export function firstLanguage() {
  const chosen = sessionStorage.getItem(KEPT);
  const tags = [chosen ?? "", ...navigator.languages];
  return tags.map((tag) => tag.split("-")[0].toLowerCase()).find((tag) => LANGUAGES.includes(tag)) ?? "en";
}

/** Load a language, for this tab. */
export async function speak(language) {
  const reply = await fetch(new URL(`setup.${language}.json`, import.meta.url));
  words = await reply.json();
  plural = new Intl.PluralRules(language);
  sessionStorage.setItem(KEPT, language);
  document.documentElement.lang = language;
}

/** The text of a key, with {name} filled in; empty for a key there is not. */
export function text(key, values = {}) {
  const form = words[key] ?? "";
  const chosen = typeof form === "string" ? form : (form[plural.select(Number(values.count ?? 0))] ?? form.other);
  return chosen.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/** The sentence of what the gateway tells. */
export const sentence = ({ code, values }) => text(`said_${code}`, values);

/** A number of kWh as people here write it. */
export const kwh = (wh) =>
  new Intl.NumberFormat(document.documentElement.lang, { minimumFractionDigits: 3 }).format(wh / 1000);
