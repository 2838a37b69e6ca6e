// What all views look at: the meter that is followed, what the gateway told of it and of itself. Only app.js writes it.

import { Curve } from "./charts/curve.js";
import { setText } from "./dom.js";

export const page = {
  /** The whole document of the meter, kept up to date; null before the first one. */
  meter: null,
  /** How the gateway is; null before it was heard. */
  status: null,
  /** true, false when the connection was lost, null before the first one. */
  connected: null,
  /** When it was lost: a date, or null when nobody knew the time. */
  lostAt: null,
  /** What is shown, as router.js tells it. */
  route: null,
};

/** Power of the last hour. */
export const curve = new Curve();

/** Tell who cannot see the page. */
export function say(words) {
  setText(document.getElementById("announce"), words);
}

/** The id of the meter that is followed, for an address. */
export const meterId = () => page.route?.meter;
