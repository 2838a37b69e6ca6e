// What each card shows of a meter. A card whose values the meter does not send is not there;
// a value that is not there is not shown as anything.

import { clock } from "../data/clock.js";
import { byId, el, fillList, setText, setValue } from "../dom.js";
import { ago, heardTime, hourTime, number, span } from "../texts/format.js";
import { label } from "../texts/labels.js";
import { outputWords } from "../texts/messages.js";
import { text } from "../texts/texts.js";

/** A value of the meter: { number, stale } or undefined. */
function value(meter, key) {
  for (const group of Object.values(meter.groups)) {
    if (key in group.values) {
      return { number: group.values[key], stale: group.quality !== "good" };
    }
  }
  return undefined;
}

/** When a group was heard, in words; of an old one also how long ago that is. */
export function heardWords(group) {
  const date = clock.date(group.instant);
  const age = ago(clock.now() - group.instant);
  return date ? text("last_heard", { time: heardTime(date, clock.today()), age }) : text("last_heard_age", { age });
}

/** Net power in W, positive when drawn from the grid; undefined when the meter sends neither. */
export function netPower(meter) {
  const imported = value(meter, "active_power_import");
  const exported = value(meter, "active_power_export");
  if (!imported && !exported) {
    return undefined;
  }
  return { ...(imported ?? exported), number: (imported?.number ?? 0) - (exported?.number ?? 0) };
}

export function flowOf(watts) {
  if (watts === 0) {
    return "balanced";
  }
  return watts > 0 ? "importing" : "exporting";
}

function show(id, visible) {
  byId(id).hidden = !visible;
  return visible;
}

export function drawNow(meter, curve) {
  const power = netPower(meter);
  // What the history remembers of the last hour is shown though nothing has been heard yet.
  show("minutes", Boolean(power));
  show("hour", Boolean(power) || curve.times.length > 0);
  if (!show("now", Boolean(power))) {
    return;
  }
  const flow = flowOf(power.number);
  byId("now").dataset.flow = flow;
  byId("now").classList.toggle("stale", power.stale);
  setText(byId("now-words"), text(flow));
  const digits = number(Math.abs(power.number));
  // The number is as large as the card has room for, in whatever font the reader has.
  byId("now").style.setProperty("--digits", String(Math.max(3, digits.length)));
  setValue(byId("now-value"), "net_power", power.number, digits);
  const more = [
    ["apparent_power", 0, "VA"],
    ["frequency", 2, "Hz"],
  ]
    .map(([key, decimals, unit]) => [value(meter, key), decimals, unit])
    .filter(([found]) => found)
    .map(([found, decimals, unit]) => `${number(found.number, decimals)} ${unit}`);
  setText(byId("now-more"), more.join("  ·  "));
  drawOwnUse(meter);
}

/** What the inverter gives and the house uses, in W: { solar, house, share }; undefined unless both are known now. */
export function ownUse(meter) {
  const power = netPower(meter);
  const solar = meter.production;
  if (!power || power.stale || solar?.quality !== "good") {
    return undefined;
  }
  const house = solar.power + power.number;
  // The two are not read at one moment: what cannot be true is not said.
  if (house < 0) {
    return undefined;
  }
  return { solar: solar.power, house, share: solar.power > 0 ? Math.min(1, house / solar.power) : undefined };
}

/** Where an inverter is heard its place stays, whether it is known or not: nothing below jumps at dusk. */
function drawOwnUse(meter) {
  byId("now-own").hidden = meter.production === undefined;
  const own = ownUse(meter);
  const watts = (value) => (own ? `${number(value)} W` : "\u2013");
  const share = own?.share === undefined ? "\u2013" : `${number(Math.round(own.share * 100))} %`;
  fillList(byId("now-own"), [
    [text("now_solar"), watts(own?.solar)],
    [text("now_house"), watts(own?.house)],
    [text("now_own"), share],
  ]);
}

const PHASES = [1, 2, 3];

function phaseOf(meter, phase) {
  const imported = value(meter, `active_power_import_l${phase}`);
  const exported = value(meter, `active_power_export_l${phase}`);
  const watts = imported || exported ? (imported?.number ?? 0) - (exported?.number ?? 0) : undefined;
  return {
    phase,
    watts,
    volts: value(meter, `voltage_l${phase}`),
    amperes: value(meter, `current_l${phase}`),
    stale: [imported, exported].some((part) => part?.stale),
  };
}

function phaseCard() {
  return el(
    "div",
    { class: "phase" },
    el("h3"),
    el("p", { class: "phase-power" }, el("span", { class: "value" }), el("span", { class: "unit" }, "W")),
    el("div", { class: "balance", "aria-hidden": "true" }, el("i")),
    el("p", { class: "phase-more" }, el("span"), el("span")),
  );
}

/** The phases of which the meter tells something: { phase, watts, volts, amperes, stale }. */
export function phasesOf(meter) {
  return PHASES.map((phase) => phaseOf(meter, phase)).filter(({ watts, volts, amperes }) => watts !== undefined || volts || amperes);
}

/** fuse: { current, near } in A, of each phase; null where it is not known. */
export function drawPhases(meter, fuse) {
  const phases = phasesOf(meter);
  if (!show("phases", phases.length > 0)) {
    return;
  }
  const list = byId("phases-list");
  while (list.children.length > phases.length) {
    list.lastElementChild.remove();
  }
  // Where the fuse is known a bar is the current against it. Else bars compare the phases with each other; a floor keeps a
  // sleeping house from looking busy.
  const scale = Math.max(200, ...phases.map(({ watts }) => Math.abs(watts ?? 0)));
  const share = ({ watts, amperes }) => (fuse ? amperes && amperes.number / fuse.current : watts !== undefined && Math.abs(watts) / scale);
  const near = ({ amperes }) => Boolean(fuse && amperes && !amperes.stale && amperes.number > fuse.near);
  list.style.setProperty("--phases", String(phases.length));
  list.style.setProperty("--digits", String(Math.max(3, ...phases.map(({ watts }) => number(watts ?? 0).length))));
  byId("phases-full").hidden = !phases.some((one) => Number.isFinite(share(one)));
  setText(byId("phases-full"), fuse ? text("bar_fuse", { amperes: number(fuse.current, fuse.current % 1 ? 1 : 0) }) : text("bar_full", { watts: number(scale) }));
  const close = phases.filter(near).map(({ phase }) => `L${phase}`);
  // Its place stays: around the limit it would come and go each second.
  byId("phases-near").hidden = !fuse;
  setText(byId("phases-near"), close.length > 0 ? text("fuse_near", { phases: close.join(", ") }) : "");
  phases.forEach((one, index) => {
    const { phase, watts, volts, amperes, stale } = one;
    const card = list.children[index] ?? list.appendChild(phaseCard());
    const [title, power, balance, more] = card.children;
    card.classList.toggle("stale", stale);
    setText(title, `L${phase}`);
    power.hidden = watts === undefined;
    balance.hidden = !Number.isFinite(share(one));
    card.classList.toggle("near", near(one));
    if (watts !== undefined) {
      card.dataset.flow = flowOf(watts);
      setValue(power.firstElementChild, `net_power_l${phase}`, watts, number(watts));
    }
    balance.firstElementChild.style.width = `${Math.min(1, share(one) || 0) * 100}%`;
    setMore(more.firstElementChild, `voltage_l${phase}`, volts, 1, "V");
    setMore(more.lastElementChild, `current_l${phase}`, amperes, 2, "A");
  });
}

function setMore(element, key, found, decimals, unit) {
  element.hidden = !found;
  if (found) {
    setValue(element, key, found.number, `${number(found.number, decimals)} ${unit}`);
  }
}

export function drawTotals(meter) {
  const totals = [
    ["import", "active_energy_import"],
    ["export", "active_energy_export"],
  ]
    .map(([direction, key]) => ({ direction, key, found: value(meter, key) }))
    .filter(({ found }) => found);
  if (!show("totals", totals.length > 0)) {
    return;
  }
  byId("totals").classList.toggle("stale", totals.some(({ found }) => found.stale));
  const list = byId("totals-list");
  while (list.children.length > totals.length) {
    list.lastElementChild.remove();
  }
  totals.forEach(({ direction, key, found }, index) => {
    const row =
      list.children[index] ??
      list.appendChild(
        el("div", {}, el("dt"), el("dd", {}, el("span", { class: "value" }, el("span"), el("small")), el("span", { class: "unit" }, "kWh"))),
      );
    row.className = direction;
    setText(row.firstElementChild, text(direction));
    const digits = row.querySelector(".value");
    digits.dataset.key = key;
    digits.dataset.value = String(found.number);
    // The meter's display shows whole kWh; what comes after the point is written smaller.
    const written = number(found.number, 3);
    setText(digits.firstElementChild, written.slice(0, -4));
    setText(digits.lastElementChild, written.slice(-4));
  });
}

export function drawIdentity(meter) {
  const info = meter.status?.info;
  const rows = info ? identity(meter, info) : [];
  show("identity-card", rows.length > 0);
  fillList(byId("identity"), rows);
}

export function drawLink(meter) {
  const rows = meter.status ? link(meter.status) : [];
  show("link-card", rows.length > 0);
  fillList(byId("link"), rows);
}

function identity(meter, info) {
  const rows = [
    [text("model"), [info.manufacturer, info.model].filter(Boolean).join(" ")],
    [text("serial"), info.serial],
    [text("firmware"), info.firmware],
  ];
  const ahead = meter.status.clock_ahead;
  if (ahead !== null) {
    const seconds = Math.round(ahead);
    const now = clock.today();
    const time = now ? hourTime(new Date(now.getTime() + ahead * 1000)) : "";
    rows.push([text("clock"), now && Math.abs(seconds) > 1 ? text("clock_off", { time, seconds: (seconds > 0 ? "+" : "") + number(seconds) }) : time]);
  }
  return rows.filter(([, words]) => words);
}

function link(status) {
  return [...answers(status), ...module(status.module ?? {})];
}

/** What a module in the meter tells of itself. */
function module(told) {
  return [
    [text("module_firmware"), told.firmware],
    [text("module_uptime"), told.uptime === undefined ? "" : span(told.uptime)],
    [text("module_wifi"), told.wifi_strength === undefined ? "" : `${number(told.wifi_strength)} dBm`],
    [text("module_memory"), told.free_memory === undefined ? "" : `${number(told.free_memory / 1000)} kB`],
    [text("module_restart"), text(`restart_${told.restart_reason}`) || told.restart_reason],
  ].filter(([, words]) => words);
}

function answers({ state, link: counts }) {
  if (!counts.requests) {
    return [];
  }
  const share = Math.min(1, counts.replies / counts.requests);
  // The counts are since the gateway started: a share of them says nothing of a meter that is silent now.
  const answered = state === "online" ? `${number(Math.floor(share * 1000) / 10, 1)} %` : text("answered_none");
  const rows = [[text("answered"), answered]];
  for (const name of ["retries", "corrupt", "resyncs", "power_cycles", "rejected"]) {
    // What never happened in most houses is shown only where it did.
    if (counts[name] || name === "retries" || name === "corrupt") {
      rows.push([text(name), number(counts[name])]);
    }
  }
  return rows;
}

export function drawOutputs(status) {
  if (!show("outputs-card", Boolean(status))) {
    return;
  }
  const list = byId("outputs");
  while (list.children.length > status.outputs.length) {
    list.lastElementChild.remove();
  }
  status.outputs.forEach((output, index) => {
    const row = list.children[index] ?? list.appendChild(el("li", {}, el("span", { class: "mark" }), el("b"), el("span")));
    const [mark, name, message] = row.children;
    const worded = outputWords(output);
    row.className = output.ok ? "ok" : "trouble";
    setText(mark, output.ok ? "\u2713" : "!");
    setText(name, worded.name);
    setText(message, worded.words);
  });
}

/** Mark the groups that are stale, and say when they were last heard. */
export function drawAges(meter) {
  for (const note of document.querySelectorAll("[data-heard]")) {
    const group = meter.groups[note.dataset.heard];
    note.hidden = !group || group.quality === "good";
    if (!note.hidden) {
      // Said in full once; the other cards tell their age.
      setText(note, note.closest("#now") || byId("now").hidden ? heardWords(group) : ago(clock.now() - group.instant));
    }
  }
}

export function drawReadings(meter, sources) {
  const rows = Object.values(meter.groups).flatMap((group) =>
    Object.entries(group.values).map(([key, reading]) => ({ key, reading, group })),
  );
  const today = clock.today();
  const received = (group) => (today ? heardTime(clock.date(group.instant), today) : ago(clock.now() - group.instant));
  byId("readings-rows").replaceChildren(
    ...rows.map(({ key, reading, group }) => {
      const source = sources.get(key);
      const decimals = source?.decimals ?? 0;
      return el(
        "tr",
        group.quality === "good" ? {} : { class: "stale" },
        el("th", { scope: "row" }, label(key), " ", el("code", {}, key)),
        el("td", { class: "number", "data-key": key, "data-value": reading }, `${number(reading, decimals)} ${source?.unit ?? ""}`.trim()),
        el("td", {}, received(group)),
      );
    }),
  );
}
