// The view of the settings: every section of the configuration as a form, then what would change, then the password, and the
// gateway begins anew. Secrets go in and never come out. What is asked comes from the gateway.

import { get, post } from "../data/ask.js";
import { byId, el, setText } from "../dom.js";
import { page, say } from "../page.js";
import { bring, language, text, translate } from "../texts/texts.js";
import { makeField, marked, told } from "./settings/form.js";
import { namesOf, problemWords, sectionName, title } from "./settings/words.js";

await bring("settings");

const place = byId("view-settings");
const AGAIN = 1_000;
const PATIENCE = 90_000;
const state = { picture: null, sections: [], removed: new Set(), shown: false };

/** The style of this view comes with it. */
function styled() {
  return new Promise((done) => {
    const link = el("link", { rel: "stylesheet", href: "static/styles/settings.css" });
    link.addEventListener("load", done);
    link.addEventListener("error", done);
    document.head.append(link);
  });
}

function build() {
  place.append(
    el("h2", { class: "settings-title", "data-text": "settings" }),
    el("p", { id: "settings-about", class: "muted" }),
    el("div", { id: "settings-closed", class: "banner", role: "status", hidden: "" }),
    el("div", { id: "settings-list", class: "settings-list" }),
    el("div", { id: "settings-add", class: "settings-add", hidden: "" }),
    el("div", { id: "settings-said", class: "banner", role: "alert", hidden: "" }),
    el(
      "section",
      { id: "settings-review", class: "card settings-review", "aria-labelledby": "settings-review-title", tabindex: "-1", hidden: "" },
    ),
    el(
      "div",
      { id: "settings-bar", class: "settings-bar", hidden: "" },
      el("span", { id: "settings-count" }),
      el("button", { id: "settings-forget", type: "button", class: "quiet", "data-text": "settings_forget" }),
      el("button", { id: "settings-look", type: "button", "data-text": "settings_look" }),
    ),
  );
  translate(place);
  byId("settings-look").addEventListener("click", look);
  byId("settings-forget").addEventListener("click", load);
  byId("settings-list").addEventListener("input", count);
}

const open = () => state.picture.closed === "" || state.picture.closed === "not_writable";

async function load() {
  const picture = await get(`api/v1/settings?language=${language}`);
  byId("settings-review").hidden = true;
  byId("settings-said").hidden = true;
  if (!picture || picture.problem) {
    closed("none");
    return;
  }
  state.picture = picture;
  state.removed = new Set();
  setText(byId("settings-about"), picture.file ? text("settings_about", { file: picture.file }) : "");
  closed(picture.closed || (picture.problems.length ? "wrong" : ""));
  state.sections = [];
  const present = picture.sections.filter(({ absent }) => !absent);
  byId("settings-list").replaceChildren(...present.map((section) => drawSection(section, false)));
  drawAdd();
  count();
}

function closed(why) {
  byId("settings-closed").hidden = !why;
  setText(byId("settings-closed"), why ? text(`settings_closed_${why}`, { file: state.picture?.file ?? "" }) : "");
}

function drawSection(section, added) {
  const id = `settings-${section.path.join("-") || "top"}`;
  const fields = section.fields.map((field, index) =>
    makeField({ ...field, keep: section.path[0] === "web" && field.name === "password" }, `${id}-${index}`, open()),
  );
  const error = el("p", { class: "settings-error", role: "alert", hidden: "" });
  const body = el("div", { class: "settings-body" }, el("p", { class: "muted" }, ...marked(section.about)), error, ...fields.map(({ element }) => element));
  const summary = el("summary", {}, el("span", {}, title(section)), " ", el("code", {}, sectionName(section.path)));
  const element = el("details", { id, class: "card settings-section" }, summary, body);
  const one = { section, fields, element, error, added };
  if (section.path.length > 1 && typeof section.path.at(-1) !== "number" && section.path[0] !== "meters") {
    element.classList.add("within");
  }
  if ((section.removable || added) && open()) {
    const button = el("button", { type: "button", class: "quiet" }, text("settings_remove"));
    button.addEventListener("click", () => remove(one));
    body.append(button);
  }
  state.sections.push(one);
  return element;
}

function remove(one) {
  const begins = (path) => one.section.path.every((step, index) => path[index] === step);
  const inside = state.sections.filter(({ section }) => begins(section.path));
  for (const each of inside) {
    each.element.remove();
  }
  state.sections = state.sections.filter((each) => !inside.includes(each));
  if (!one.added) {
    state.removed.add(JSON.stringify(one.section.path));
  }
  drawAdd();
  count();
  byId("settings-look").focus();
}

/** Buttons for the sections that could be. */
function drawAdd() {
  const absent = state.picture.sections.filter((section) => section.absent);
  const there = (path) => state.sections.some(({ section }) => JSON.stringify(section.path) === JSON.stringify(path));
  const parentOf = (path) => path.slice(0, typeof path.at(-1) === "number" || path.at(-1) === "" ? -2 : -1);
  const parentThere = (path) => parentOf(path).length === 0 || there(parentOf(path));
  const next = (path) => (typeof path.at(-1) === "number" && (there(path) || state.removed.has(JSON.stringify(path))) ? next([...path.slice(0, -1), path.at(-1) + 1]) : path);
  const offered = absent.map((section) => ({ ...section, path: next(section.path) }));
  const buttons = offered.filter(({ path }) => parentThere(path) && !there(path)).map((section) => {
    const button = el("button", { type: "button", class: "light" }, `${title(section)} `, el("code", {}, sectionName(section.path)));
    button.addEventListener("click", () => add(section));
    return button;
  });
  byId("settings-add").hidden = !open() || buttons.length === 0;
  byId("settings-add").replaceChildren(el("h3", {}, text("settings_add")), ...buttons);
}

function add(section) {
  let path = section.path;
  if (path.at(-1) === "") {
    const id = (prompt(text("settings_new_id")) ?? "").trim();
    if (!/^[a-z0-9_]{1,40}$/.test(id)) {
      say(text("settings_new_id"));
      return;
    }
    path = [...path.slice(0, -1), id];
  }
  const element = drawSection({ ...section, path }, true);
  byId("settings-list").append(element);
  element.open = true;
  element.querySelector("summary").focus();
  element.scrollIntoView({ block: "start" });
  drawAdd();
  count();
}

/** What was changed: [{ path, value }]. Of a section that is new all that must be given is sent, and something in any case. */
function changes() {
  const list = [];
  for (const { section, fields, added } of state.sections) {
    const changed = fields.filter((field) => field.changed());
    list.push(...changed.map((field) => ({ path: [...section.path, field.name], value: field.value() })));
    if (added && changed.length === 0) {
      const plain = section.fields.find((field) => field.default !== null && !field.here_only);
      list.push({ path: [...section.path, (plain ?? section.fields[0]).name], value: plain?.default ?? "" });
    }
  }
  // What goes away comes last, of several members of a list the last one first: until then all have the numbers that are shown.
  const gone = [...state.removed].map((path) => ({ path: JSON.parse(path), value: null }));
  return [...list, ...gone.sort((one, other) => numbersOf(other.path) - numbersOf(one.path))];
}

const numbersOf = (path) => path.filter((step) => typeof step === "number").reduce((sum, step) => sum * 1000 + step, 0);

function count() {
  const number = changes().length;
  byId("settings-bar").hidden = number === 0;
  setText(byId("settings-count"), text("settings_count", { count: number }));
}

function saidWords(said) {
  return text(`said_${said.code}`, said.values) || text("settings_not_taken");
}

function tellSaid(words) {
  byId("settings-said").hidden = !words;
  setText(byId("settings-said"), words);
}

/** Ask what the changes would do, and show that, or what is wrong at its field. */
async function look() {
  const asked = changes();
  const answer = await post("api/v1/settings/check", { revision: state.picture.revision, changes: asked });
  clearProblems();
  if (!answer || answer.problem) {
    tellSaid(answer?.problem?.title ? text("settings_not_taken") : text("lost_title"));
    return;
  }
  tellSaid(answer.said ? saidWords(answer.said) : "");
  showProblems(answer.problems);
  if (answer.ok) {
    review(asked, answer);
  }
}

function clearProblems() {
  for (const { fields, error } of state.sections) {
    error.hidden = true;
    fields.forEach((field) => field.problem(null));
  }
}

function showProblems(problems) {
  let first = null;
  for (const problem of problems) {
    const at = JSON.stringify(problem.path);
    const words = problemWords(problem);
    let where = null;
    for (const one of state.sections) {
      const field = one.fields.find(({ name }) => JSON.stringify([...one.section.path, name]) === at);
      if (field?.focus) {
        field.problem(words);
        one.element.open = true;
        where = field;
      } else if (field || JSON.stringify(one.section.path) === at) {
        one.error.replaceChildren(...words);
        one.error.hidden = false;
        one.element.open = true;
        where = { focus: () => one.element.querySelector("summary").focus() };
      }
    }
    if (!where) {
      byId("settings-said").replaceChildren(`${namesOf(problem.path)} `, ...words);
      byId("settings-said").hidden = false;
    }
    first ??= where;
  }
  first?.focus();
}

function fieldOf(path) {
  const parent = JSON.stringify(path.slice(0, -1));
  const section = state.picture.sections.find((one) => JSON.stringify(one.path) === parent);
  return section?.fields.find(({ name }) => name === path.at(-1));
}

function changeWords({ path, value }) {
  const field = fieldOf(path);
  const name = path.at(-1);
  const where = namesOf(path.slice(0, -1));
  if (!field && value === null) {
    return text("settings_change_section_removed", { section: namesOf(path) });
  }
  if (field?.kind === "secret") {
    return text(value === null ? "settings_change_secret_removed" : "settings_change_secret", { name, section: where });
  }
  const words = (found) => (found === null || found === undefined ? text("settings_not_set") : told(field ?? { row: 0 }, found));
  const before = field?.set ? field.value : field?.default;
  const after = value === null ? field?.default : value;
  return text("settings_change", { name, section: where, before: words(before), after: words(after) });
}

function fileLines(lines) {
  const shown = [];
  for (const { path, line, before, after } of lines) {
    shown.push(el("span", { class: "where" }, `${sectionName(path.slice(0, -1))}${line ? `  ${text("settings_line", { line })}` : ""}\n`));
    for (const [sign, words, kind] of [["\u2212", before, "gone"], ["+", after, "new"]]) {
      if (words && before !== after) {
        shown.push(el("span", { class: kind }, `${sign} ${words}\n`));
      }
    }
  }
  return shown;
}

function review(asked, answer) {
  const box = byId("settings-review");
  const cannot = answer.closed === "not_writable";
  const password = el("input", { id: "settings-password", type: "password", autocomplete: "current-password" });
  const error = el("p", { id: "settings-password-error", class: "settings-error", role: "alert", hidden: "" });
  password.setAttribute("aria-describedby", "settings-password-error");
  const take = el("button", {}, text("settings_take"));
  const back = el("button", { type: "button", class: "quiet" }, text("settings_back"));
  const form = el(
    "form",
    { class: "settings-take" },
    ...(cannot
      ? [el("p", {}, text("settings_by_hand", { file: state.picture.file })), el("pre", {}, "sudo systemctl restart nes2mqtt"), back]
      : [el("input", { type: "text", autocomplete: "username", value: "nes2mqtt", hidden: "" }), el("label", { for: "settings-password" }, text("settings_password")), password, error, el("div", { class: "links" }, take, back)]),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    taken(asked, password, error, take);
  });
  back.addEventListener("click", () => {
    box.hidden = true;
    byId("settings-bar").hidden = false;
    byId("settings-look").focus();
  });
  const details = el("details", {}, el("summary", {}, text("settings_in_file", { file: state.picture.file })), el("pre", { tabindex: "0" }, ...fileLines(answer.lines)));
  details.open = cannot;
  box.replaceChildren(
    el("h2", { id: "settings-review-title" }, text("settings_review")),
    el("ul", { class: "settings-changes" }, ...asked.map((one) => el("li", {}, changeWords(one)))),
    ...(answer.files.length ? [el("p", { class: "muted" }, text("settings_new_files", { files: answer.files.join(", ") }))] : []),
    details,
    ...(cannot ? [] : [el("p", { class: "muted" }, text("settings_begins_anew"))]),
    form,
  );
  box.hidden = false;
  byId("settings-bar").hidden = true;
  box.focus();
  box.scrollIntoView({ block: "nearest" });
}

async function taken(asked, password, error, button) {
  button.disabled = true;
  const answer = await post("api/v1/settings", { revision: state.picture.revision, changes: asked, password: password.value });
  button.disabled = false;
  const wrong = { 409: "login_wrong", 429: "login_wait" }[answer?.problem?.status];
  error.hidden = !wrong;
  setText(error, wrong ? text(wrong) : "");
  if (wrong) {
    password.select();
    password.focus();
    return;
  }
  if (!answer || answer.problem || !answer.taken) {
    byId("settings-review").hidden = true;
    tellSaid(answer?.said ? saidWords(answer.said) : text("settings_not_taken"));
    showProblems(answer?.problems ?? []);
    count();
    return;
  }
  await beginAnew(asked, answer);
}

/** Wait until the gateway is there again; where its address may be another one, only say which. */
async function beginAnew(asked, { address: at, before, on_trial: onTrial }) {
  const moved = asked.some(({ path }) => path[0] === "web" && ["listen", "public_url"].includes(path[1]));
  const box = byId("settings-review");
  const words = [el("h2", { id: "settings-review-title" }, text("settings_taken"))];
  const wayBack = () => [el("p", {}, text("settings_way_back", { before })), el("pre", { tabindex: "0" }, `sudo cp -p ${before} ${state.picture.file}\nsudo systemctl restart nes2mqtt`)];
  box.replaceChildren(...words, el("p", {}, moved ? text("settings_moved") : text("settings_wait")), ...(moved ? [el("a", { href: at }, at), ...(onTrial ? [el("p", {}, text("settings_on_trial"))] : []), ...wayBack()] : []));
  box.focus();
  say(text("settings_taken"));
  if (moved) {
    return;
  }
  const end = performance.now() + PATIENCE;
  let away = false;
  while (performance.now() < end) {
    await new Promise((done) => setTimeout(done, AGAIN));
    const reply = await fetch("api/v1/status", { cache: "no-store" }).catch(() => null);
    // Until it is away the old one answers.
    away ||= !reply || page.connected === false;
    if (away && reply) {
      location.reload();
      return;
    }
  }
  box.append(el("p", { class: "settings-error", role: "alert" }, text("settings_stays_away")), ...wayBack());
}

build();
const dressed = styled();

export const view = {
  place,
  title: () => text("settings"),
  async show() {
    await dressed;
    place.hidden = false;
    if (!state.picture) {
      await load();
    }
  },
  hide() {
    place.hidden = true;
  },
  draw() {},
};
