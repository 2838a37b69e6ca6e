// Building and changing elements. Text goes in as text only: nobody knows what a meter's strings hold.

/** Make an element: el("p", { class: "muted" }, "text", child). */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

export const byId = (id) => document.getElementById(id);

/** Set text only when it differs, so that nothing flickers and no selection is lost. */
export function setText(element, words) {
  if (element.textContent !== words) {
    element.textContent = words;
  }
}

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
