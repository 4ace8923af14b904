// Questions that the page asks back: native dialogs, so that Escape closes them and the focus returns.

import { el, icon } from "./dom.js";

/** Opens a dialog; gives what was pressed, or null. `buttons`: [value, label, kind]. */
export function askDialog(t, title, text, buttons) {
  return openDialog(t, title, (close) => [
    text && el("p", {}, text),
    el("div", { class: "buttons" }, buttons.map(([value, label, kind]) => el("button", { type: "button", class: kind ?? "option", onclick: () => close(value) }, label))),
  ]);
}

/** The menu: the same, as a list. */
export function menuDialog(t, title, items) {
  return openDialog(t, title, (close) => el("ul", { class: "menu" }, items.map(([value, label]) => el("li", {}, el("button", { type: "button", class: "option", onclick: () => close(value) }, label)))));
}

/** Why an answer was good or bad: {reason} or null. */
export function reasonDialog(t, title, choices) {
  return openDialog(t, title, (close) => {
    const text = el("textarea", { rows: "2", maxlength: "500", "aria-label": t.tellMore, placeholder: t.tellMore });
    const boxes = choices.map((label) => el("label", { class: "option" }, el("input", { type: "checkbox", value: label }), label));
    const submit = (event) => {
      event.preventDefault();
      const ticked = boxes.filter((box) => box.firstChild.checked).map((box) => box.textContent);
      close({ reason: [...ticked, text.value.trim()].filter(Boolean).join("; ") });
    };
    return el("form", { onsubmit: submit }, el("div", { class: "options" }, boxes), text, el("div", { class: "buttons" }, el("button", { type: "submit", class: "main" }, t.submit)));
  });
}

/** Which of the demo shop's customers to be: an id, "" for nobody, or null. */
export function customerDialog(t, people, current, language) {
  return openDialog(t, t.identity, (close) => el("div", { class: "customers" }, customerButtons(t, people, current, language, close)));
}

export function customerButtons(t, people, current, language, onChoose) {
  const button = (id, name, note) => el("button", { type: "button", class: "customer", "data-id": id, "aria-pressed": String((current ?? "") === id), onclick: () => onChoose(id) }, el("strong", {}, name), el("span", {}, note));
  return [...people.map(({ id, name, note_zh: zh, note_en: en }) => button(id, `${name} · ${id}`, language === "zh" ? zh : en)), button("", t.anonymous, "")];
}

function openDialog(t, title, content) {
  return new Promise((resolve) => {
    const before = document.activeElement;
    let result = null;
    const close = (value) => {
      result = value;
      dialog.close();
    };
    const dialog = el("dialog", { "aria-labelledby": "dialog-title", onclose: () => done(), onclick: (event) => event.target === dialog && close(null) },
      el("div", { class: "sheet" },
        el("header", {}, el("h2", { id: "dialog-title" }, title), el("button", { type: "button", class: "quiet", "aria-label": t.close, onclick: () => close(null) }, icon("close"))),
        content(close)));
    const done = () => {
      dialog.remove();
      if (before?.isConnected) before.focus({ preventScroll: true });
      resolve(result);
    };
    document.body.append(dialog);
    dialog.showModal();
  });
}
