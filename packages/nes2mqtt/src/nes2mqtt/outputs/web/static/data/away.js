// The page without its gateway: the worker that keeps the page's files (never values), and when the gateway was last heard,
// by its own clock. Knows nothing of what is shown.

/** Milliseconds after which the worker is set up: first comes what somebody wants to see. */
const LATER = 5000;
const KEY = `heard ${location.pathname}`;

/** Have the browser keep the page, where it may: at https addresses and on the gateway's own machine. */
export function keepPage() {
  if (navigator.serviceWorker) {
    const own = window.trustedTypes?.createPolicy("worker", { createScriptURL: (address) => address });
    setTimeout(() => navigator.serviceWorker.register(own ? own.createScriptURL("worker.js") : "worker.js").catch(() => {}), LATER);
  }
}

/** Note when the gateway was heard; nothing while nobody knows the time. */
export function noteHeard(date, zone) {
  if (date) {
    try {
      localStorage.setItem(KEY, JSON.stringify({ at: date.toISOString(), zone }));
    } catch {
      // Nothing can be kept here; then the page tells no time.
    }
  }
}

/** When the gateway was heard last: { date, zone }, or null. */
export function lastHeard() {
  try {
    const { at, zone } = JSON.parse(localStorage.getItem(KEY));
    return Number.isNaN(Date.parse(at)) ? null : { date: new Date(at), zone };
  } catch {
    return null;
  }
}
