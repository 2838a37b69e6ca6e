// Questions to the gateway that is being set up. Every answer is { status, ...JSON }; status 0 is none at all.

const BASE = "api/v1/setup/";

async function ask(path, options) {
  try {
    const reply = await fetch(BASE + path, { cache: "no-store", ...options });
    return { ...(await reply.json()), status: reply.status };
  } catch {
    return { status: 0 };
  }
}

export const get = (path) => ask(path, {});

export const post = (path, answers = {}) =>
  ask(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(answers) });
