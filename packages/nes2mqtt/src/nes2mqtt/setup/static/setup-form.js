// Forms of the first run: fields with label, help and error that belong together, also for who cannot see them. What is
// asked comes from the gateway; this file knows the kinds of fields and nothing of the steps.

import { el } from "./elements.js"; // servicekit
import { sentence, text } from "./setup-words.js";

const OTHER = "";

/** Help and error below a field, and what joins them to it. */
function around(name, input, ...more) {
  const help = text(`help_${name}`);
  const described = [];
  const below = [];
  if (help) {
    below.push(el("p", { class: "setup-help", id: `help-${name}` }, help));
    described.push(`help-${name}`);
  }
  below.push(...more);
  for (const each of more) {
    if (each.id) {
      described.push(each.id);
    }
  }
  const error = el("p", { class: "error", id: `error-${name}`, hidden: "" });
  described.push(error.id);
  input.setAttribute("aria-describedby", described.join(" "));
  return [...below, error];
}

/** Hide what is typed, and a button that shows it. */
function hideable(input, hide, show) {
  const button = el("button", { type: "button", class: "light", "aria-pressed": "false" }, text("show"));
  button.setAttribute("aria-controls", input.id);
  hide(input);
  button.addEventListener("click", () => {
    const shown = button.getAttribute("aria-pressed") === "false";
    button.setAttribute("aria-pressed", String(shown));
    button.textContent = text(shown ? "hide" : "show");
    (shown ? show : hide)(input);
  });
  return el("div", { class: "setup-with-button" }, input, button);
}

function radio(name, value, label, details, checked) {
  const input = el("input", { type: "radio", name, value, id: `${name}-${value || "other"}` });
  input.checked = checked;
  return el("label", { class: "setup-choice" }, input, el("span", {}, label), ...details);
}

/** A text field, by its kind. */
function line({ name, kind }, value, kept) {
  const input = el("input", { id: `field-${name}`, name, type: "text", autocapitalize: "none", spellcheck: "false" });
  input.value = value;
  const more = kept ? [el("p", { class: "setup-help", id: `kept-${name}` }, text("kept"))] : [];
  let shown = input;
  if (kind === "password") {
    input.autocomplete = "new-password";
    shown = hideable(
      input,
      (field) => (field.type = "password"),
      (field) => (field.type = "text"),
    );
  } else {
    input.autocomplete = "off";
  }
  if (kind === "secret") {
    // Not a password to the browser: no manager shall keep the key of a meter.
    shown = hideable(
      input,
      (field) => field.classList.add("setup-unseen"),
      (field) => field.classList.remove("setup-unseen"),
    );
  }
  return el(
    "div",
    { class: "setup-field", "data-field": name },
    el("label", { for: input.id }, text(`field_${name}`)),
    shown,
    ...around(name, input, ...more),
  );
}

function choice({ name, choices }, value) {
  const group = el("fieldset", { class: "setup-field", "data-field": name }, el("legend", {}, text(`field_${name}`)));
  const list = el("div", { class: "setup-choices" });
  for (const each of choices) {
    list.append(radio(name, each, text(`choice_${name}_${each}`), [], each === value));
  }
  group.append(list, ...around(name, group));
  return group;
}

/** One of the ports that were found, or one that is typed. */
export function portField({ name }, value, ports) {
  const group = el("fieldset", { class: "setup-field", "data-field": name }, el("legend", {}, text(`field_${name}`)));
  const list = el("div", { class: "setup-choices" });
  const path = value.replace(/^\w+:\/\/(?=\/)/, "");
  const free = ports.find((port) => !port.said);
  const listed = ports.some((port) => port.path === path);
  for (const port of ports) {
    const hinders = port.said
      ? el("small", { class: "setup-hinders" }, sentence(port.said))
      : el("small", {}, text("port_free"));
    const details = [el("small", {}, port.path), hinders];
    const chosen = listed ? port.path === path : !value && port === free;
    list.append(radio(name, port.path, port.title || text("port_on_board"), details, chosen));
  }
  const other = radio(name, OTHER, text("port_other"), [], !listed && (Boolean(value) || !free));
  const typed = el("input", { id: "field-port-typed", name: "port-typed", type: "text", autocomplete: "off" });
  typed.setAttribute("aria-label", text("port_other"));
  typed.setAttribute("aria-describedby", "help-port-typed");
  typed.autocapitalize = "none";
  typed.spellcheck = false;
  typed.value = listed ? "" : path;
  typed.addEventListener("input", () => (other.firstElementChild.checked = true));
  list.append(other, typed, el("small", { id: "help-port-typed", class: "setup-help" }, text("port_other_help")));
  group.append(...(ports.length ? [] : [el("p", { class: "setup-help" }, text("no_ports"))]), list, ...around(name, group));
  return group;
}

/** Fill in what belongs to a broker that was chosen. */
function takeBroker(fields, { broker_port, tls }) {
  fields.broker_port.value = broker_port;
  fields.tls.value = tls;
}

/** The broker: typed, or one of those that were found. */
export function brokerField(field, value, brokers) {
  const built = line(field, value, false);
  if (brokers.length) {
    const options = brokers.map(({ title, answers }) => el("option", { value: answers.host, label: title }));
    const list = el("datalist", { id: "brokers" }, ...options);
    const input = built.querySelector("input");
    input.setAttribute("list", list.id);
    input.addEventListener("input", () => {
      const chosen = brokers.find(({ answers }) => answers.host === input.value.trim());
      if (chosen) {
        takeBroker(input.form.elements, chosen.answers);
      }
    });
    const titles = brokers.map(({ title }) => title).join(", ");
    built.append(list, el("p", { class: "setup-help" }, text("found_brokers", { brokers: titles })));
  }
  return built;
}

function zone(field, value) {
  const built = line(field, value || Intl.DateTimeFormat().resolvedOptions().timeZone, false);
  const zones = Intl.supportedValuesOf ? Intl.supportedValuesOf("timeZone") : [];
  const list = el("datalist", { id: "zones" }, ...zones.map((each) => el("option", { value: each })));
  built.querySelector("input").setAttribute("list", list.id);
  built.append(list);
  return built;
}

/** The element of a field. */
export function fieldElement(field, value, kept, found) {
  return {
    choice: () => choice(field, value),
    port: () => portField(field, value, found.ports),
    broker: () => brokerField(field, value, found.brokers),
    zone: () => zone(field, value),
  }[field.kind]?.() ?? line(field, value, kept);
}

/** Show only what the other answers leave to be asked. */
export function showAsked(form, fields) {
  for (const { name, only_if: condition } of fields) {
    const element = form.querySelector(`[data-field="${name}"]`);
    if (element && condition) {
      element.hidden = !condition[1].includes(answersOf(form, fields)[condition[0]] ?? form.dataset[condition[0]]);
    }
  }
}

/** The answers of a form, by field. */
export function answersOf(form, fields) {
  const data = new FormData(form);
  const answers = {};
  for (const { name } of fields) {
    answers[name] = String(data.get(name) ?? "");
  }
  if ("port" in answers && answers.port === OTHER) {
    answers.port = String(data.get("port-typed") ?? "");
  }
  return answers;
}

/** Show what is wrong at each field and all of it above the buttons; the list gets the focus. */
export function showErrors(form, said) {
  for (const error of form.querySelectorAll(".error")) {
    error.hidden = true;
  }
  for (const input of form.querySelectorAll("[aria-invalid]")) {
    input.removeAttribute("aria-invalid");
  }
  const list = el("ul");
  for (const each of said) {
    const words = sentence(each);
    const error = form.querySelector(`#error-${each.field}`);
    const label = ["empty", "unreadable", "no_choice"].includes(each.code) ? `${text(`field_${each.field}`)}: ` : "";
    list.append(el("li", {}, label + words));
    if (error) {
      error.textContent = words;
      error.hidden = false;
      const field = form.querySelector(`[data-field="${each.field}"]`);
      const typed = field.querySelector("#field-port-typed");
      (typed && field.querySelector("[value='']:checked") ? typed : field.querySelector("input")).setAttribute(
        "aria-invalid",
        "true",
      );
    }
  }
  const box = form.querySelector(".setup-errors");
  box.replaceChildren(...(said.length ? [el("strong", {}, text("errors_title")), list] : []));
  box.hidden = !said.length;
  if (said.length) {
    box.focus();
  }
}
