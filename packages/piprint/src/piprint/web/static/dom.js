// Building and changing elements. Text goes in as text only: names from printers and Business Central are strangers.

import { byId, el, setText } from "./elements.js"; // servicekit

export { byId, el, setText };

export function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== value) {
    element.setAttribute(name, value);
  }
}

/** Make a <dl> show [term, description] pairs. */
export function fillFacts(list, pairs) {
  keep(list, pairs, ([term]) => term, () => el("div", {}, el("dt"), el("dd")), (row, [term, description]) => {
    setText(row.firstElementChild, term);
    setText(row.lastElementChild, description);
  });
}

/**
 * Make the children of a parent show a list: those with the same key stay (and keep the focus), in the list's order.
 * make(item) builds a child, show(child, item) fills it.
 */
export function keep(parent, items, keyOf, make, show) {
  const old = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let before = null;
  for (const item of items) {
    const key = String(keyOf(item));
    let child = old.get(key);
    old.delete(key);
    if (!child) {
      child = make(item);
      child.dataset.key = key;
    }
    const next = before ? before.nextElementSibling : parent.firstElementChild;
    if (child !== next) {
      parent.insertBefore(child, next);
    }
    show(child, item);
    before = child;
  }
  for (const child of old.values()) {
    child.remove();
  }
}
