// Questions to the gateway's API. Knows nothing of the page.

/** Answers about time that is over do not change while a page is open; so many of them are kept. */
const MOST_KEPT = 60;
const kept = new Map();
/** A page of another site cannot send the second one: the gateway reads from the meter only for who has it. */
const HEADERS = { Accept: "application/json", "X-Requested-With": "page" };

/** What a response says; null when it broke off, or is none of the gateway's: a proxy may answer anything. */
async function read(response) {
  return response.ok ? response.json().catch(() => null) : { problem: await response.json().catch(() => ({})) };
}

/**
 * Ask the gateway: the answer; null when there was none; { problem } when it says why it has none.
 * patience: milliseconds after which there is none; a line that just falls silent breaks off after many minutes only.
 */
export async function get(path, patience = null) {
  const signal = patience === null ? null : AbortSignal.timeout(patience);
  const response = await fetch(path, { headers: HEADERS, cache: "no-store", signal }).catch(() => null);
  if (response?.status === 401) {
    location.assign("login");
  }
  if (!response || response.status === 401) {
    return null;
  }
  return read(response);
}

/** Send something to the gateway; what comes back is as with get(). */
export async function post(path, content) {
  const headers = { ...HEADERS, "Content-Type": "application/json" };
  const response = await fetch(path, { method: "POST", headers, body: JSON.stringify(content), cache: "no-store" }).catch(() => null);
  if (response?.status === 401) {
    location.assign("login");
  }
  if (!response || response.status === 401) {
    return null;
  }
  return read(response);
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
