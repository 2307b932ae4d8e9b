// The page's elements by selector, with their type checked where the page starts instead of where it fails.

/** The one element that a selector names. Throws where it is missing or of another kind. */
export function find<T extends Element>(selector: string, kind: new () => T, within: ParentNode = document): T {
  const found = within.querySelector(selector);
  if (found instanceof kind) return found;
  throw new Error(`${selector}: the page has no such ${kind.name}.`);
}

/** A new element with a class and content. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className = "",
  ...content: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (className !== "") element.className = className;
  element.append(...content);
  return element;
}

/** Sets a text only where it differs, so that nothing is laid out or read aloud again in vain. */
export function write(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
