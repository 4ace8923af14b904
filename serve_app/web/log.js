// The conversation as it is seen and heard: one element an entry, made once and changed in place.

import { card } from "./cards.js";
import { el, icon } from "./dom.js";
import { tag, words } from "./words.js";

// Where a sentence ends: what stands before is read out whole.
const SENTENCE = /[^。！？!?；\n]*?(?:[。！？；\n]+|[!?]+(?=\s|$)|\.(?=\s))\s*/gy;

export class Log {
  /** `actions`: choose, retry, again, stop, rate, rateChat, newChat. `page()` gives the page's language. */
  constructor({ root, scroller, format, demoModel, actions, page }) {
    Object.assign(this, { root, scroller, format, demoModel, actions, page });
    this.shown = new Map(); // entry's key to its element
    this.follows = true;
    scroller.addEventListener("scroll", () => (this.follows = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 80), { passive: true });
    new ResizeObserver(() => this.toEnd()).observe(scroller);
  }

  get t() {
    return words(this.page());
  }

  /** Shows exactly these entries. `quietly`: nothing of it is read out. */
  sync(entries, quietly = false) {
    const live = this.root.getAttribute("aria-live");
    if (quietly) this.root.setAttribute("aria-live", "off");
    const keys = new Set(entries.map(({ key }) => key));
    for (const [key, node] of this.shown) {
      if (keys.has(key)) continue;
      if (node.contains(document.activeElement)) this.root.focus({ preventScroll: true });
      node.remove();
      this.shown.delete(key);
    }
    let next = this.root.firstElementChild;
    for (const entry of entries) {
      const node = this.shown.get(entry.key) ?? this.#add(entry);
      if (node === next) next = next.nextElementSibling;
      else this.root.insertBefore(node, next);
      this.update(entry, entries.at(-1) === entry);
    }
    if (quietly) requestAnimationFrame(() => this.root.setAttribute("aria-live", live));
    this.toEnd();
  }

  /** Everything anew, in another language. */
  again(entries) {
    for (const node of this.shown.values()) node.remove();
    this.shown.clear();
    this.sync(entries, true);
  }

  update(entry, isLast) {
    const node = this.shown.get(entry.key);
    if (!node) return;
    if (entry.kind === "turn") this.#turn(node, entry, isLast);
    if (entry.kind === "end") this.#end(node, entry);
    this.toEnd();
  }

  toEnd(always = false) {
    if (always) this.follows = true;
    if (this.follows && this.shown.size) this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  #add(entry) {
    const node = el("div", { class: `entry ${entry.kind}` });
    if (entry.kind === "person") node.append(...this.#person(entry));
    if (entry.kind === "notice") node.append(el("p", {}, entry.text ?? noticeText(this.t, entry)));
    this.shown.set(entry.key, node);
    return node;
  }

  #person({ name, text, at }) {
    const who = [el("strong", {}, name || this.t.someone), el("span", { class: "chip" }, this.t.personTag), el("time", { datetime: new Date(at).toISOString() }, this.format.time(at))];
    return [el("span", { class: "face", "aria-hidden": "true" }, [...(name || "?")][0]), el("div", { class: "said" }, el("p", { class: "who-said" }, ...who), el("p", { class: "words" }, text))];
  }

  // A turn: the customer's questions, and the answer

  #turn(node, entry, isLast) {
    const { questions, answer } = entry;
    const asked = node.querySelector(".asked") ?? node.appendChild(el("div", { class: "asked" }));
    const told = JSON.stringify(questions.map(({ id, state, text }) => [id, state, text]));
    if (asked.dataset.told !== told) {
      asked.dataset.told = told;
      replace(asked, questions.map((question) => this.#question(question)));
    }
    const waits = !answer && isLast && questions.at(-1)?.state === "sending";
    let box = node.querySelector(".answer");
    const isSilent = answer?.isWhole && !answer.text && !answer.cards.length && !answer.error;
    if ((!answer && !waits) || isSilent) {
      box?.remove();
      return;
    }
    if (box && answer && box.dataset.id && box.dataset.id !== answer.id) {
      box.remove();
      box = null;
    }
    box ??= node.appendChild(el("div", { class: "answer" }, el("p", { class: "words" }, el("span", { class: "unseen" }, `${this.t.bot}: `)), el("div", { class: "after" })));
    if (answer) this.#answer(box, entry, isLast);
    const words_ = box.querySelector(".words");
    const dots = words_.querySelector(".dots");
    if (answer?.text || answer?.isWhole) dots?.remove();
    else if (!dots) words_.append(el("span", { class: "dots", role: "img", "aria-label": this.t.thinking }, el("i"), el("i"), el("i")));
  }

  #question({ id, text, state }) {
    const t = this.t;
    const note = state === "queued" ? t.queued : state === "sending" ? t.sending : state === "failed" ? t.failed : null;
    const retry = state === "failed" && el("button", { type: "button", class: "link", onclick: () => this.actions.retry(id) }, t.retry);
    return el("div", { class: `question ${state}` }, el("p", { class: "words" }, el("span", { class: "unseen" }, `${t.you}: `), text), note && el("p", { class: "note" }, note, retry && " ", retry || null));
  }

  #answer(box, entry, isLast) {
    const { answer } = entry;
    const language = answer.meta.language ?? this.page();
    box.dataset.id = answer.id;
    box.lang = tag(language);
    voice(box.querySelector(".words"), answer);
    const parts = `${answer.isWhole} ${answer.cards.length} ${answer.citations.length} ${answer.suggestions.length} ${Boolean(answer.choices)} ${answer.taken} ${answer.rating} ${answer.text !== ""} ${isLast} ${this.page()}`;
    if (box.dataset.parts === parts) return;
    box.dataset.parts = parts;
    const after = box.querySelector(".after");
    const focused = after.contains(document.activeElement) ? (document.activeElement.dataset.focus ?? "") : null;
    replace(after, this.#after(entry, language, isLast));
    if (focused !== null) (after.querySelector(`[data-focus="${CSS.escape(focused)}"]`) ?? this.root).focus({ preventScroll: true });
  }

  #after(entry, language, isLast) {
    const { answer } = entry;
    const t = this.t;
    const parts = [
      ...answer.cards.map((one) => card(one, language, this.format)),
      answer.citations.length ? citations(answer.citations, t) : null,
      ...notes(answer, t),
    ];
    const options = [...(answer.choices?.options ?? []).map((one) => [one.id, one.label]), ...answer.suggestions.map((one) => [one.id, one.question])];
    if (options.length) parts.push(this.#options(answer, options, isLast));
    if (answer.isWhole && (answer.error || answer.finish === "cancelled") && isLast) parts.push(el("button", { type: "button", class: "link", "data-focus": "again", onclick: () => this.actions.again(entry) }, t.again));
    parts.push(this.#foot(answer, t));
    return parts;
  }

  /** To tap once, and only while nothing else was asked. */
  #options(answer, options, isLast) {
    const isOver = answer.taken !== null || !isLast || !answer.isWhole;
    const button = ([id, label]) => el("button", {
      type: "button", class: "option", "data-focus": `option ${id}`, "aria-disabled": isOver ? "true" : null, "aria-pressed": answer.taken === id ? "true" : null,
      onclick: () => isOver || this.actions.choose(answer, id, label),
    }, label);
    return el("div", { class: "options", role: "group", "aria-label": answer.choices?.prompt ?? null }, options.map(button));
  }

  #foot(answer, t) {
    const model = answer.meta.model;
    const isDemo = answer.meta.demo ?? model === this.demoModel;
    const label = model ? el("p", { class: "made-by" }, t.ai(model), isDemo && [" · ", el("span", { class: "demo" }, t.demoModel)]) : null;
    if (!answer.isWhole) {
      const stop = answer.text && answer.meta.source === "model" ? el("button", { type: "button", class: "link", "data-focus": "stop", onclick: () => this.actions.stop(answer) }, t.stop) : null;
      return label || stop ? el("footer", {}, label, stop) : null;
    }
    return answer.error ? null : el("footer", {}, label, this.#thumbs(answer, t));
  }

  #thumbs(answer, t) {
    const thumb = (rating, name) => el("button", { type: "button", class: "thumb", "data-focus": rating, "aria-pressed": String(answer.rating === rating), "aria-label": name, title: name, onclick: () => this.actions.rate(answer, rating) }, icon(rating));
    return el("div", { class: "thumbs" }, thumb("up", t.good), thumb("down", t.bad));
  }

  // The end of a chat

  #end(node, entry) {
    const told = `${entry.rating} ${this.page()}`;
    if (node.dataset.told === told) return;
    node.dataset.told = told;
    const t = this.t;
    const star = (n) => el("label", { class: n <= entry.rating ? "star on" : "star" }, el("input", { type: "radio", name: entry.key, value: n, checked: n === entry.rating, onchange: () => this.actions.rateChat(entry, n) }), icon("star"), el("span", { class: "unseen" }, t.stars(n)));
    const had = node.contains(document.activeElement);
    replace(node, [
      el("p", {}, t[entry.word]),
      entry.canRate && el("fieldset", { class: "stars" }, el("legend", {}, entry.rating ? t.thanks : t.rate), [1, 2, 3, 4, 5].map(star)),
      entry.word === "ended" && el("button", { type: "button", class: "option", onclick: () => this.actions.newChat() }, t.newChat),
    ]);
    if (had) node.querySelector("input:checked")?.focus({ preventScroll: true });
  }
}

/** Adds whole sentences as elements of their own, which are read out; the rest is only seen until its sentence is whole. */
function voice(node, answer) {
  const given = Number(node.dataset.given ?? 0);
  let tail = node.querySelector(".tail");
  if (answer.text.length < given) {
    for (const old of node.querySelectorAll(".sentence, .tail")) old.remove();
    node.dataset.given = "0";
    return voice(node, answer);
  }
  let at = given;
  const whole = [];
  SENTENCE.lastIndex = given;
  for (let match = SENTENCE.exec(answer.text); match && match[0]; match = SENTENCE.exec(answer.text)) {
    whole.push(match[0]);
    at = SENTENCE.lastIndex;
  }
  if (answer.isWhole && at < answer.text.length) {
    whole.push(answer.text.slice(at));
    at = answer.text.length;
  }
  if (whole.length) {
    const sentence = el("span", { class: "sentence" }, whole.join(""));
    if (tail) tail.before(sentence);
    else node.append(sentence);
    node.dataset.given = String(at);
  }
  const rest = answer.text.slice(at);
  if (!rest) return tail?.remove();
  tail ??= node.appendChild(el("span", { class: "tail", "aria-hidden": "true" }));
  tail.textContent = rest;
  return undefined;
}

function citations(all, t) {
  const rows = all.map(({ title, url }) => el("li", {}, isWeb(url) ? el("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, title) : title));
  return el("details", { class: "sources" }, el("summary", {}, `${t.source}: ${all[0].title}${all.length > 1 ? ` +${all.length - 1}` : ""}`), el("ul", {}, rows));
}

const isWeb = (url) => /^https?:\/\//i.test(url ?? "");

/** What the customer should know of how the answer came about. */
function notes(answer, t) {
  const said = [];
  if (answer.error) said.push(["overloaded", "not_ready", "rate_limited", "deadline_exceeded"].includes(answer.error.code) ? t.busy : answer.text ? t.cutOff : t.errorAgain);
  if (answer.finish === "cancelled") said.push(t.stopped);
  if (answer.finish === "length") said.push(t.tooLong);
  if (answer.finish === "guard") said.push(t.guarded);
  // Without the conversation's store ("sessions") an answer is as whole as with it.
  const missing = [...new Set(answer.degraded.filter((part) => part !== "sessions").map((part) => t.parts[part] ?? t.parts.other))];
  if (missing.length) said.push(t.missing(missing.join(t.listSeparator)));
  return said.map((text) => el("p", { class: "note" }, text));
}

function noticeText(t, { word, args }) {
  return typeof t[word] === "function" ? t[word](...args) : t[word];
}

function replace(node, children) {
  node.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
}
