// The gateway's clocks, as far as this page knows them. Moments are those of the gateway's monotonic clock, in seconds: they
// order values and tell ages, whatever anybody does to the time of day. A moment gets its date here, as it is known now; it
// has none while the gateway does not know the time of day. The browser's own time of day is never asked.

let instant = 0;
let at = performance.now();
let label = null;

export const clock = {
  /** What is wrong with the gateway's clock, as the gateway told it last. */
  trouble: { code: "" },

  /** Take the time from what the gateway has just said. */
  heard(message) {
    at = performance.now();
    instant = message.instant;
    label = message.now === null ? null : Date.parse(message.now);
    this.trouble = message.clock ?? this.trouble;
  },

  /** The moment that is now. */
  now() {
    return instant + (performance.now() - at) / 1000;
  },

  /** The date of a moment; null while nobody knows it. */
  date(moment) {
    return label === null ? null : new Date(label + (moment - instant) * 1000);
  },

  /** The date that is now; null while nobody knows it. */
  today() {
    return this.date(this.now());
  },

  /** The moment of a date; null while nobody knows it. */
  moment(date) {
    return label === null ? null : instant + (date - label) / 1000;
  },
};
