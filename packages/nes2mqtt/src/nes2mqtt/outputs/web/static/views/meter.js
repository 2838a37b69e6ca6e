// The view of the meter: who it is, how it is, how good the link to it is, what is behind it, and all of its values.

import { get, path } from "../data/ask.js";
import { byId, el } from "../dom.js";
import { meterId, page } from "../page.js";
import { bring, text, translate } from "../texts/texts.js";
import * as cards from "./cards.js";
import { drawCondition } from "./meter/condition.js";
import { drawDevices } from "./meter/devices.js";
import { drawEvents, listen } from "./meter/events.js";
import { drawGaps } from "./meter/gaps.js";
import { listenProfile, offerProfile, profileParts } from "./meter/profile.js";

await bring("meter");

const place = byId("view-meter");
const state = { meter: null, sources: null };

function card(id, title, ...children) {
  return el(
    "section",
    { id, class: "card", "aria-labelledby": `${id}-title`, hidden: "" },
    el("div", { class: "card-head" }, el("h2", { id: `${id}-title`, "data-text": title })),
    ...children,
  );
}

/** A table that may be wider than its card. */
function scrolled(label, table) {
  return el("div", { class: "table-scroll", tabindex: "0", role: "group", "data-label": label }, table);
}

function kinds() {
  const option = (value, key) => el("option", { value, "data-text": key });
  return el("select", { id: "events-kind" }, option("", "events_all"), option("event", "events_only"), option("outage", "outages_only"));
}

function build() {
  const head = (key, more = {}) => el("th", { scope: "col", ...more, "data-text": key });
  place.append(
    el(
      "div",
      { id: "meter-cards", class: "cards wide", hidden: "" },
      card("complaints-card", "complaints", el("ul", { id: "complaints", class: "outputs" }), el("p", { id: "complaints-hint", class: "muted small" })),
      card("identity-card", "meter", el("dl", { id: "identity", class: "facts" })),
      card("link-card", "link", el("dl", { id: "link", class: "facts" })),
      card("outputs-card", "outputs", el("ul", { id: "outputs", class: "outputs" })),
      card("state-card", "state", el("dl", { id: "state", class: "facts" })),
      card("tariff-card", "tariff", el("dl", { id: "tariff", class: "facts" })),
      card("devices", "devices", el("ul", { id: "devices-list", class: "devices-list" })),
      card(
        "quality-card",
        "quality",
        scrolled("quality", el("table", { id: "quality" })),
        el("dl", { id: "quality-facts", class: "facts" }),
        el("p", { id: "quality-hint", class: "muted small" }),
      ),
      card(
        "events-card",
        "events",
        el("label", { class: "filter" }, el("span", { "data-text": "events_show" }), " ", kinds()),
        scrolled("events", el("table", {}, el("thead", { class: "unseen" }, el("tr", {}, head("time"), head("event"), head("note"))), el("tbody", { id: "events" }))),
        el("p", {}, el("button", { id: "events-more", type: "button", class: "quiet", "data-text": "events_more" })),
      ),
      card("gaps-card", "gaps", scrolled("gaps", el("table", {}, el("thead", {}, el("tr", {}, head("gap_time"), head("gap_outcome"))), el("tbody", { id: "gaps" })))),
      card("profile-card", "profile", ...profileParts()),
      el(
        "details",
        { id: "console-card", class: "card readings", hidden: "" },
        el("summary", { "data-text": "console" }),
        el("div", { id: "console" }),
      ),
      el(
        "details",
        { id: "readings", class: "card readings", hidden: "" },
        el("summary", { "data-text": "all_readings" }),
        scrolled(
          "all_readings",
          el(
            "table",
            {},
            el("thead", {}, el("tr", {}, head("reading"), head("value", { class: "number" }), head("received"))),
            el("tbody", { id: "readings-rows" }),
          ),
        ),
        el("p", { class: "links" }, el("a", { href: "api/v1/openapi.json" }, "API"), " ", el("a", { href: "metrics" }, "Prometheus")),
      ),
    ),
  );
  translate(place);
}

function draw() {
  const { meter, status } = page;
  if (!meter) {
    return;
  }
  cards.drawIdentity(meter);
  cards.drawLink(meter);
  cards.drawOutputs(status);
  byId("readings").hidden = Object.keys(meter.groups).length === 0;
  if (byId("readings").open && state.sources) {
    cards.drawReadings(meter, state.sources);
  }
}

async function drawConsole() {
  if (byId("console-card").open && meterId()) {
    const { openConsole } = await import("./meter/console.js");
    openConsole(meterId());
  }
}

async function refresh() {
  const meter = meterId();
  if (state.meter !== meter) {
    state.meter = meter;
    drawDevices([]);
    drawCondition(null);
    drawGaps([]);
  }
  if (!meter) {
    return;
  }
  if (!state.sources) {
    const list = await get("api/v1/sources");
    state.sources = new Map((Array.isArray(list) ? list : []).map((source) => [source.name, source]));
    draw();
  }
  // All of these change each few minutes at most, so they are asked for and not sent.
  const [condition, devices, gaps] = await Promise.all([
    get(path("condition", { meter })),
    get(path("devices", { meter })),
    page.status?.gateway.history ? get(path("gaps", { meter })) : null,
    drawEvents(meter),
  ]);
  if (meter !== meterId()) {
    return;
  }
  // All cards come at once, so that none jumps.
  byId("meter-cards").hidden = false;
  offerProfile(meter);
  byId("console-card").hidden = false;
  drawConsole();
  if (Array.isArray(condition)) {
    drawCondition(condition[0]);
  }
  if (Array.isArray(devices)) {
    drawDevices(devices);
  }
  if (gaps && !gaps.problem) {
    drawGaps(gaps.gaps);
  }
}

build();
listen();
listenProfile(() => state.sources ?? new Map());
byId("readings").addEventListener("toggle", draw);
byId("console-card").addEventListener("toggle", drawConsole);

export const view = {
  place,
  title: () => `${text("meter")} \u00b7 ${page.meter?.status?.info.name || meterId() || ""}`,
  show() {
    place.hidden = false;
    draw();
    refresh();
  },
  hide() {
    place.hidden = true;
  },
  draw,
  happened: () => drawEvents(meterId()),
  refresh,
};
