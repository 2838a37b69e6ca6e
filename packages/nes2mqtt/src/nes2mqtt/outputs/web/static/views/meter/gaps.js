// The times in which the meter was not read, and what its own load profile told of them later.

import { byId, el } from "../../dom.js";
import { dayTimes } from "../../texts/format.js";
import { text } from "../../texts/texts.js";

const MOST = 10;

/** Draw gaps as the API tells them, the newest first; no card when there are none. */
export function drawGaps(gaps) {
  byId("gaps-card").hidden = gaps.length === 0;
  byId("gaps").replaceChildren(
    ...gaps.slice(0, MOST).map(({ start, end, outcome }) =>
      el(
        "tr",
        {},
        el("th", { scope: "row" }, dayTimes(new Date(start), new Date(end))),
        el("td", {}, text(`gap_${outcome}`) || text("gap_not_filled")),
      ),
    ),
  );
}
