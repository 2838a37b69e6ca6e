// The view of the meter: who it is, how it is, how good the link to it is, what is behind it, and all of its values.

import { get, path } from "../ask.js";
import { byId, el } from "../dom.js";
import { meterId, page } from "../page.js";
import { text, translate } from "../texts.js";
import * as cards from "./cards.js";
import { drawDevices } from "./devices.js";

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

function build() {
  const head = (key, more = {}) => el("th", { scope: "col", ...more, "data-text": key });
  place.append(
    el(
      "div",
      { class: "cards wide" },
      card("identity-card", "meter", el("dl", { id: "identity", class: "facts" })),
      card("link-card", "link", el("dl", { id: "link", class: "facts" })),
      card("outputs-card", "outputs", el("ul", { id: "outputs", class: "outputs" })),
      card("devices", "devices", el("ul", { id: "devices-list", class: "devices-list" })),
      card(
        "readings",
        "all_readings",
        el(
          "div",
          { class: "table-scroll", tabindex: "0", role: "group", "aria-labelledby": "readings-title" },
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
  byId("readings").hidden = Object.keys(meter.groups).length === 0 || !state.sources;
  if (!byId("readings").hidden) {
    cards.drawReadings(meter, state.sources);
  }
}

async function refresh() {
  const meter = meterId();
  if (state.meter !== meter) {
    state.meter = meter;
    drawDevices([]);
  }
  if (!state.sources) {
    const list = await get("api/v1/sources");
    state.sources = new Map((Array.isArray(list) ? list : []).map((source) => [source.name, source]));
    draw();
  }
  // They change once an hour or less often, so they are asked for and not sent.
  const devices = meter ? await get(path("devices", { meter })) : null;
  if (meter === meterId() && Array.isArray(devices)) {
    drawDevices(devices);
  }
}

build();

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
  refresh,
};
