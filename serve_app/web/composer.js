// Where the customer types.

import { byId } from "./dom.js";

/** Enter sends, also while nothing is connected; `send(text)` gets what was typed, without the blanks around it. */
export function listenToTyping(maxLength, send) {
  const text = byId("text");
  text.maxLength = maxLength;
  const fit = () => {
    if (CSS.supports("field-sizing", "content")) return;
    text.style.height = "auto";
    text.style.height = `${text.scrollHeight}px`;
  };
  text.addEventListener("input", fit);
  text.addEventListener("keydown", (event) => {
    // While an input method composes, Enter chooses a word.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    byId("composer").requestSubmit();
  });
  byId("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    const typed = text.value.trim();
    if (!typed) return;
    text.value = "";
    fit();
    send(typed);
    text.focus();
  });
}
