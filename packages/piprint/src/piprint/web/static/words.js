// How states, times and counts are called on the page.

export const STEPS = ["claiming", "claimed", "stored", "creating", "created", "sending", "sent", "releasing", "following", "ended"];

export const STEP_WORDS = {
  claiming: "claiming",
  claimed: "fetching",
  stored: "waiting for the printer",
  creating: "announcing",
  created: "announced",
  sending: "sending",
  sent: "sent",
  releasing: "starting",
  following: "printing",
  ended: "reporting",
};

/** The five stages a person cares about, and the first step of each. */
export const STAGES = [
  ["Claimed", "claiming"],
  ["On disk", "stored"],
  ["At the printer", "creating"],
  ["Printing", "releasing"],
  ["Reporting", "ended"],
];

export const PRINTER_WORDS = {
  idle: "Ready",
  processing: "Printing",
  stopped: "Stopped",
  unreachable: "Not reachable",
};

export const OUTCOME_WORDS = {
  printed: "Printed",
  error: "Error",
  uncertain: "May have printed",
  released: "Given back",
  changed: "Changed by a user",
  unclaimed: "Not claimed",
};

/** A message as a sentence of its own. */
export function sentence(message) {
  return message.charAt(0).toUpperCase() + message.slice(1);
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "short", hour: "2-digit", minute: "2-digit" });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const number = new Intl.NumberFormat();

export const count = (value) => number.format(value);
export const moment = (iso) => (iso ? exact.format(new Date(iso)) : "");

/** How long ago, in one or two words. */
export function ago(iso, now = Date.now()) {
  if (!iso) {
    return "never";
  }
  const seconds = Math.max(0, Math.round((now - new Date(iso)) / 1000));
  if (seconds < 3) {
    return "just now";
  }
  if (seconds < 100) {
    return `${seconds} s ago`;
  }
  return seconds < 100 * 60 ? `${Math.round(seconds / 60)} min ago` : when(iso, now);
}

/** How long until then. */
export function until(iso, now) {
  const seconds = Math.round((new Date(iso) - now) / 1000);
  if (seconds < 1) {
    return "now";
  }
  return seconds < 100 ? `in ${seconds} s` : `in ${Math.round(seconds / 60)} min`;
}

/** The time of day, with the weekday when it was not today. */
export function when(iso, now = Date.now()) {
  if (!iso) {
    return "";
  }
  const date = new Date(iso);
  return date.toDateString() === new Date(now).toDateString() ? clock.format(date) : day.format(date);
}

export function took(seconds) {
  if (seconds === null) {
    return "";
  }
  if (seconds < 10) {
    return `${seconds.toFixed(1)} s`;
  }
  return seconds < 120 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}

/** A media name (PWG 5101.1) as people say it: iso_a4_210x297mm is A4. */
export function paper(name) {
  const parts = name.split("_");
  if (parts.length < 3) {
    return name;
  }
  const plain = parts[1];
  if (/^[abc]\d+$/.test(plain)) {
    return plain.toUpperCase();
  }
  if (["custom", "om", "oe"].includes(parts[0])) {
    return parts[2].replace("x", " × ").replace(/(mm|in)$/, " $1");
  }
  return plain.charAt(0).toUpperCase() + plain.slice(1).replaceAll("-", " ");
}
