// The page: what happens when, between the visitor, the socket, the conversation and what is seen.

import { Conversation } from "./conversation.js";
import { askDialog, customerButtons, customerDialog, menuDialog, reasonDialog } from "./dialogs.js";
import { byId, el, kept, newId } from "./dom.js";
import { Link } from "./link.js";
import { Log } from "./log.js";
import { askParent, handedOver, Refused, Visitor } from "./visitor.js";
import { firstLanguage, Format, tag, words } from "./words.js";

const shop = JSON.parse(byId("shop").textContent);
const text = byId("text");
const log = byId("log");
let language = firstLanguage();
let people = [];
let sessionId = null;
let greetedWith = null;
let handoff = null;
let wasOpen = false;
let linkState = "connecting";
let agentName = "";
let unread = 0;

const t = () => words(language);
const visitor = new Visitor(shop, (customers) => {
  people = customers;
  showIdentity();
});
const conversation = new Conversation((entry) => show(entry));
const view = new Log({
  root: log, scroller: byId("main"), format: new Format(shop.timeZone), demoModel: shop.demoModel, page: () => language,
  actions: { choose, retry, again, stop, rate, rateChat, newChat },
});
const link = new Link({ hello, onFrame, onState, onRefused });

// What is seen

let isShown = true;
function show(entry) {
  if (!isShown) return;
  byId("welcome").hidden = conversation.entries.length > 0;
  if (entry) view.update(entry, conversation.entries.at(-1) === entry);
  else view?.sync(conversation.entries);
}

function quietly(change) {
  isShown = false;
  try {
    change();
  } finally {
    isShown = true;
  }
  byId("welcome").hidden = conversation.entries.length > 0;
  view.sync(conversation.entries, true);
}

function speakLanguage() {
  document.documentElement.lang = tag(language);
  const name = shop.name[language];
  byId("shop-name").textContent = name;
  showTitle();
  for (const node of document.querySelectorAll("[data-words]")) node.textContent = t()[node.dataset.words];
  for (const node of document.querySelectorAll("[data-label]")) node.setAttribute("aria-label", t()[node.dataset.label]);
  text.placeholder = t().placeholder;
  const other = language === "zh" ? "en" : "zh";
  Object.assign(byId("language"), { textContent: other === "en" ? "EN" : "中文", lang: tag(other) });
  byId("language").setAttribute("aria-label", other === "en" ? "English" : "切换到中文");
  showIdentity();
  showHandoff();
  showLink();
  view.again(conversation.entries);
}

function showTitle() {
  document.title = `${unread ? `(${unread}) ` : ""}${t().title(shop.name[language])}`;
}

function showIdentity() {
  const person = people.find(({ id }) => id === visitor.customerId);
  const isSomebody = visitor.customerId !== null || visitor.customerToken !== null;
  byId("identity-line").textContent = !shop.isDemo ? "" : isSomebody ? t().asCustomer(person?.name ?? visitor.customerId) : t().anonymous;
  const questions = t().starter[isSomebody ? "customer" : "anonymous"];
  renewed(byId("starters"), questions.join(), () => questions.map((question) => el("li", {}, el("button", { type: "button", class: "option", onclick: (event) => tapped(event, () => send(question)) }, question))));
  byId("chooser").hidden = !people.length;
  renewed(byId("customers"), `${language} ${people.length}`, () => customerButtons(t(), people, visitor.customerId, language, choosePerson));
  for (const button of byId("customers").children) button.setAttribute("aria-pressed", String(button.dataset.id === (visitor.customerId ?? "")));
}

/** Makes the children anew only when they change: what is being tapped or has the focus stays. */
function renewed(node, told, make) {
  if (node.dataset.told === told) return;
  node.dataset.told = told;
  node.replaceChildren(...make());
}

function showHandoff() {
  const line = byId("handoff-line");
  const state = handoff?.state;
  const shown = state === "queued" ? queuedText() : state === "human" ? t().human(agentName || t().someone) : "";
  line.hidden = !shown;
  line.dataset.state = state ?? "";
  line.textContent = shown;
  byId("person").classList.toggle("on", Boolean(shown));
}

function queuedText() {
  if (!handoff.on_duty) return t().queuedOff(handoff.hours);
  const minutes = Math.ceil((handoff.wait_s ?? 0) / 60);
  return t().queuedOn(minutes ? t().wait(minutes) : t().waitSoon);
}

function showLink() {
  const isLost = linkState === "waiting" || (linkState === "connecting" && wasOpen);
  byId("link-line").hidden = !isLost;
  byId("link-line").textContent = isLost ? (navigator.onLine ? t().reconnecting : t().offline) : "";
}

// The socket

const sessionKey = () => `session:${shop.tenant}:${visitor.subject}`;

async function hello() {
  const token = await visitor.ensure();
  renewInTime();
  sessionId ??= kept.get(sessionKey());
  greetedWith = sessionId;
  const frame = { type: "hello", token, locale: tag(language) };
  if (visitor.customerToken) frame.customer_token = visitor.customerToken;
  if (sessionId) frame.session_id = sessionId;
  return frame;
}

let renewal = null;
function renewInTime() {
  clearTimeout(renewal);
  renewal = setTimeout(() => link.greet().catch(() => link.restart()), visitor.renewInMs + 1000);
}

function onState(state) {
  linkState = state;
  if (state === "open") wasOpen = true;
  else for (const { id } of conversation.unsettled) conversation.mark(id, "queued");
  showLink();
}

/** The token or the conversation was not taken: whether another try makes sense. */
let refusals = 0;
function onRefused() {
  visitor.forget();
  refusals += 1;
  if (refusals > 1 && sessionId) startAnew();
  return refusals < 8;
}

function onFrame(frame) {
  const { event, answer_id: answerId, data } = frame;
  if (event === "ready") ready(data);
  else if (event === "agent") personSpoke(data);
  else if (event === "handoff" && !answerId) setHandoff(data);
  else if (event === "error" && !answerId) refused(frame.message_id, data.error ?? data);
  else if (event === "error" && data.error?.code === "not_found" && conversation.answering(answerId)?.answer.isWhole === false) catchUp([]);
  else if (answerId) {
    const after = conversation.take(frame);
    if (event === "handoff") setHandoff(data);
    if (after !== null) link.send({ type: "resume", answer_id: answerId, after_seq: after });
    settle();
  }
}

function ready({ session_id: id, handoff: state, active = [] }) {
  refusals = 0;
  const isOld = greetedWith === id;
  if (greetedWith && !isOld) conversation.notice("sessionGone");
  sessionId = id;
  kept.set(sessionKey(), id);
  setHandoff(state, { quietly: true });
  for (const { answer_id: answerId } of active) resume(answerId);
  if (isOld) catchUp(active);
  else sendUnsettled();
}

function resume(answerId) {
  const answer = conversation.answering(answerId)?.answer;
  if (!answer?.isWhole) link.send({ type: "resume", answer_id: answerId, after_seq: answer?.seq ?? 0 });
}

/** What was said while this page was not there. */
async function catchUp(active) {
  const mine = sessionId;
  try {
    const session = await visitor.call("GET", `/v1/sessions/${encodeURIComponent(mine)}`);
    if (mine !== sessionId) return;
    quietly(() => {
      conversation.adopt(session);
      if (!active.length) conversation.revive();
    });
    agentName = session.messages?.findLast(({ from }) => from === "agent")?.name ?? agentName;
    setHandoff(session.handoff ?? null, { quietly: true });
  } catch (error) {
    // A conversation without a question may not be known yet; without a network the link says so itself.
    if (!(error instanceof Refused || error instanceof TypeError)) throw error;
  }
  const isActive = new Set(active.map(({ answer_id: answerId }) => answerId));
  for (const { id } of conversation.unfinished) if (!isActive.has(id)) resume(id);
  sendUnsettled();
}

function sendUnsettled() {
  for (const question of conversation.unsettled) dispatch(question);
}

function refused(messageId, error) {
  if (error.code === "invalid_credentials") signInAgain(error);
  else if (error.code === "not_found" || (error.code === "forbidden" && !messageId)) {
    startAnew();
    conversation.notice("sessionGone");
    link.restart();
  } else if (messageId) conversation.mark(messageId, "failed", error);
}

function signInAgain(error) {
  visitor.forget();
  if (error.param === "X-Customer-Token" && visitor.customerToken) {
    visitor.customerToken = null;
    conversation.notice("signedOut");
    askParent(shop);
  }
  setTimeout(() => link.greet().catch(() => link.restart()), 1000);
}

function startAnew() {
  kept.remove(sessionKey());
  sessionId = null;
  handoff = null;
  showHandoff();
}

// What the customer does

function send(question, { choice = null } = {}) {
  const asked = { id: newId(), text: question, choice, state: "queued" };
  conversation.ask(asked);
  dispatch(asked);
  view.toEnd(true);
}

function dispatch({ id, text: question, choice }) {
  const frame = choice === null || choice === undefined ? { type: "ask", message_id: id, question } : { type: "ask", message_id: id, choice };
  conversation.mark(id, link.send(frame) ? "sending" : "queued");
}

/** A tap removes or disables what was tapped: the focus goes on to where one would type, unless that opens a keyboard. */
function tapped(event, action) {
  const byKey = event.detail === 0;
  action();
  if (byKey) text.focus();
  else if (!event.currentTarget?.isConnected || event.currentTarget.closest("[hidden]")) log.focus({ preventScroll: true });
}

function choose(answer, id, label) {
  answer.taken = id;
  send(label, { choice: id });
}

function retry(messageId) {
  const question = conversation.turnOf(messageId)?.questions.find(({ id }) => id === messageId);
  if (question) dispatch(Object.assign(question, { state: "queued" }));
}

/** The same message once more: what broke off is answered anew. */
function again({ questions }) {
  const [first] = questions;
  if (first) link.send(first.choice ? { type: "ask", message_id: first.id, choice: first.choice } : { type: "ask", message_id: first.id, question: questions.map((one) => one.text).join("\n") });
}

function stop(answer) {
  link.send({ type: "cancel", answer_id: answer.id });
}

async function rate(answer, rating) {
  if (!(await feedback(answer.id, rating))) return;
  answer.rating = rating;
  show(conversation.answering(answer.id));
  const told = await reasonDialog(t(), rating === "up" ? t().whyGood : t().whyBad, rating === "up" ? [] : t().reasons);
  if (told?.reason) await feedback(answer.id, rating, told.reason);
}

async function rateChat(entry, stars) {
  if (!conversation.lastAnswerId || !(await feedback(conversation.lastAnswerId, stars))) return;
  entry.rating = stars;
  show(entry);
}

async function feedback(answerId, rating, reason) {
  try {
    await visitor.call("POST", "/v1/feedback", { answer_id: answerId, rating, ...(reason && { reason }) });
    return true;
  } catch {
    conversation.notice("feedbackFailed");
    return false;
  }
}

function newChat() {
  startAnew();
  conversation.clear();
  link.restart();
  text.focus();
}

function endChat() {
  conversation.end("ended");
  conversation.entries.at(-1).canRate = conversation.lastAnswerId !== null;
  show();
  view.toEnd(true);
}

function choosePerson(id) {
  if ((id || null) === visitor.customerId) return;
  visitor.choose(id || null);
  changeVisitor();
}

function changeVisitor() {
  sessionId = null;
  handoff = null;
  agentName = "";
  conversation.clear();
  showIdentity();
  showHandoff();
  wasOpen = false;
  link.restart();
}

// A person

async function wantPerson() {
  const state = handoff?.state;
  if (state === "queued" || state === "human") {
    await askDialog(t(), t().person, byId("handoff-line").textContent, [["ok", t().close]]);
    return;
  }
  const yes = await askDialog(t(), t().askPersonTitle, t().askPerson, [["no", t().cancel], ["yes", t().askPersonYes, "main"]]);
  if (yes !== "yes") return;
  try {
    setHandoff(await visitor.call("POST", `/v1/sessions/${encodeURIComponent(sessionId)}/handoff`, {}));
  } catch {
    conversation.notice("handoffFailed");
  }
}

function setHandoff(next, { quietly: isQuiet = false } = {}) {
  const before = handoff;
  handoff = next;
  const isNew = next && (before?.state !== next.state || before?.ticket_id !== next.ticket_id);
  if (isNew && !isQuiet) {
    if (next.state === "queued") conversation.notice("queuedNotice");
    if (next.state === "human" && before?.state !== "human") agentName ||= "";
    if (next.state === "closed") {
      conversation.end("closedNotice");
      agentName = "";
    }
  }
  showHandoff();
}

function personSpoke(data) {
  if (data.name && data.name !== agentName) conversation.notice("joined", data.name);
  agentName = data.name || agentName;
  if (conversation.person(data) && document.hidden) {
    unread += 1;
    showTitle();
  }
  showHandoff();
  settle();
}

/** Options and retries belong to the last turn only. */
let lastKey = null;
function settle() {
  const last = conversation.entries.at(-1);
  if (!last || last.key === lastKey) return;
  lastKey = last.key;
  view.sync(conversation.entries);
}

// Listening

byId("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const question = text.value.trim();
  if (!question) return;
  text.value = "";
  fit();
  send(question);
  text.focus();
});

text.addEventListener("keydown", (event) => {
  // While an input method composes, Enter chooses a word.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  byId("composer").requestSubmit();
});

text.maxLength = shop.questionChars;
const fit = () => {
  if (CSS.supports("field-sizing", "content")) return;
  text.style.height = "auto";
  text.style.height = `${text.scrollHeight}px`;
};
text.addEventListener("input", fit);

byId("person").addEventListener("click", wantPerson);
byId("language").addEventListener("click", () => setLanguage(language === "zh" ? "en" : "zh"));
byId("more").addEventListener("click", async () => {
  const items = [...(people.length ? [["identity", t().identity]] : []), ["end", t().endChat], ["new", t().newChat]];
  const chosen = await menuDialog(t(), t().more, items);
  if (chosen === "end") endChat();
  if (chosen === "new") newChat();
  if (chosen === "identity") {
    const id = await customerDialog(t(), people, visitor.customerId, language);
    if (id !== null) choosePerson(id);
  }
});

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  unread = 0;
  showTitle();
});

function setLanguage(next) {
  language = next;
  kept.set("language", next);
  speakLanguage();
}

speakLanguage();
handedOver(shop, (token) => {
  if (token === visitor.customerToken) return;
  const before = visitor.subject;
  visitor.customerToken = token;
  if (visitor.subject === before) link.greet().catch(() => link.restart());
  else changeVisitor();
});
if (linkState === "connecting" && !link.socket) link.restart();
