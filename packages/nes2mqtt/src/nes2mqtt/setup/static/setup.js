// The first run: asks the gateway where it stands, shows that step, sends its answers. What was typed is nowhere but in the
// form until it is sent; keys and passwords are never kept by this page.

import { byId, el, setText } from "./elements.js"; // servicekit
import { get, post } from "./setup-api.js";
import { answersOf, fieldElement, showAsked, showErrors } from "./setup-form.js";
import { firstLanguage, kwh, speak, text, sentence } from "./setup-words.js";

const TRIED = ["port", "key", "mqtt", "check"];
const PATIENCE = 60_000;
const main = byId("main");
let state = { stage: "" };
let found = { ports: [], brokers: [] };
let at = 0;
let notes = [];
let showAgain = () => {};

/** The code of the link, taken out of the address at once: no history keeps it. */
function codeOfLink() {
  const code = decodeURIComponent(location.hash.slice(1));
  if (code) {
    history.replaceState(null, "", location.pathname);
  }
  return code;
}

function heading(words) {
  return el("h1", { tabindex: "-1" }, words);
}

function show(element) {
  main.replaceChildren(element);
  const title = element.querySelector("h1");
  document.title = `${title.textContent} - nes2mqtt`;
  title.focus({ preventScroll: true });
  scrollTo(0, 0);
}

/** Disable a form while the gateway tries what was sent; the button stays where it was for who cannot see it. */
async function whileTrying(form, words, work) {
  if (form.dataset.busy) {
    return;
  }
  form.dataset.busy = "yes";
  const buttons = form.querySelectorAll("button");
  for (const button of buttons) {
    button.setAttribute("aria-disabled", "true");
  }
  setText(byId("announce"), words);
  const trying = form.querySelector(".setup-trying");
  setText(trying, words);
  try {
    await work();
  } finally {
    delete form.dataset.busy;
    for (const button of buttons) {
      button.removeAttribute("aria-disabled");
    }
    setText(trying, "");
    setText(byId("announce"), "");
  }
}

/** What to show for an answer that is none of a step: offline, not ours any more. True when it was one. */
async function strayed(form, answer) {
  if (answer.status === 0 || answer.status >= 500) {
    showErrors(form, []);
    const box = form.querySelector(".setup-errors");
    box.replaceChildren(text(answer.status ? "mistake" : "offline"));
    box.hidden = false;
    box.focus();
    return true;
  }
  if (answer.status === 401 || answer.status === 409) {
    await refresh();
    return true;
  }
  return false;
}

function emptyForm(title, intro, count = "") {
  const form = el("form", { class: "card", novalidate: "" });
  form.append(
    el("div", { class: "setup-head" }, ...(count ? [el("p", { class: "setup-count" }, count)] : []), heading(title)),
    ...(intro ? [el("p", { class: "setup-intro" }, intro)] : []),
  );
  return form;
}

function foot(form, ...buttons) {
  form.append(
    el("div", { class: "setup-errors", role: "alert", tabindex: "-1", hidden: "" }),
    el("p", { class: "setup-help setup-trying" }),
    el("div", { class: "setup-buttons" }, ...buttons),
  );
}

/** The door: the code first, later the password. */
function showDoor(stage, ended) {
  const kind = stage === "login" ? "login" : "code";
  const form = emptyForm(text(`${kind}_title`), text(ended ? "code_ended_intro" : `${kind}_intro`));
  const name = kind === "login" ? "password" : "code";
  const input = el("input", { id: `field-${name}`, name, type: kind === "login" ? "password" : "text" });
  input.autocomplete = kind === "login" ? "current-password" : "one-time-code";
  input.autocapitalize = "characters";
  input.spellcheck = false;
  const error = el("p", { class: "error", id: `error-${name}`, hidden: "" });
  input.setAttribute("aria-describedby", error.id);
  if (kind === "login") {
    form.append(hiddenUser("username"));
  }
  form.append(
    el(
      "div",
      { class: "setup-field", "data-field": name },
      el("label", { for: input.id }, text(`field_${kind}`)),
      input,
      error,
    ),
  );
  foot(form, el("button", {}, text("next")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    whileTrying(form, text("loading"), async () => {
      const answer = await post(kind, { [name]: input.value });
      if (answer.status === 200) {
        await refresh();
      } else if (!(await strayed(form, answer))) {
        showErrors(form, answer.said ?? []);
      }
    });
  });
  show(form);
  return { form, input };
}

/** A user name for password managers, which want one. */
function hiddenUser(autocomplete) {
  const input = el("input", { type: "text", name: "owner", value: "owner", autocomplete, hidden: "" });
  input.tabIndex = -1;
  return input;
}

function showElsewhere() {
  const form = emptyForm(text("elsewhere_title"), text("elsewhere_intro"));
  foot(form, el("button", {}, text("take_over")));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    whileTrying(form, text("loading"), async () => {
      if (!(await strayed(form, await post("desk")))) {
        await refresh();
      }
    });
  });
  show(form);
}

/** What a meter told, in sentences. */
function seenWords(seen) {
  const lines = [];
  const maker = [seen.manufacturer, seen.model].filter(Boolean).join(" ");
  if (maker) {
    lines.push(text(seen.serial ? "seen_who" : "seen_model", { maker, serial: seen.serial }));
  }
  if (seen.power !== null) {
    lines.push(text(seen.power < 0 ? "seen_gives" : "seen_draws", { watts: Math.abs(seen.power) }));
  }
  if (seen.reading !== null) {
    lines.push(text("seen_reading", { kwh: kwh(seen.reading) }));
  }
  return lines;
}

function note(lines) {
  return el("div", { class: "setup-note" }, ...lines.map(({ words, warns }) => el("p", warns ? { class: "setup-warning" } : {}, words)));
}

function notesOf(answer) {
  const lines = (answer.said ?? []).map((said) => ({ words: sentence(said), warns: said.code.startsWith("clock_") }));
  const seen = answer.seen ? seenWords(answer.seen).map((words) => ({ words })) : [];
  return [...lines.filter(({ warns }) => !warns), ...seen, ...lines.filter(({ warns }) => warns)];
}

/** The details of one step, beside its fields. */
const beside = {
  password: (form) => form.querySelector("[data-field]").before(hiddenUser("username")),
  port: (form) => {
    const again = el("button", { type: "button", class: "light" }, text("again_look"));
    again.addEventListener("click", () => whileTrying(form, text("loading"), () => lookAgain(form)));
    form.querySelector('[data-field="port"]').append(again);
  },
  key: (form) => {
    const input = byId("field-key") ?? form.querySelector("#field-key");
    const understood = el("p", { class: "setup-help", id: "understood", "aria-live": "polite" });
    form.querySelector('[data-field="key"]').append(understood);
    let wait = 0;
    input.addEventListener("input", () => {
      clearTimeout(wait);
      wait = setTimeout(async () => {
        const typed = input.value;
        const { form: kind, count } = typed ? await post("key", { key: typed }) : {};
        if (typed === input.value) {
          setText(understood, !typed ? "" : kind ? text(`key_understood_${kind}`, { count }) : text("key_not_understood"));
        }
      }, 300);
    });
  },
  check: (form) => {
    form.append(
      el("p", { class: "setup-help" }, text("check_file", { file: state.file })),
      el("pre", { class: "setup-text", tabindex: "0" }, state.text ?? ""),
      ...state.files.map((file) => el("p", { class: "setup-help" }, text("also_written", { file }))),
    );
  },
};

async function lookAgain(form) {
  const answer = await get("ports");
  if (answer.status !== 200) {
    await strayed(form, answer);
    return;
  }
  found.ports = answer.ports;
  showStep();
  setText(byId("announce"), text("port_count", { count: found.ports.length }));
}

function showStep() {
  const step = state.steps[at];
  const { name, fields, answers, kept } = step;
  const optical = name === "key" && state.optical;
  const intro = text(optical ? "intro_key_optical" : `intro_${name}`);
  const form = emptyForm(
    text(`step_${name}`),
    intro,
    text("step_of", { number: at + 1, count: state.steps.length }),
  );
  form.dataset.step = name;
  form.dataset.socket = state.optical ? "optical" : "mep";
  if (notes.length) {
    form.append(note(notes));
  }
  for (const field of fields) {
    const value = answers[field.name] || (field.name === "name" ? text("default_name") : "");
    form.append(fieldElement(field, value, kept.includes(field.name), found));
  }
  beside[name]?.(form);
  const next = el("button", {}, text({ check: "save", port: "test", key: "test" }[name] ?? "next"));
  const anyway = el("button", { type: "button", class: "light", hidden: "" }, text("anyway"));
  const back = el("button", { type: "button", class: "light back" }, text("back"));
  back.hidden = at === 0;
  back.addEventListener("click", () => {
    if (!form.dataset.busy) {
      notes = [];
      at -= 1;
      enter();
    }
  });
  foot(form, back, anyway, next);
  const send = (more) =>
    whileTrying(form, TRIED.includes(name) ? text(`trying_${name}`) : text("loading"), async () => {
      showErrors(form, []);
      const answer = await post(`steps/${name}`, { ...answersOf(form, fields), ...more });
      if (answer.accepted) {
        await accepted(answer);
      } else if (!(await strayed(form, answer))) {
        const said = answer.said ?? [];
        showErrors(form, said);
        anyway.hidden = !said.length || !said.every((each) => each.passable);
      }
    });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send({});
  });
  anyway.addEventListener("click", () => send({ anyway: "yes" }));
  form.addEventListener("change", () => showAsked(form, fields));
  form.addEventListener("input", () => (anyway.hidden = true));
  showAsked(form, fields);
  show(form);
}

async function accepted(answer) {
  if (answer.saved) {
    showAgain = () => {};
    await finish(answer.saved);
    return;
  }
  notes = notesOf(answer);
  const before = at;
  state = await get("state");
  at = before + 1;
  await enter();
}

/** Go to a step: fetch what its fields list, then show it. */
async function enter() {
  const name = state.steps?.[at]?.name;
  if (!name) {
    await refresh();
    return;
  }
  if (name === "port") {
    found.ports = (await get("ports")).ports ?? [];
  }
  if (name === "mqtt") {
    found.brokers = (await get("brokers")).brokers ?? [];
    const step = state.steps[at];
    if (!step.answers.host && found.brokers.length) {
      step.answers = { ...step.answers, ...found.brokers[0].answers };
    }
  }
  if (name === "check" && state.text === null) {
    at = state.steps.findIndex((step) => !step.done); // an earlier answer made another one void
  }
  showAgain = showStep;
  showStep();
}

/** Ask where the first run stands, and show that. */
async function refresh() {
  notes = [];
  state = await get("state");
  if (state.stage === "steps") {
    at = Math.max(
      0,
      state.steps.findIndex((step) => !step.done),
    );
    await enter();
  } else if (state.stage === "elsewhere") {
    showAgain = showElsewhere;
    showElsewhere();
  } else if (state.stage) {
    const { stage, ended } = state;
    showAgain = () => showDoor(stage, ended);
    showDoor(stage, ended);
  } else {
    show(el("section", { class: "card" }, heading(text("title")), el("p", {}, text("offline"))));
  }
}

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Remember what was typed, but for secrets, so that the form can be built anew. */
function keepTyped() {
  const form = main.querySelector("form[data-step]");
  const step = state.steps?.find(({ name }) => name === form?.dataset.step);
  if (step) {
    const shown = step.fields.filter(({ kind }) => kind !== "secret" && kind !== "password");
    Object.assign(step.answers, answersOf(form, shown));
  }
}

/** The gateway starts in place of the set-up; show its first reading. */
async function finish({ meter, here_only: hereOnly, service }) {
  const words = el("p", { role: "status" }, text("done_starting"));
  const card = el("section", { class: "card" }, heading(text("done_title")), words);
  const here = hereOnly && !["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);
  show(card);
  if (service || here) {
    setText(words, service ? text("done_service") : text("done_here_only", { url: `http://127.0.0.1:${state.port}` }));
    return;
  }
  const until = Date.now() + PATIENCE;
  let answered = false;
  while (Date.now() < until) {
    await pause(700);
    const value = await firstReading(meter);
    answered ||= value !== undefined;
    if (typeof value === "object" && value !== null) {
      setText(words, text("done_running"));
      const power = el("p", { class: "setup-power", id: "first-power", "data-value": String(value.power) }, String(Math.abs(value.power)), el("small", {}, " W"));
      card.append(power, el("p", {}, text(value.power < 0 ? "done_gives" : "done_draws")));
      break;
    }
  }
  if (!card.querySelector("#first-power")) {
    setText(words, text(answered ? "done_no_reading" : "done_slow"));
  }
  card.append(el("div", { class: "setup-buttons" }, openPage()));
}

function openPage() {
  const button = el("button", { type: "button" }, text("done_open"));
  button.addEventListener("click", () => location.assign("./"));
  return button;
}

/** Undefined while the gateway does not answer, null while it has no reading. */
async function firstReading(meter) {
  try {
    const reply = await fetch("api/v1/readings", { cache: "no-store" });
    if (!reply.ok) {
      return undefined;
    }
    const { readings } = await reply.json();
    const of = (name) => readings.find((reading) => reading.meter === meter && reading.name === name)?.value;
    const [drawn, given] = [of("active_power_import"), of("active_power_export")];
    return drawn === undefined && given === undefined ? null : { power: (drawn ?? 0) - (given ?? 0) };
  } catch {
    return undefined;
  }
}

async function begin() {
  const chooser = byId("language");
  chooser.value = firstLanguage();
  await speak(chooser.value);
  setText(byId("language-label"), text("language"));
  chooser.addEventListener("change", async () => {
    await speak(chooser.value);
    setText(byId("language-label"), text("language"));
    keepTyped();
    showAgain();
    chooser.focus();
  });
  const code = codeOfLink();
  await refresh();
  if (code && state.stage === "code") {
    const { form, input } = showDoor("code", state.ended);
    input.value = code;
    form.requestSubmit();
  }
}

begin();
