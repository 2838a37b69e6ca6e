// The page: shows what the stand-in pushes, and sends what people do.

import { byId, el, keep, offer, say } from "./dom.js";
import { STATES, choice, clock, path, size } from "./words.js";

let now = null; // what was pushed last
let file = null; // what will be printed

const ACTIONS = [
  ["hold", "Hold", ["Queued", "Printing"]],
  ["restart", "Restart", ["Hold", "Error", "Cancelled", "Printed"]],
  ["cancel", "Cancel", ["Queued", "Hold", "Error", "Printing"]],
  ["delete", "Delete", ["Printed", "Cancelled"]],
];

async function send(address, body, type) {
  const answer = await fetch(address, { method: "POST", headers: { "X-Piprint": "1", ...(type && { "Content-Type": type }) }, body });
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    throw new Error(told.error ?? `the stand-in answered ${answer.status}`);
  }
}

async function act(what) {
  try {
    await send("page/do", JSON.stringify(what), "application/json");
    tell("");
  } catch (error) {
    tell(error.message, true);
  }
}

function tell(words, bad = false) {
  byId("said").classList.toggle("bad", bad);
  say(byId("said"), words);
}

// Printing

const printerNow = () => now?.printers.find((printer) => String(printer.row_no) === byId("printer").value);

async function print(document) {
  const query = new URLSearchParams({ printer: byId("printer").value, name: document?.name ?? "" });
  for (const name of ["source", "paper", "landscape"]) {
    query.set(name, byId(name).value);
  }
  try {
    const labels = /\.zpl$/i.test(document?.name ?? "");
    await send(`page/print?${query}`, document ?? undefined, labels ? "application/vnd.zebra-zpl" : "application/pdf");
    tell(document ? `${document.name} is in the queue.` : "The invoice is in the queue.");
  } catch (error) {
    tell(error.message, true);
  }
}

function choose(chosen) {
  file = chosen ?? null;
  say(byId("drop-title"), file ? file.name : "Drop a PDF or ZPL here");
  say(byId("drop-hint"), file ? size(file.size) : "or click to choose one");
  byId("drop").classList.toggle("full", Boolean(file));
  showForm();
}

function showForm() {
  const ready = Boolean(printerNow());
  byId("go").disabled = !ready || !file;
  byId("sample").disabled = !ready;
}

function showPrinterChoice() {
  const enabled = now.printers.filter((printer) => printer.enabled);
  offer(byId("printer"), enabled.map((printer) => [printer.row_no, printer.name]));
  byId("no-printers").hidden = enabled.length > 0;
  const trays = printerNow()?.trays ?? [];
  offer(byId("source"), [["", "As the printer says"], ...trays.map((tray) => [tray.source, `${tray.name} (${tray.paper})`])]);
  offer(byId("paper"), [["", "As the tray has it"], ...now.papers.map((paper) => [paper.number, paper.name])]);
  showForm();
}

// The queue

function makeJob() {
  const buttons = el("div", { class: "buttons" });
  for (const [name, words] of ACTIONS) {
    const button = el("button", { class: "quiet small", type: "button", "data-do": name }, words);
    button.addEventListener("click", () => act({ do: name, row_no: Number(button.closest("li").dataset.key) }));
    buttons.append(button);
  }
  return el(
    "li",
    { class: "job" },
    el("span", { class: "state" }),
    el("div", { class: "what" }, el("p", {}, el("a", { target: "_blank" }), el("span", { class: "number" })), el("p", { class: "muted" }), el("p", { class: "message" })),
    el("time"),
    buttons,
  );
}

function showJob(row, job) {
  const [state, what, time, buttons] = row.children;
  row.dataset.state = job.status;
  say(state, STATES[job.status]);
  const [title, about, message] = what.children;
  say(title.firstElementChild, job.name);
  title.firstElementChild.href = `page/jobs/${job.row_no}`;
  say(title.lastElementChild, `No. ${job.row_no}`);
  say(about, [job.printer, choice(job.choice), size(job.size), job.attempts > 1 && `attempt ${job.attempts}`].filter(Boolean).join(" · "));
  say(message, job.message);
  say(time, clock(job.printed || job.created));
  for (const button of buttons.children) {
    const [, , states] = ACTIONS.find(([name]) => name === button.dataset.do);
    button.hidden = !states.includes(job.status);
  }
}

function showQueue() {
  const counts = Object.keys(STATES)
    .map((state) => [state, now.printers.reduce((sum, printer) => sum + printer.counts[state], 0)])
    .filter(([, count]) => count);
  keep(byId("counts"), counts, ([state]) => state, () => el("li"), (item, [state, count]) => {
    item.dataset.state = state;
    say(item, `${count} ${STATES[state].toLowerCase()}`);
  });
  keep(byId("jobs"), now.jobs, (job) => job.row_no, makeJob, showJob);
  byId("no-jobs").hidden = now.jobs.length > 0;
}

// Printers

function makePrinter() {
  const enabled = el("input", { type: "checkbox" });
  const holding = el("input", { type: "checkbox" });
  const rename = el("button", { class: "quiet small", type: "button" }, "Rename");
  const card = el(
    "article",
    { class: "card printer" },
    el("h3"),
    el("p", { class: "muted" }),
    el("p", { class: "abilities" }),
    el("p", { class: "message" }),
    el("div", { class: "switches" }, el("label", { class: "switch" }, enabled, el("span", {}, "Offered to users")), el("label", { class: "switch" }, holding, el("span", {}, "New jobs on hold"))),
    el("div", { class: "buttons" }, rename),
  );
  const row = () => Number(card.dataset.key);
  enabled.addEventListener("change", () => act({ do: "printer", row_no: row(), enabled: enabled.checked }));
  holding.addEventListener("change", () => act({ do: "printer", row_no: row(), new_jobs_on_hold: holding.checked }));
  rename.addEventListener("click", () => {
    const name = window.prompt("New name of the printer", card.firstElementChild.textContent);
    if (name) {
      act({ do: "printer", row_no: row(), printer_name: name });
    }
  });
  return card;
}

function showPrinter(card, printer) {
  const [name, place, abilities, message, switches] = card.children;
  say(name, printer.name);
  say(place, `${printer.printer_id} at ${printer.host}`);
  const trays = printer.trays.map((tray) => `${tray.name}: ${tray.paper}`);
  say(abilities, [printer.color ? "colour" : "black and white", printer.duplex ? "both sides" : "one side", ...trays].join(" · "));
  say(message, printer.state_message);
  const [enabled, holding] = switches.querySelectorAll("input");
  enabled.checked = printer.enabled;
  holding.checked = printer.new_jobs_on_hold;
  card.classList.toggle("off", !printer.enabled);
}

// Trouble and requests

function showTrouble() {
  keep(byId("troubles"), now.troubles, (trouble) => trouble.name, (trouble) => {
    const button = el("button", { class: "quiet small", type: "button" }, trouble.title);
    button.addEventListener("click", () => act({ do: "trouble", name: trouble.name }));
    return button;
  }, () => {});
  const { habits } = now;
  byId("away").checked = now.away;
  byId("lag").checked = habits.lag > 0;
  byId("denied").checked = habits.access !== "granted";
  byId("language").value = habits.language;
  byId("tags").value = habits.tags;
  const pending = now.faults.some((rule) => !rule.times || rule.hit < rule.times);
  byId("well").disabled = !(pending || now.away || habits.lag > 0 || habits.access !== "granted");
}

function showRequests() {
  const { log } = now;
  say(byId("sums"), log.entries.length === 0 ? "" : `${log.calls} calls, tokens asked for: ${log.tokens}, ${size(log.sent)} sent, at most ${log.most_running} at once`);
  const rows = log.entries.map((entry) =>
    el(
      "li",
      { class: entry.fault || entry.status >= 400 || !entry.status ? "bad" : "" },
      el("time", {}, clock(entry.at)),
      el("b", {}, entry.method),
      el("span", { class: "path", title: entry.path }, path(entry.path)),
      el("span", { class: "status" }, entry.status ? String(entry.status) : "broken"),
      el("span", { class: "muted far" }, `${size(entry.sent)}, ${entry.ms} ms`),
    ),
  );
  byId("requests").replaceChildren(...rows);
  byId("no-requests").hidden = rows.length > 0;
}

function showConfig() {
  const lines = [
    'host = "my-pi"',
    "",
    "[business_central]",
    `url = "${now.url}"`,
    now.ca_file ? `ca_file = "${now.ca_file}"` : null,
    "",
    "[business_central.login]",
    'kind = "secret"',
    `tenant = "${now.tenant}"`,
    `client_id = "${now.client_id}"`,
    `token_url = "${now.token_url}"`,
    'secret = { env = "PIPRINT_SECRET" }   # the secret is told where the stand-in was started',
  ];
  say(byId("config"), lines.filter((line) => typeof line === "string").join("\n"));
}

function show(pushed) {
  now = pushed;
  say(byId("company"), now.company);
  say(byId("extension"), now.extension === "1.0" ? "PIPrint extension 1.0." : "Our extension.");
  showPrinterChoice();
  showQueue();
  keep(byId("printers"), now.printers, (printer) => printer.row_no, makePrinter, showPrinter);
  byId("none").hidden = now.printers.length > 0;
  showTrouble();
  showRequests();
  showConfig();
}

function pulse(live) {
  byId("pulse").classList.toggle("old", !live);
  say(byId("pulse-text"), live ? "Live" : "Not connected");
}

const drop = byId("drop");
byId("file").addEventListener("change", () => choose(byId("file").files[0]));
byId("printer").addEventListener("change", () => now && showPrinterChoice());
byId("print").addEventListener("submit", (event) => {
  event.preventDefault();
  if (file) {
    print(file);
  }
});
byId("sample").addEventListener("click", () => print(null));
for (const name of ["dragenter", "dragover"]) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
for (const name of ["dragleave", "drop"]) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.remove("over");
  });
}
document.addEventListener("drop", (event) => choose(event.dataTransfer.files[0]));
byId("well").addEventListener("click", () => act({ do: "all well" }));
byId("tokens").addEventListener("click", () => act({ do: "expire tokens" }));
byId("away").addEventListener("change", (event) => act({ do: "away", away: event.target.checked }));
byId("lag").addEventListener("change", (event) => act({ do: "habits", lag: event.target.checked ? 10 : 0 }));
byId("denied").addEventListener("change", (event) => act({ do: "habits", access: event.target.checked ? "no permission set" : "granted" }));
for (const name of ["language", "tags"]) {
  byId(name).addEventListener("change", (event) => act({ do: "habits", [name]: event.target.value }));
}

const stream = new EventSource("page/events");
stream.addEventListener("open", () => pulse(true));
stream.addEventListener("error", () => pulse(false));
stream.addEventListener("message", (event) => show(JSON.parse(event.data)));
