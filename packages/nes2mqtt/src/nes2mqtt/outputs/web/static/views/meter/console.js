// For the curious: the tables of the meter, raw and decoded, and the last requests that went to it. Read when somebody asks for it;
// nothing is written. Loaded when the card is opened.

import { get, path } from "../../data/ask.js";
import { byId, el, setText } from "../../dom.js";
import { clockTime, dayTime, number } from "../../texts/format.js";
import { text, translate } from "../../texts/texts.js";

const PROBLEMS = { 403: "console_hidden", 404: "console_none", 503: "profile_later" };

/** built: how often the card was made anew; pending: questions without an answer. */
const state = { meter: null, built: 0, pending: 0 };

/** Say how it went; while another question has no answer, that. */
const say = (words) => setText(byId("console-said"), words || (state.pending > 0 ? text("profile_reading") : ""));
const titled = (table, title) => (title ? `${table} \u00b7 ${title}` : table);

function build() {
  const button = (id, key) => el("button", { id, type: "button", class: "quiet", "data-text": key });
  const scrolled = (id, label, ...children) => el("div", { id, class: "table-scroll", tabindex: "0", role: "group", "data-label": label, hidden: "" }, ...children);
  byId("console").replaceChildren(
    el("p", { class: "muted small", "data-text": "console_hint" }),
    el("p", { class: "filter" }, button("console-list", "console_list"), " ", button("console-requests", "console_requests")),
    el(
      "p",
      { id: "console-choice", class: "filter", hidden: "" },
      el("label", {}, el("span", { "data-text": "console_table" }), " ", el("select", { id: "console-table" })),
      " ",
      button("console-read", "profile_read"),
    ),
    el("p", { id: "console-said", class: "muted", role: "status" }),
    scrolled("console-shown", "console_table", el("table", { id: "console-fields" })),
    scrolled("console-log", "console_requests", el("table", { id: "console-rows" })),
  );
  translate(byId("console"));
  byId("console-list").addEventListener("click", list);
  byId("console-read").addEventListener("click", read);
  byId("console-requests").addEventListener("click", requests);
}

/** Ask once; null when another meter is shown meanwhile, or when why there is no answer has been said. */
async function ask(address, button) {
  const { built } = state;
  byId(button).disabled = true;
  state.pending += 1;
  say(text("profile_reading"));
  const found = await get(address);
  if (built !== state.built) {
    return null;
  }
  byId(button).disabled = false;
  state.pending -= 1;
  if (found && !found.problem) {
    say("");
    return found;
  }
  say(text(PROBLEMS[found?.problem.status] ?? "profile_failed"));
  return null;
}

async function list() {
  const found = await ask(path("tables", { meter: state.meter }), "console-list");
  if (found) {
    byId("console-choice").hidden = found.length === 0;
    byId("console-table").replaceChildren(
      ...found.map(({ table, title, hidden }) => el("option", { value: table, ...(hidden ? { disabled: "" } : {}) }, titled(table, title))),
    );
    say(text("console_count", { count: found.length }));
  }
}

const head = (...keys) => el("thead", {}, el("tr", {}, ...keys.map((key) => el("th", { scope: "col" }, text(key)))));

async function read() {
  const found = await ask(path("table", { meter: state.meter, table: byId("console-table").value }), "console-read");
  byId("console-shown").hidden = !found;
  if (!found) {
    return;
  }
  byId("console-fields").replaceChildren(
    el("caption", {}, [titled(found.table, found.title), found.time && dayTime(new Date(found.time))].filter(Boolean).join(", ")),
    head("console_offset", "console_bytes", "console_field", "value"),
    el(
      "tbody",
      {},
      ...found.fields.map(({ offset, hex, name, value, unit }) =>
        el(
          "tr",
          {},
          el("th", { scope: "row" }, String(offset)),
          el("td", { class: "raw" }, hex ?? text("console_veiled")),
          el("td", {}, name),
          el("td", {}, `${value} ${unit}`.trim()),
        ),
      ),
    ),
  );
  say(found.read < found.size ? text("console_part", { read: number(found.read), size: number(found.size) }) : "");
}

/** What was asked, in words. */
function asked({ verb, table, title, offset, asked: count }) {
  if (!verb) {
    return "";
  }
  const what = text(`console_${verb}`, { table: titled(table, title) });
  return count === null ? what : `${what}, ${text("console_stretch", { count: number(count), offset: number(offset ?? 0) })}`;
}

function outcome({ outcome: how, size, code }) {
  const words = text(`console_${how}`);
  if (size !== null) {
    return `${words} \u00b7 ${text("console_size", { count: size })}`;
  }
  return code === null ? words : `${words} \u00b7 0x${code.toString(16).toUpperCase().padStart(2, "0")}`;
}

async function requests() {
  const found = await ask(path("requests", { meter: state.meter }), "console-requests");
  byId("console-log").hidden = !found;
  if (!found) {
    return;
  }
  byId("console-rows").replaceChildren(
    el("caption", {}, text("console_requests")),
    head("time", "console_asked", "console_outcome"),
    el(
      "tbody",
      {},
      ...found.map((one) => el("tr", {}, el("th", { scope: "row" }, one.time ? clockTime(new Date(one.time)) : ""), el("td", {}, asked(one)), el("td", {}, outcome(one)))),
    ),
  );
  say(found.length === 0 ? text("console_quiet") : "");
}

/** Show the console of a meter: nothing is read before somebody asks. */
export function openConsole(meter) {
  if (state.meter === meter) {
    return;
  }
  Object.assign(state, { meter, built: state.built + 1, pending: 0 });
  build();
}
