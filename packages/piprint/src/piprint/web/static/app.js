// The page: takes the service's snapshots as they come and shows them.

import { post } from "./ask.js";
import { byId, setText } from "./dom.js";
import { showHours, showHero, showHistory, showJobs, showLink, showPrinters, showTroubles } from "./parts.js";
import { when } from "./words.js";

const LINES = 300;
const SILENT = 20_000; // ms without a word, and the page no longer says it is live

let latest = null;
let heard = 0;
let toastEnds = 0;

function toast(words, bad = false) {
  const box = byId("toast");
  setText(box, words);
  box.classList.toggle("bad", bad);
  box.hidden = false;
  clearTimeout(toastEnds);
  toastEnds = setTimeout(() => (box.hidden = true), bad ? 12_000 : 6_000);
}

/** Do what a button says; it rests meanwhile, and the answer is shown either way. */
async function act(button, path, body) {
  button.disabled = true;
  try {
    toast((await post(path, body)).message);
  } catch (problem) {
    toast(problem.message, true);
  } finally {
    button.disabled = false;
  }
}

const actions = {
  testPage: (button, printer) => act(button, "api/v1/test-page", { printer }),
  restart: (button, row) => act(button, "api/v1/restart", { row_no: row }),
};

function show() {
  const now = Date.now();
  const live = now - heard < SILENT;
  byId("pulse").classList.toggle("old", !live);
  if (!latest) {
    return;
  }
  setText(byId("pulse-text"), live ? `Live  ${new Date(now).toLocaleTimeString()}` : `No news since ${when(new Date(heard), now)}`);
  setText(byId("host"), latest.host);
  document.title = `${latest.host} – piprint`;
  showHero(latest);
  showLink(latest, now);
  showHours(latest.hours, now);
  showTroubles(latest.troubles);
  showPrinters(latest.printers, actions);
  showJobs(latest.jobs, now);
  showHistory(latest.history, now, actions);
  byId("main").hidden = false;
}

function showLog(lines) {
  const log = byId("log");
  const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
  log.textContent = [...log.textContent.split("\n").filter(Boolean), ...lines].slice(-LINES).join("\n");
  if (atEnd) {
    log.scrollTop = log.scrollHeight;
  }
}

function listen() {
  const stream = new EventSource("api/v1/events");
  stream.addEventListener("open", () => {
    heard = Date.now();
    byId("log").textContent = "";
  });
  stream.addEventListener("status", (event) => {
    heard = Date.now();
    latest = JSON.parse(event.data);
    show();
  });
  stream.addEventListener("log", (event) => {
    heard = Date.now();
    showLog(JSON.parse(event.data));
  });
  stream.addEventListener("error", async () => {
    if (stream.readyState !== EventSource.CLOSED) {
      return; // the browser tries again by itself
    }
    const answer = await fetch("api/v1/status").catch(() => null);
    if (answer?.status === 401) {
      location.replace("login");
    } else {
      setTimeout(listen, 3_000);
    }
  });
}

byId("log-out").addEventListener("click", async () => {
  await post("api/v1/logout", {}).catch(() => {});
  location.replace("login");
});
fetch("login", { redirect: "manual" }).then((answer) => (byId("log-out").hidden = answer.status !== 200));
document.querySelector("details").addEventListener("toggle", () => (byId("log").scrollTop = byId("log").scrollHeight));

listen();
setInterval(show, 1_000);
