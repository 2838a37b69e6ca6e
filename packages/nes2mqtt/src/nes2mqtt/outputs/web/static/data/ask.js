// Questions to the gateway's API. Knows nothing of the page.

/** Answers about time that is over do not change while a page is open; so many of them are kept. */
const MOST_KEPT = 60;
const kept = new Map();

/** Ask the gateway: the answer; null when there was none; { problem } when it says why it has none. */
export async function get(path) {
  const response = await fetch(path, { headers: { Accept: "application/json" }, cache: "no-store" }).catch(() => null);
  if (response?.status === 401) {
    location.assign("login");
  }
  if (!response || response.status === 401) {
    return null;
  }
  return response.ok ? response.json() : { problem: await response.json().catch(() => ({})) };
}

/** Send something to the gateway; what comes back is as with get(). */
export async function post(path, content) {
  const headers = { Accept: "application/json", "Content-Type": "application/json" };
  const response = await fetch(path, { method: "POST", headers, body: JSON.stringify(content), cache: "no-store" }).catch(() => null);
  if (response?.status === 401) {
    location.assign("login");
  }
  if (!response || response.status === 401) {
    return null;
  }
  return response.ok ? response.json() : { problem: await response.json().catch(() => ({})) };
}

/** Ask about a time that is over, once if the answer is whole: a gap may be filled later. */
export async function getPast(path, whole = () => true) {
  if (!kept.has(path)) {
    const answer = await get(path);
    if (!answer || answer.problem || !whole(answer)) {
      return answer;
    }
    kept.set(path, answer);
    if (kept.size > MOST_KEPT) {
      kept.delete(kept.keys().next().value);
    }
  }
  return kept.get(path);
}

/** A path with its parameters; what is null or undefined is left out. */
export function path(name, parameters) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined));
  return `api/v1/${name}?${query}`;
}
