// Fields of the settings: what is asked comes from the gateway; this file knows the kinds of fields and none of the settings.
// Each field: { element, name, changed(): whether it differs from the file, value(): what to send, null for "as if it was not
// written", problem(words) }.

import { el } from "../../dom.js";
import { plain } from "../../texts/format.js";
import { text } from "../../texts/texts.js";

const DEFAULT = "";

/** A value in words. */
export function told(field, value) {
  if (typeof value === "boolean") {
    return text(value ? "settings_yes" : "settings_no");
  }
  if (typeof value === "number") {
    return plain(value);
  }
  if (Array.isArray(value)) {
    return value.map((one) => told(field, one)).join(field.row > 1 ? " / " : ", ");
  }
  return String(value);
}

/** A sentence with names of settings between backquotes, as elements. */
export function marked(words) {
  return words.split("`").map((part, index) => (index % 2 ? el("code", {}, part) : part));
}

function bounds({ bounds: { ge, gt, le } }) {
  const low = ge ?? gt;
  const words = [];
  if (low !== undefined) {
    words.push(text(ge === undefined ? "settings_more_than" : "settings_at_least", { bound: plain(low) }));
  }
  if (le !== undefined) {
    words.push(text("settings_at_most", { bound: plain(le) }));
  }
  return words.join(", ");
}

function usual(field) {
  if (field.required) {
    return field.set ? "" : text("settings_required");
  }
  if (field.default === null || field.default === "" || (Array.isArray(field.default) && !field.default.length)) {
    return "";
  }
  return text("settings_default", { value: told(field, field.default) });
}

const asText = (value) => (value === null || value === undefined ? "" : String(value));
const lines = (value) => value.split("\n").map((line) => line.trim()).filter(Boolean);

function typed(field, words) {
  const trimmed = words.trim();
  if (!trimmed) {
    return null;
  }
  if (field.kind !== "number" && field.kind !== "whole") {
    return trimmed;
  }
  const found = Number(trimmed.replace(",", "."));
  return Number.isFinite(found) ? found : trimmed;
}

function lineInput(field, id) {
  const input = el("input", { id, type: field.kind === "day" ? "date" : "text", autocomplete: "off", autocapitalize: "none", spellcheck: "false" });
  if (field.kind === "number" || field.kind === "whole") {
    input.inputMode = "decimal";
  }
  input.value = asText(field.value);
  return { input, value: () => typed(field, input.value) };
}

function area(field, id) {
  const rows = field.row > 1;
  const input = el("textarea", { id, rows: "3", autocapitalize: "none", spellcheck: "false" });
  input.value = (field.value ?? []).map((one) => (rows ? one.join(" | ") : asText(one))).join("\n");
  return {
    input,
    value() {
      const found = lines(input.value).map((line) => (rows ? line.split("|").map((part) => part.trim()) : line));
      return found.length ? found : null;
    },
  };
}

function choice(field, id) {
  const input = el("select", { id });
  const options = field.kind === "switch" ? [["true", text("settings_yes")], ["false", text("settings_no")]] : field.choices.map((one) => [one, one]);
  if (!field.required || !field.set) {
    input.append(el("option", { value: DEFAULT }, usual(field) || text("settings_not_set")));
  }
  input.append(...options.map(([value, words]) => el("option", { value }, words)));
  input.value = asText(field.value);
  const read = () => (field.kind === "switch" ? input.value === "true" : input.value);
  return { input, value: () => (input.value === DEFAULT ? null : read()) };
}

function several(field, id) {
  const chosen = field.set ? (field.value ?? []) : (field.default ?? []);
  const boxes = field.choices.map((one) => {
    const box = el("input", { type: "checkbox", value: one });
    box.checked = chosen.includes(one);
    return box;
  });
  const input = el("div", { id, class: "settings-boxes", role: "group" }, ...boxes.map((box) => el("label", {}, box, " ", box.value)));
  const read = () => boxes.filter((box) => box.checked).map((box) => box.value);
  const same = (one, other) => JSON.stringify([...one].sort()) === JSON.stringify([...other].sort());
  return {
    input,
    value: () => (!field.set && same(read(), chosen) ? null : same(read(), chosen) ? field.value : read()),
  };
}

function secret(field, id) {
  // Not a password to the browser: no manager shall keep the key of a meter.
  const input = el("input", { id, type: "text", class: "settings-unseen", autocomplete: "off", autocapitalize: "none", spellcheck: "false" });
  const removed = el("input", { type: "checkbox" });
  const more = [];
  if (field.set) {
    more.push(el("p", { class: "settings-note" }, text("settings_secret_set", { place: text(`settings_at_${field.where}`) })));
    if (field.optional && !field.keep) {
      more.push(el("label", { class: "settings-boxes" }, removed, " ", text("settings_secret_remove")));
    }
  }
  return { input, more, value: () => input.value || null, changed: () => Boolean(input.value) || removed.checked };
}

function control(field, id) {
  if (field.kind === "secret") {
    return secret(field, id);
  }
  if (field.kind === "switch" || (field.kind === "choice" && !field.row)) {
    return choice(field, id);
  }
  if (field.kind === "choice") {
    return several(field, id);
  }
  return field.row ? area(field, id) : lineInput(field, id);
}

/** What a field says that cannot be changed: its value, or its default. */
function fixed(field) {
  let words = field.set ? told(field, field.value ?? "\u2026") : "";
  if (field.kind === "secret" && field.set) {
    words = text("settings_secret_set", { place: text(`settings_at_${field.where}`) });
  }
  return el("p", { class: "settings-fixed" }, words || usual(field) || text("settings_not_set"));
}

/** Make a field. open: it can be changed. id: of its own. */
export function makeField(field, id, open) {
  const error = el("p", { id: `${id}-error`, class: "settings-error", role: "alert", hidden: "" });
  const help = el("p", { id: `${id}-help`, class: "settings-help" }, ...marked(field.meaning));
  // A list of choices tells the usual one itself.
  const chosen = field.kind === "switch" || (field.kind === "choice" && !field.row);
  const limits = [chosen ? "" : usual(field), bounds(field)].filter(Boolean).join(" \u00b7 ");
  const note = el("p", { class: "settings-note" }, limits);
  const label = field.required ? `${field.name} *` : field.name;
  if (!open || field.here_only) {
    const why = open && field.here_only ? [el("p", { class: "settings-note" }, text("settings_here_only"))] : [];
    const element = el("div", { class: "settings-field" }, el("p", { class: "settings-name" }, field.name), fixed(field), help, ...why);
    return { element, name: field.name, changed: () => false, value: () => null, problem() {} };
  }
  const { input, value, changed, more = [] } = control(field, id);
  input.setAttribute("aria-describedby", `${id}-help ${id}-error`);
  const group = input.getAttribute("role") === "group";
  const name = group ? el("p", { id: `${id}-name`, class: "settings-name" }, label) : el("label", { class: "settings-name", for: id }, label);
  if (group) {
    input.setAttribute("aria-labelledby", `${id}-name`);
  }
  const before = JSON.stringify(field.set ? field.value : null);
  const element = el("div", { class: "settings-field" }, name, input, ...more, ...(limits ? [note] : []), help, error);
  return {
    element,
    name: field.name,
    value,
    changed: changed ?? (() => JSON.stringify(value()) !== before),
    focus: () => input.focus(),
    problem(parts) {
      error.hidden = !parts;
      error.replaceChildren(...(parts ?? []));
      input.toggleAttribute("aria-invalid", Boolean(parts));
      if (parts) {
        input.setAttribute("aria-invalid", "true");
      }
    },
  };
}
