// Building and changing elements. Text goes in as text only: what others named is never HTML.

export const byId = (id) => document.getElementById(id);

/** Make an element: el("p", { class: "muted" }, "text", child). */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** Set text only when it differs, so that nothing flickers and no selection is lost. */
export function setText(element, words) {
  if (element.textContent !== words) {
    element.textContent = words;
  }
}
