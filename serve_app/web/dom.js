// Makes elements. Text only ever becomes text: there is no way from here to HTML.

const SVG = "http://www.w3.org/2000/svg";

/** An element. `attributes`: `class`, `lang`, `onclick` …; a function is a listener, `true` an empty attribute, null none. */
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat(2).filter((child) => child !== null && child !== undefined && child !== false && child !== ""));
  return made;
}

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

export const byId = (id) => document.getElementById(id);

export const newId = () => `msg_${crypto.randomUUID ? crypto.randomUUID() : randomHex()}`;

// crypto.randomUUID exists on secure origins only.
function randomHex() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** localStorage, or memory where the browser keeps it from a page in a frame. */
export const kept = (() => {
  const memory = new Map();
  const attempt = (action, fallback) => {
    try {
      return action();
    } catch {
      return fallback();
    }
  };
  return {
    get: (key) => attempt(() => localStorage.getItem(`zerowait:${key}`), () => memory.get(key) ?? null),
    set: (key, value) => attempt(() => localStorage.setItem(`zerowait:${key}`, value), () => memory.set(key, value)),
    remove: (key) => attempt(() => localStorage.removeItem(`zerowait:${key}`), () => memory.delete(key)),
  };
})();
