// What happens when: between the visitor, the socket, the conversation and what is seen.

import { listenToTyping } from "./composer.js";
import { Conversation } from "./conversation.js";
import { askDialog, customerDialog, menuDialog } from "./dialogs.js";
import { byId, kept, newId } from "./dom.js";
import { Feedback } from "./feedback.js";
import { Link } from "./link.js";
import { Log } from "./log.js";
import { Page } from "./page.js";
import { askParent, handedOver, Refused, Visitor } from "./visitor.js";
import { firstLanguage, Format, tag } from "./words.js";

const REFUSALS_MAX = 8; // in a row, before it is given up

const shop = JSON.parse(byId("shop").textContent);
const text = byId("text");
const log = byId("log");
let people = [];
let sessionId = null;
let greetedWith = null; // the session that the last hello named
let handoff = null;
let agentName = "";
let linkState = "connecting";
let wasOpen = false;
let refusals = 0;
let renewal = null;
let isSeen = true;
let lastKey = null;

const page = new Page(shop, firstLanguage(), { start: (question, event) => tapped(event, () => send(question)), become });
const visitor = new Visitor(shop, (customers) => {
  people = customers;
  showIdentity();
});
const conversation = new Conversation(show);
const thoughts = new Feedback(visitor, conversation, page);
const view = new Log({
  root: log, scroller: byId("main"), format: new Format(shop.timeZone), demoModel: shop.demoModel, page: () => page.language,
  actions: {
    choose, retry, again, stop, newChat,
    rate: (answer, rating) => thoughts.rate(answer, rating),
    rateChat: (entry, stars) => thoughts.rateChat(entry, stars),
  },
});
const link = new Link({ hello, onFrame, onState, onRefused });

// What is seen

function show(entry) {
  if (!isSeen) return;
  byId("welcome").hidden = conversation.entries.length > 0;
  if (entry) view.update(entry, conversation.entries.at(-1) === entry);
  else view.sync(conversation.entries);
}

/** Changes the conversation without reading all of it out. */
function quietly(change) {
  isSeen = false;
  try {
    change();
  } finally {
    isSeen = true;
  }
  byId("welcome").hidden = conversation.entries.length > 0;
  view.sync(conversation.entries, true);
}

/** Options and retries belong to the last turn only. */
function settle() {
  const last = conversation.entries.at(-1);
  if (!last || last.key === lastKey) return;
  lastKey = last.key;
  view.sync(conversation.entries);
}

function speak(language) {
  page.speak(language);
  showIdentity();
  page.showHandoff(handoff, agentName);
  showLink();
  view.again(conversation.entries);
}

function showIdentity() {
  page.showIdentity(people, visitor.customerId, visitor.customerId !== null || visitor.customerToken !== null);
}

function showLink() {
  page.showLink(linkState === "waiting" || (linkState === "connecting" && wasOpen));
}

// The socket

const sessionKey = () => `session:${shop.tenant}:${visitor.subject}`;

async function hello() {
  const token = await visitor.ensure();
  clearTimeout(renewal);
  renewal = setTimeout(greetAgain, visitor.renewInMs + 1000);
  sessionId ??= kept.get(sessionKey());
  greetedWith = sessionId;
  const frame = { type: "hello", token, locale: tag(page.language) };
  if (visitor.customerToken) frame.customer_token = visitor.customerToken;
  if (sessionId) frame.session_id = sessionId;
  return frame;
}

function greetAgain() {
  link.greet().catch(() => link.restart());
}

function onState(state) {
  linkState = state;
  if (state === "open") wasOpen = true;
  else for (const { id } of conversation.unsettled) conversation.mark(id, "queued");
  showLink();
}

/** The token or the conversation was not taken: whether another try makes sense. */
function onRefused() {
  visitor.forget();
  refusals += 1;
  if (refusals > 1 && sessionId) startAnew();
  return refusals < REFUSALS_MAX;
}

function onFrame(frame) {
  const { event, answer_id: answerId, data } = frame;
  if (event === "ready") ready(data);
  else if (event === "agent") personSpoke(data);
  else if (answerId) answered(frame);
  else if (event === "handoff") setHandoff(data);
  else if (event === "error") refused(frame.message_id, data.error ?? data);
}

function answered(frame) {
  const { event, answer_id: answerId, data } = frame;
  if (event === "error" && data.error?.code === "not_found") {
    // It cannot be resumed any more: what there is stands in the record.
    if (conversation.answering(answerId)?.answer.isWhole === false) catchUp([]);
    return;
  }
  const after = conversation.take(frame);
  if (event === "handoff") setHandoff(data);
  if (after !== null) link.send({ type: "resume", answer_id: answerId, after_seq: after });
  settle();
}

function ready({ session_id: id, handoff: state, active = [] }) {
  refusals = 0;
  const isOld = greetedWith === id;
  if (greetedWith && !isOld) conversation.notice("sessionGone");
  sessionId = id;
  kept.set(sessionKey(), id);
  setHandoff(state, { isNews: false });
  for (const { answer_id: answerId } of active) resume(answerId);
  if (isOld) catchUp(active);
  else sendUnsettled();
}

function resume(answerId) {
  const answer = conversation.answering(answerId)?.answer;
  if (!answer?.isWhole) link.send({ type: "resume", answer_id: answerId, after_seq: answer?.seq ?? 0 });
}

/** What was said while this page was not there. `active`: the answers under way. */
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
    setHandoff(session.handoff ?? null, { isNews: false });
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
  } else if (messageId) conversation.mark(messageId, "failed");
}

function signInAgain(error) {
  visitor.forget();
  if (error.param === "X-Customer-Token" && visitor.customerToken) {
    visitor.customerToken = null;
    conversation.notice("signedOut");
    askParent(shop);
  }
  setTimeout(greetAgain, 1000);
}

function startAnew() {
  kept.remove(sessionKey());
  sessionId = null;
  handoff = null;
  agentName = "";
  page.showHandoff(handoff, agentName);
}

// What the customer does

function send(question, choice = null) {
  const asked = { id: newId(), text: question, choice, state: "queued" };
  conversation.ask(asked);
  dispatch(asked);
  view.toEnd(true);
}

function dispatch(question) {
  conversation.mark(question.id, link.send(askFrame(question)) ? "sending" : "queued");
}

function askFrame({ id, text: question, choice }) {
  return { type: "ask", message_id: id, ...(choice ? { choice } : { question }) };
}

/** A tap removes or disables what was tapped: the focus goes on to where one would type, unless that opens a keyboard. */
function tapped(event, action) {
  const byKey = event.detail === 0;
  action();
  if (byKey) text.focus();
  else log.focus({ preventScroll: true });
}

function choose(answer, id, label) {
  answer.taken = id;
  send(label, id);
}

function retry(messageId) {
  const question = conversation.turnOf(messageId)?.questions.find(({ id }) => id === messageId);
  if (question) dispatch(Object.assign(question, { state: "queued" }));
}

/** The same message once more: what broke off is answered anew. */
function again({ questions }) {
  const [first] = questions;
  if (first) link.send(askFrame({ ...first, text: questions.map((one) => one.text).join("\n") }));
}

function stop(answer) {
  link.send({ type: "cancel", answer_id: answer.id });
}

function newChat() {
  startAnew();
  conversation.clear();
  link.restart();
  text.focus();
}

function endChat() {
  conversation.end("ended");
  view.toEnd(true);
}

/** Another of the demo shop's customers; "": nobody. */
function become(id) {
  if ((id || null) === visitor.customerId) return;
  visitor.choose(id || null);
  changeVisitor();
}

function changeVisitor() {
  sessionId = null;
  handoff = null;
  agentName = "";
  wasOpen = false;
  conversation.clear();
  showIdentity();
  page.showHandoff(handoff, agentName);
  link.restart();
}

// A person

async function wantPerson() {
  const { t } = page;
  if (handoff?.state === "queued" || handoff?.state === "human") {
    await askDialog(t, t.person, byId("handoff-line").textContent, [["ok", t.close]]);
    return;
  }
  const yes = await askDialog(t, t.askPersonTitle, t.askPerson, [["no", t.cancel], ["yes", t.askPersonYes, "main"]]);
  if (yes !== "yes") return;
  try {
    setHandoff(await visitor.call("POST", `/v1/sessions/${encodeURIComponent(sessionId)}/handoff`, {}));
  } catch {
    conversation.notice("handoffFailed");
  }
}

/** `isNews`: it has just happened, and the conversation says so. */
function setHandoff(next, { isNews = true } = {}) {
  const isOther = next && (handoff?.state !== next.state || handoff?.ticket_id !== next.ticket_id);
  handoff = next;
  if (isOther && isNews && next.state === "queued") conversation.notice("queuedNotice");
  if (isOther && isNews && next.state === "closed") {
    conversation.end("closedNotice");
    agentName = "";
  }
  page.showHandoff(handoff, agentName);
}

function personSpoke(data) {
  if (data.name && data.name !== agentName) conversation.notice("joined", data.name);
  agentName = data.name || agentName;
  if (conversation.person(data) && document.hidden) {
    page.unread += 1;
    page.showTitle();
  }
  page.showHandoff(handoff, agentName);
  settle();
}

// Listening

listenToTyping(shop.questionChars, (typed) => send(typed));
byId("person").addEventListener("click", wantPerson);
byId("language").addEventListener("click", () => {
  const next = page.language === "zh" ? "en" : "zh";
  kept.set("language", next);
  speak(next);
});
byId("more").addEventListener("click", async () => {
  const { t } = page;
  const items = [...(people.length ? [["identity", t.identity]] : []), ["end", t.endChat], ["new", t.newChat]];
  const chosen = await menuDialog(t, t.more, items);
  if (chosen === "end") endChat();
  if (chosen === "new") newChat();
  if (chosen !== "identity") return;
  const id = await customerDialog(t, people, visitor.customerId, page.language);
  if (id !== null) become(id);
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  page.unread = 0;
  page.showTitle();
});

speak(page.language);
handedOver(shop, (token) => {
  if (token === visitor.customerToken) return;
  const before = visitor.subject;
  visitor.customerToken = token;
  if (visitor.subject === before) greetAgain();
  else changeVisitor();
});
if (!link.socket) link.restart();
