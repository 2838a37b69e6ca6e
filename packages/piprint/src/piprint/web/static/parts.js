// The parts of the page; each shows its share of a snapshot.

import { byId, el, fillFacts, keep, setAttribute, setText } from "./dom.js";
import { ago, count, moment, OUTCOME_WORDS, paper, PRINTER_WORDS, sentence, STAGES, STEPS, STEP_WORDS, took, until, when } from "./words.js";

const sum = (items, of) => items.reduce((total, item) => total + of(item), 0);

export function showHero(now) {
  const printing = now.jobs.length;
  const waiting = sum(now.printers, (printer) => printer.queued);
  let mood = ["good", "Ready"];
  if (now.connection.state === "trouble") {
    mood = ["bad", "Business Central does not answer"];
  } else if (now.connection.state === "connecting") {
    mood = ["calm", "Connecting to Business Central"];
  } else if (now.troubles.length > 0) {
    mood = ["bad", now.troubles.length === 1 ? "One thing to look at" : `${now.troubles.length} things to look at`];
  } else if (printing > 0) {
    mood = ["good", printing === 1 ? "Printing a job" : `Printing ${count(printing)} jobs`];
  }
  setAttribute(byId("hero"), "data-mood", mood[0]);
  setText(byId("mood"), mood[1]);
  setText(byId("today"), count(now.printed_today));
  fillFacts(byId("now"), [
    ["Waiting", count(waiting)],
    ["In work", count(printing)],
    ["Errors today", count(now.failed_today)],
  ]);
}

const LINK_WORDS = { connected: "Connected", connecting: "Connecting", trouble: "Not connected" };

export function showLink({ connection: link, instance, version }, now) {
  const state = byId("link-state");
  setAttribute(state, "data-state", link.state);
  setText(state.lastElementChild, LINK_WORDS[link.state] ?? link.state);
  fillFacts(byId("link"), [
    ["Company", link.company || "the only one"],
    ["Extension", link.dialect || "not known yet"],
    ["Last answer", ago(link.last_contact, now)],
    ...(link.next_try ? [["Next try", until(link.next_try, now)]] : []),
    ["Calls in the last hour", count(link.calls_last_hour)],
    ["Failed calls", `${count(link.failed)} of ${count(link.calls)}`],
    ["Address", link.address],
    ["This processor", `${instance}, piprint ${version}`],
  ]);
}

const HOUR = 3_600_000;

export function showHours(hours, now) {
  const box = byId("hours");
  const most = Math.max(4, ...hours.map(([printed, failed]) => printed + failed));
  const first = new Date(Math.floor(now / HOUR) * HOUR - (hours.length - 1) * HOUR);
  const bars = hours.map(([printed, failed], index) => ({ printed, failed, at: new Date(first.getTime() + index * HOUR) }));
  keep(
    box,
    bars,
    ({ at }) => at.getTime(),
    () => el("div", { class: "hour" }, el("div", { class: "bar" }, el("i", { class: "failed" }), el("i", { class: "printed" })), el("span")),
    (bar, { printed, failed, at }) => {
      const [bad, good] = bar.firstElementChild.children;
      bad.style.height = `${(100 * failed) / most}%`;
      good.style.height = `${(100 * printed) / most}%`;
      setText(bar.lastElementChild, at.getHours() % 6 === 0 ? String(at.getHours()).padStart(2, "0") : "");
      setAttribute(bar, "title", `${when(at, now)}: ${count(printed)} printed${failed ? `, ${count(failed)} failed` : ""}`);
    },
  );
}

export function showTroubles(troubles) {
  byId("troubles").hidden = troubles.length === 0;
  keep(
    byId("troubles").querySelector("ul"),
    troubles,
    (trouble) => trouble.what,
    () => el("li", {}, el("b"), el("span")),
    (row, trouble) => {
      setText(row.firstElementChild, trouble.what);
      setText(row.lastElementChild, sentence(trouble.help));
    },
  );
}

function abilities(printer) {
  const papers = [...new Set(printer.papers.map(paper))];
  const words = papers.length > 3 ? [...papers.slice(0, 3), `${papers.length - 3} more`] : papers;
  if (printer.trays.length > 1) {
    words.push(`${printer.trays.length} trays`);
  }
  if (printer.duplex !== null) {
    words.push(printer.duplex ? "both sides" : "one side");
  }
  if (printer.color !== null) {
    words.push(printer.color ? "colour" : "black only");
  }
  if (!printer.followed) {
    words.push("no feedback");
  }
  return words;
}

function printerState(printer) {
  if (printer.problem) {
    return ["stopped", "Not registered", printer.problem];
  }
  if (!printer.offered) {
    return ["off", "Switched off in Business Central", ""];
  }
  const unsaid = printer.words.filter((word) => !printer.message.includes(word));
  const said = sentence([...unsaid, printer.message].filter(Boolean).join(" · "));
  if (!printer.accepting && printer.state !== "unreachable") {
    return ["stopped", "Takes no jobs", said];
  }
  const attention = printer.reasons.some((keyword) => keyword.endsWith("-error"));
  return [attention && printer.state === "idle" ? "stopped" : printer.state, PRINTER_WORDS[printer.state] ?? printer.state, said];
}

export function showPrinters(printers, { testPage }) {
  byId("no-printers").hidden = printers.length > 0;
  keep(
    byId("printers"),
    printers,
    (printer) => printer.id,
    (printer) => {
      const button = el("button", { class: "quiet", type: "button", "aria-label": `Test page on ${printer.id}` }, "Test page");
      button.addEventListener("click", () => testPage(button, printer.id));
      return el(
        "article",
        { class: "card printer" },
        el("header", {}, el("h3"), el("p", { class: "state" }, el("span", { class: "dot" }), el("b"))),
        el("p", { class: "muted about" }),
        el("p", { class: "said" }),
        el("ul", { class: "chips" }),
        el("footer", {}, el("span", { class: "muted" }), button),
      );
    },
    (card, printer) => {
      const [header, about, said, chips, footer] = card.children;
      const [state, word, message] = printerState(printer);
      setText(header.firstElementChild, printer.id);
      setAttribute(header.lastElementChild, "data-state", state);
      setText(header.lastElementChild.lastElementChild, word);
      setText(about, printer.title && printer.title !== printer.id ? printer.title : printer.uri);
      setAttribute(about, "title", printer.uri);
      setText(said, message);
      said.hidden = !message;
      keep(chips, abilities(printer), (words) => words, () => el("li"), setText);
      setText(footer.firstElementChild, `${count(printer.queued)} waiting · ${count(printer.printing)} in work`);
    },
  );
}

/** Say which job it is, in its first two cells. */
function showJob(number, report, job) {
  setText(number, job.attempt > 1 ? `${job.row_no} (try ${job.attempt})` : String(job.row_no));
  setText(report, job.title);
  setAttribute(report, "title", job.company);
}

export function showJobs(jobs, now) {
  byId("no-jobs").hidden = jobs.length > 0;
  byId("jobs").parentElement.hidden = jobs.length === 0;
  keep(
    byId("jobs"),
    jobs,
    (job) => job.row_no,
    () =>
      el(
        "tr",
        {},
        el("td", { class: "number" }),
        el("td", { class: "report" }),
        el("td", { class: "name" }),
        el("td", {}, el("span", { class: "steps" }, ...STAGES.map(() => el("i"))), el("span", { class: "step" })),
        el("td", { class: "message" }),
        el("td", { class: "end" }),
      ),
    (row, job) => {
      const [number, report, printer, progress, message, since] = row.children;
      showJob(number, report, job);
      setText(printer, job.printer);
      const at = STEPS.indexOf(job.step);
      STAGES.forEach(([words, first], index) => {
        const stage = progress.firstElementChild.children[index];
        stage.classList.toggle("reached", at >= STEPS.indexOf(first));
        setAttribute(stage, "title", words);
      });
      setText(progress.lastElementChild, STEP_WORDS[job.step] ?? job.step);
      setText(message, sentence(job.message));
      setText(since, ago(job.since, now));
    },
  );
}

export function showHistory(history, now, { restart }) {
  byId("no-history").hidden = history.length > 0;
  byId("history").parentElement.hidden = history.length === 0;
  keep(
    byId("history"),
    history,
    (job) => `${job.row_no}-${job.attempt}-${job.ended}`,
    (job) => {
      const again = el("button", { class: "quiet small", type: "button", "aria-label": `Print job ${job.row_no} again` }, "Print again");
      again.addEventListener("click", () => restart(again, job.row_no));
      return el(
        "tr",
        {},
        el("td", { class: "number" }),
        el("td", { class: "report" }),
        el("td", { class: "name" }),
        el("td", {}, el("span", { class: "outcome" })),
        el("td", { class: "message" }),
        el("td", { class: "end" }),
        el("td", { class: "end far" }),
        el("td", { class: "end again" }, again),
      );
    },
    (row, job) => {
      const [number, report, printer, outcome, message, ended, seconds] = row.children;
      showJob(number, report, job);
      setText(printer, job.printer);
      setText(outcome.firstElementChild, OUTCOME_WORDS[job.outcome] ?? job.outcome);
      setAttribute(outcome.firstElementChild, "data-outcome", job.outcome);
      setText(message, job.message);
      setAttribute(message, "title", job.message);
      setText(ended, when(job.ended, now));
      setAttribute(ended, "title", moment(job.ended));
      setText(seconds, took(job.seconds));
    },
  );
}
