// The meter's own load profile of a day, read when somebody asks for it: the meter is read for seconds, so never by itself.

import { get, path } from "../../data/ask.js";
import { clock } from "../../data/clock.js";
import { byId, el, setText } from "../../dom.js";
import { hourTime, number, zoned } from "../../texts/format.js";
import { label } from "../../texts/labels.js";
import { text } from "../../texts/texts.js";

/** The API reads no older days. */
const DAYS = 34;
const DAY = 86_400_000;
/** Problems by the status of the reply. */
const PROBLEMS = { 403: "profile_forbidden", 404: "profile_none", 503: "profile_later" };

const state = { meter: null, asked: 0 };

/** The parts of the card, below its head. */
export function profileParts() {
  return [
    el("p", { class: "muted small", "data-text": "profile_hint" }),
    el(
      "p",
      { class: "filter" },
      el("label", {}, el("span", { "data-text": "profile_day" }), " ", el("input", { id: "profile-day", type: "date" })),
      " ",
      el("button", { id: "profile-read", type: "button", class: "quiet", "data-text": "profile_read" }),
    ),
    el("p", { id: "profile-said", class: "muted", role: "status" }),
    el(
      "div",
      { id: "profile-scroll", class: "table-scroll", tabindex: "0", role: "group", "data-label": "profile", hidden: "" },
      el("table", {}, el("thead", { id: "profile-head" }), el("tbody", { id: "profile-rows" })),
    ),
  ];
}

function say(words) {
  setText(byId("profile-said"), words);
}

function value(channel, reading, status, sources) {
  if (reading !== null) {
    const decimals = sources.get(channel.name)?.decimals ?? (Number.isInteger(reading) ? 0 : 3);
    return el("td", { class: "number" }, number(reading, decimals));
  }
  return el("td", { class: "number muted" }, text(`profile_status_${status}`) || text("profile_no_value"));
}

/** What happened in an interval, and what is odd about its values. Summer time has no words: it is nothing that happened. */
function notes({ flags, values, status }) {
  const odd = status.filter((one, place) => one !== "ok" && values[place] !== null);
  const words = [...flags.map((flag) => text(`profile_${flag}`)), ...new Set(odd.map((one) => text(`profile_status_${one}`)))];
  return words.filter(Boolean).join(" \u00b7 ");
}

function draw({ channels, intervals }, sources) {
  const unit = (channel) => (channel.unit ? `, ${channel.unit}` : "");
  const name = (channel) => (channel.name ? label(channel.name) : channel.label);
  const noted = intervals.map(notes);
  const any = noted.some(Boolean);
  byId("profile-head").replaceChildren(
    el(
      "tr",
      {},
      el("th", { scope: "col" }, text("time")),
      ...channels.map((channel) => el("th", { scope: "col", class: "number" }, name(channel) + unit(channel))),
      ...(any ? [el("th", { scope: "col" }, text("note"))] : []),
    ),
  );
  byId("profile-rows").replaceChildren(
    ...intervals.map((one, row) =>
      el(
        "tr",
        {},
        el("th", { scope: "row" }, `${hourTime(new Date(one.start))}\u2013${hourTime(new Date(one.end))}`),
        ...channels.map((channel, place) => value(channel, one.values[place], one.status[place], sources)),
        ...(any ? [el("td", { class: "muted" }, noted[row])] : []),
      ),
    ),
  );
  byId("profile-scroll").hidden = intervals.length === 0;
  say(intervals.length === 0 ? text("profile_empty") : "");
}

async function read(sources) {
  const asked = (state.asked += 1);
  const { meter } = state;
  byId("profile-read").disabled = true;
  say(text("profile_reading"));
  const found = await get(path("profile", { meter, day: byId("profile-day").value || null }));
  if (asked !== state.asked) {
    return; // another meter is shown meanwhile
  }
  byId("profile-read").disabled = false;
  if (found && !found.problem) {
    draw(found, sources());
    return;
  }
  byId("profile-scroll").hidden = true;
  say(text(PROBLEMS[found?.problem.status] ?? "profile_failed"));
}

/** Offer the profile of a meter; nothing is read before somebody asks. */
export function offerProfile(meter) {
  const today = clock.today();
  byId("profile-card").hidden = !meter || !today;
  if (today) {
    byId("profile-day").max = zoned(today);
    byId("profile-day").min = zoned(new Date(today - DAYS * DAY));
    byId("profile-day").value ||= zoned(today);
  }
  if (state.meter !== meter) {
    Object.assign(state, { meter, asked: state.asked + 1 });
    byId("profile-read").disabled = false;
    byId("profile-scroll").hidden = true;
    say("");
  }
}

/** Take the card into use; ``sources`` gives what readings are called and how exact they are. */
export function listenProfile(sources) {
  byId("profile-read").addEventListener("click", () => read(sources));
}
