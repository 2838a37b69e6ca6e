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

const REASONS = {
  "media-empty": "no paper",
  "media-needed": "paper needed",
  "media-jam": "paper jam",
  "media-low": "little paper left",
  "toner-low": "little toner left",
  "toner-empty": "no toner",
  "marker-supply-low": "little ink or toner left",
  "marker-supply-empty": "no ink or toner",
  "door-open": "a door is open",
  "cover-open": "a cover is open",
  "input-tray-missing": "a tray is missing",
  "output-area-full": "the output is full",
  "offline": "switched off or not connected",
  "connecting-to-device": "connecting",
  "paused": "paused",
  "timed-out": "does not answer",
};

/** A printer-state-reason (RFC 8011, 5.4.12) in plain words; its end tells only how bad it is. */
export function reason(keyword) {
  const plain = keyword.replace(/-(error|warning|report)$/, "");
  return REASONS[plain] ?? plain.replaceAll("-", " ");
}

/** A message in which printer-state-reasons may stand, with those in plain words. */
export function plain(message) {
  const words = message.replace(/\b[a-z]+(?:-[a-z]+)+-(?:error|warning|report)\b/g, reason);
  return words.charAt(0).toUpperCase() + words.slice(1);
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
