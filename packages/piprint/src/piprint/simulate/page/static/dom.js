// Building and changing elements. Text goes in as text only: names of documents and printers are strangers.

import { byId, el, setText } from "./elements.js"; // servicekit

export { byId, el, setText as say };

/** Make a <select> offer [value, words] pairs; what is chosen stays chosen if it is still there. */
export function offer(select, pairs) {
  const told = JSON.stringify(pairs);
  if (select.dataset.told === told) {
    return;
  }
  const chosen = select.value;
  select.dataset.told = told;
  select.replaceChildren(...pairs.map(([value, words]) => el("option", { value }, words)));
  if (pairs.some(([value]) => String(value) === chosen)) {
    select.value = chosen;
  }
}

/** Make the children of a parent show a list; those with the same key stay, and keep the focus. */
export function keep(parent, items, keyOf, make, show) {
  const old = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let next = parent.firstElementChild;
  for (const item of items) {
    const key = String(keyOf(item));
    const child = old.get(key) ?? make(item);
    old.delete(key);
    child.dataset.key = key;
    if (child === next) {
      next = next.nextElementSibling;
    } else {
      parent.insertBefore(child, next);
    }
    show(child, item);
  }
  for (const child of old.values()) {
    child.remove();
  }
}
