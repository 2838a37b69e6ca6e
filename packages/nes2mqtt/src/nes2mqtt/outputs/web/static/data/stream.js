// The connection to the gateway: follows one meter and knows when the line is dead.
// EventSource comes back by itself after an error, but does not notice a line that just falls
// silent; the gateway sends at least a beat every 10 seconds, so 25 of silence are a dead line.

import { clock } from "./clock.js";

const SILENCE = 25_000;
const AGAIN = 4_000;

export class Stream {
  /**
   * @param onMeter called with the whole document of the meter
   * @param onChange called with the parts that changed
   * @param onEvents called when something happened to the meter, by its own logs
   * @param onAlerts called when what needs attention changed
   * @param onState called with true (connected) or false (lost)
   */
  constructor({ onMeter, onChange, onEvents, onAlerts, onState }) {
    this.handlers = { meter: onMeter, change: onChange, events: onEvents, alerts: onAlerts, beat: () => {} };
    this.onState = onState;
    this.source = null;
    this.timer = 0;
    document.addEventListener("visibilitychange", () => {
      // A phone that slept may hold a line that is long dead.
      if (document.visibilityState === "visible" && this.meter && performance.now() - this.heard > SILENCE / 2) {
        this.open();
      }
    });
  }

  follow(meter) {
    this.meter = meter;
    this.open();
  }

  open() {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = new EventSource(`api/v1/live?meter=${encodeURIComponent(this.meter)}&recent=3600`);
    for (const [name, handler] of Object.entries(this.handlers)) {
      this.source.addEventListener(name, (event) => {
        const message = JSON.parse(event.data);
        clock.heard(message);
        this.alive();
        handler(message);
      });
    }
    this.source.addEventListener("error", () => {
      this.onState(false);
      if (this.source.readyState === EventSource.CLOSED) {
        this.later(AGAIN);
      }
    });
    this.later(SILENCE);
  }

  alive() {
    this.heard = performance.now();
    this.onState(true);
    this.later(SILENCE);
  }

  later(delay) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.onState(false);
      this.open();
    }, delay);
  }
}
