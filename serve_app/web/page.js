// What stands around the conversation: names, languages, the state of things, the questions to begin with.

import { customerButtons } from "./dialogs.js";
import { byId, el } from "./dom.js";
import { tag, words } from "./words.js";

export class Page {
  /** `start(question, event)`: one of the questions to begin with was pressed; `become(id)`: a customer was chosen. */
  constructor(shop, language, { start, become }) {
    Object.assign(this, { shop, language, start, become });
    this.unread = 0;
  }

  get t() {
    return words(this.language);
  }

  /** Says everything that does not change in the page's language. */
  speak(language) {
    this.language = language;
    document.documentElement.lang = tag(language);
    byId("shop-name").textContent = this.shop.name[language];
    for (const node of document.querySelectorAll("[data-words]")) node.textContent = this.t[node.dataset.words];
    for (const node of document.querySelectorAll("[data-label]")) node.setAttribute("aria-label", this.t[node.dataset.label]);
    byId("text").placeholder = this.t.placeholder;
    const other = language === "zh" ? "en" : "zh";
    Object.assign(byId("language"), { textContent: other === "en" ? "EN" : "中文", lang: tag(other) });
    byId("language").setAttribute("aria-label", other === "en" ? "English" : "切换到中文");
    this.showTitle();
  }

  showTitle() {
    document.title = `${this.unread ? `(${this.unread}) ` : ""}${this.t.title(this.shop.name[this.language])}`;
  }

  /** `people`: the demo shop's customers; `isSomebody`: a customer of the shop looks at the page. */
  showIdentity(people, customerId, isSomebody) {
    const person = people.find(({ id }) => id === customerId);
    byId("identity-line").textContent = !this.shop.isDemo ? "" : isSomebody ? this.t.asCustomer(person?.name ?? customerId ?? "") : this.t.anonymous;
    this.#starters(isSomebody ? "customer" : "anonymous");
    byId("chooser").hidden = !people.length;
    renewed(byId("customers"), `${this.language} ${people.length}`, () => customerButtons(this.t, people, customerId, this.language, this.become));
    for (const button of byId("customers").children) button.setAttribute("aria-pressed", String(button.dataset.id === (customerId ?? "")));
  }

  #starters(whose) {
    const questions = this.shop.starters?.[this.language]?.[whose] ?? this.t.starter[whose];
    const button = (question) => el("button", { type: "button", class: "option", onclick: (event) => this.start(question, event) }, question);
    renewed(byId("starters"), questions.join("\n"), () => questions.map((question) => el("li", {}, button(question))));
  }

  /** Who has the conversation; null or a state without a person: nothing is shown. */
  showHandoff(handoff, agentName) {
    const line = byId("handoff-line");
    const shown = handoff?.state === "queued" ? this.#queued(handoff) : handoff?.state === "human" ? this.t.human(agentName || this.t.someone) : "";
    line.hidden = !shown;
    line.textContent = shown;
    byId("person").classList.toggle("on", Boolean(shown));
  }

  #queued({ on_duty: onDuty, hours, wait_s: waitS }) {
    if (!onDuty || waitS === null) return this.t.queuedOff(hours); // also when the wait would end after closing time
    const minutes = Math.ceil((waitS ?? 0) / 60);
    return this.t.queuedOn(minutes ? this.t.wait(minutes) : this.t.waitSoon);
  }

  showLink(isLost) {
    byId("link-line").hidden = !isLost;
    byId("link-line").textContent = isLost ? (navigator.onLine ? this.t.reconnecting : this.t.offline) : "";
  }
}

/** Makes the children anew only when they change: what is being tapped or has the focus stays. */
function renewed(node, told, make) {
  if (node.dataset.told === told) return;
  node.dataset.told = told;
  node.replaceChildren(...make());
}
