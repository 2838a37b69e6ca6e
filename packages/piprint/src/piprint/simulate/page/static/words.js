// How values are told to people.

export const STATES = {
  Hold: "On hold",
  Queued: "Waiting",
  Printing: "Printing",
  Printed: "Printed",
  Error: "Error",
  Cancelled: "Cancelled",
};

export function size(bytes) {
  const units = ["bytes", "kB", "MB", "GB"];
  let unit = 0;
  while (bytes >= 1000 && unit < units.length - 1) {
    bytes /= 1000;
    unit += 1;
  }
  return `${unit ? bytes.toPrecision(bytes < 10 ? 2 : 3) : bytes}\u00a0${units[unit]}`;
}

export function clock(moment) {
  return moment ? new Date(moment).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }) : "";
}

/** What a job's payload asks for, in a few words. */
export function choice({ source, paper, landscape }) {
  return [
    source,
    paper,
    landscape && "across",
  ].filter(Boolean).join(", ");
}

/** A request's path without what is the same in all. */
export function path(text) {
  return text
    .replace(/^.*?\/(ODataV4|api\/piprint\/printing\/v2\.0)\//, "")
    .replace(/^.*\/oauth2\/v2\.0\/token$/, "token")
    .replace(/^(Company|companies)\([^)]*\)\//, "");
}
