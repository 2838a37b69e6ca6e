// Addresses within the page: #/house/history/day/2026-11-22?with=year. What is shown stands in the address, so it can be
// kept, sent, and gone back to. Knows nothing of what the views show.

export const VIEWS = ["now", "history", "meter", "meters", "settings", "wall"];

/** The route of an address: { meter, view, rest, query }. An address that names no meter there is means the first one. */
export function parse(hash, meters) {
  const [path, query = ""] = hash.replace(/^#/, "").split("?");
  const parts = path.split("/").map(decoded);
  // Until 2026 the address was the meter alone: #house.
  const [wanted, view, ...rest] = parts[0] === "" ? parts.slice(1) : parts;
  const known = meters.find(({ id }) => id === wanted);
  const shown = known && VIEWS.includes(view) ? view : VIEWS[0];
  return {
    meter: (known ?? meters[0])?.id,
    view: shown,
    rest: known && shown === view ? rest : [],
    query: Object.fromEntries(new URLSearchParams(query)),
  };
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}

/** The address of a route. */
export function address({ meter, view, rest = [], query = {} }) {
  const asked = new URLSearchParams(Object.entries(query).filter(([, value]) => value)).toString();
  return `#/${[meter, view, ...rest].map(encodeURIComponent).join("/")}${asked ? `?${asked}` : ""}`;
}
