// Building and changing elements. Text goes in as text only: nobody knows what a meter's strings hold.

import { byId, el, setText } from "./elements.js"; // servicekit

export { byId, el, setText };

/** Show a value; its name and exact number stand beside it in data-key and data-value. */
export function setValue(element, key, number, words) {
  element.dataset.key = key;
  element.dataset.value = String(number);
  setText(element, words);
}

/** Fill a <dl> with [term, description] rows, keeping the elements that are there. */
export function fillList(list, rows) {
  while (list.children.length > rows.length) {
    list.lastElementChild.remove();
  }
  rows.forEach(([term, description], index) => {
    const row = list.children[index] ?? list.appendChild(el("div", {}, el("dt"), el("dd")));
    setText(row.firstElementChild, term);
    setText(row.lastElementChild, description);
  });
}

/** Load a style sheet that only a part of the page needs; over when it is there. */
export function style(name) {
  const found = document.querySelector(`link[href="${name}"]`);
  return found
    ? Promise.resolve()
    : new Promise((done) => {
        const link = el("link", { rel: "stylesheet", href: name });
        link.addEventListener("load", done);
        link.addEventListener("error", done);
        document.head.append(link);
      });
}
