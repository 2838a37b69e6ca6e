// Asking the service to do something. The header is what no form on another site can send.

export async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Piprint": "1" },
    body: JSON.stringify(body),
  });
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    throw new Error(told.error ?? `the service answered ${answer.status}`);
  }
  return told;
}
