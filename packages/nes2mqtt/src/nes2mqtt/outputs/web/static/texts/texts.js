// The page's words in the browser's language. Each language has the same files of the same keys: texts.<language>.json has what
// the page begins with and what several views say, others have what one view says alone and are loaded with it;
// {name} is filled in by text(); a text that depends on a number has a form for each kind of number the language knows
// (one, few, many, other), chosen by {count}. One language at a time: words, numbers and dates go together, and a browser that
// speaks none of ours gets all of it in English. Knows nothing of the page.

export const LANGUAGES = ["en", "da", "de"];

/** The first of a browser's languages that we speak, with its region; English as written in Europe without one. */
export function chosen(tags) {
  return tags.find((tag) => LANGUAGES.includes(tag.split("-")[0].toLowerCase())) ?? "en-GB";
}

export const locale = chosen(navigator.languages);
export const language = locale.split("-")[0].toLowerCase();

async function load(part) {
  try {
    const reply = await fetch(new URL(`${part}.${language}.json`, import.meta.url));
    return await reply.json();
  } catch {
    // The gateway went away while the page came: come again rather than show a page without words.
    setTimeout(() => location.reload(), 4000);
    return {};
  }
}

const words = await load("texts");

/** Load the words of a part of the page before it is drawn: settings, meter or history. */
export async function bring(part) {
  Object.assign(words, await load(part));
}

const plurals = new Intl.PluralRules(locale);

/** The text of a key, with {name} filled in; empty for a key there is not. */
export function text(key, values = {}) {
  const found = words[key] ?? "";
  const chosen = typeof found === "string" ? found : (found[plurals.select(values.count)] ?? found.other);
  return chosen.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/** Fill every element that names its text with data-text, and name every one that names its label with data-label. */
export function translate(root) {
  for (const element of root.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", text(element.dataset.label));
  }
  for (const element of root.querySelectorAll("[data-text]")) {
    element.textContent = text(element.dataset.text);
  }
}
