/* Elements without markup strings: text from data is only ever text. */

const SVG = "http://www.w3.org/2000/svg";

/** `h("p", {class: "x", onclick: f, "aria-label": "…"}, "text", node, null)` → element. */
export function h(tag, properties, ...children) {
  const element = document.createElement(tag);
  assign(element, properties || {});
  append(element, children);
  return element;
}

export function assign(element, properties) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) {
      element.removeAttribute(name);
    } else if (name.startsWith("on")) {
      element[name] = value;
    } else if (name === "class") {
      element.className = value;
    } else {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
}

function append(element, children) {
  for (const child of children) {
    if (Array.isArray(child)) {
      append(element, child);
    } else if (child !== null && child !== undefined && child !== false) {
      element.append(child);
    }
  }
}

/** An icon of the page's sprite (`<symbol id="i-…">` in the template). */
export function icon(name, extra = "") {
  const svg = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  svg.setAttribute("class", `icon ${extra}`.trim());
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

export function key(label) {
  return h("kbd", null, label);
}

export function replace(element, ...children) {
  element.replaceChildren();
  append(element, children);
}

export function setText(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

export function byId(id) {
  return document.getElementById(id);
}

/**
 * Keeps `parent`'s children equal to `entries` ({key, signature, make}): a child is made again only
 * where its signature changed, so that a key press touches one row and nothing else moves.
 */
export function keyed(parent, entries) {
  const present = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let cursor = parent.firstElementChild;
  for (const { key: name, signature, make } of entries) {
    let child = present.get(name);
    present.delete(name);
    if (!child || child.signature !== signature) {
      const made = make();
      made.dataset.key = name;
      made.signature = signature;
      if (child) {
        const at = child === cursor;
        child.replaceWith(made);
        if (at) {
          cursor = made;
        }
      }
      child = made;
    }
    if (child === cursor) {
      cursor = cursor.nextElementSibling;
    } else {
      parent.insertBefore(child, cursor);
    }
  }
  for (const left of present.values()) {
    left.remove();
  }
}
