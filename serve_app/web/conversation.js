// What has been said: turns, a person's words, notices. Takes events in any order and never shows one twice.

/** Keys of an entry: "turn", "person", "notice" or "end". `changed` is called with the entry, or with none after a reordering. */
export class Conversation {
  constructor(changed) {
    this.changed = changed;
    this.entries = [];
  }

  clear() {
    this.entries = [];
    this.changed();
  }

  // What the customer says

  ask(question) {
    const entry = { kind: "turn", key: question.id, at: Date.now(), questions: [question], answer: null };
    this.entries.push(entry);
    this.changed();
    return entry;
  }

  turnOf(messageId) {
    return this.entries.find((entry) => entry.kind === "turn" && entry.questions.some(({ id, others }) => id === messageId || others?.includes(messageId)));
  }

  answering(answerId) {
    return this.entries.find((entry) => entry.answer?.id === answerId);
  }

  get lastAnswerId() {
    return this.entries.findLast((entry) => entry.answer)?.answer.id ?? null;
  }

  /** Questions that the server may not have. */
  get unsettled() {
    return this.entries.flatMap((entry) => (entry.kind === "turn" && !entry.answer ? entry.questions : [])).filter(({ state }) => state === "queued" || state === "sending");
  }

  get unfinished() {
    return this.entries.filter(({ answer }) => answer && !answer.isWhole).map(({ answer }) => answer);
  }

  mark(messageId, state) {
    const entry = this.turnOf(messageId);
    const question = entry?.questions.find(({ id }) => id === messageId);
    if (!question || question.state === "sent") return;
    question.state = state;
    this.changed(entry);
  }

  // What the server says

  /** One event of an answer. Returns the seq after which some are missing, or null when none is. */
  take({ event, seq, answer_id: answerId, data }) {
    if (event === "question") {
      this.#fromElsewhere(data);
      return null;
    }
    const entry = this.answering(answerId) ?? this.#begin(answerId, event === "meta" ? (data.message_ids ?? []) : []);
    const { answer } = entry;
    if (answer.isWhole || (seq && seq <= answer.seq)) return null;
    if (seq && seq > answer.seq + 1) return answer.seq;
    answer.seq = seq ?? answer.seq;
    apply(answer, event, data);
    this.changed(entry);
    return null;
  }

  #fromElsewhere({ message_ids: ids, text, at }) {
    if (ids.some((id) => this.turnOf(id))) return;
    this.entries.push({ kind: "turn", key: ids[0], at: Date.parse(at) || Date.now(), questions: asOneByOne(ids, text), answer: null });
    this.changed();
  }

  /** The turn that an answer belongs to. Questions that were asked one by one and answered together become one turn. */
  #begin(answerId, messageIds) {
    const turns = [...new Set(messageIds.map((id) => this.turnOf(id)).filter(Boolean))];
    let entry = turns.at(-1);
    if (!entry) {
      entry = { kind: "turn", key: answerId, at: Date.now(), questions: [], answer: null };
      this.entries.push(entry);
    }
    entry.questions = turns.flatMap(({ questions }) => questions);
    this.entries = this.entries.filter((other) => other === entry || !turns.includes(other));
    for (const question of entry.questions) question.state = "sent";
    entry.answer = newAnswer(answerId);
    this.changed();
    return entry;
  }

  person({ id, text, name, at }) {
    if (this.entries.some(({ key }) => key === id)) return false;
    this.entries.push({ kind: "person", key: id, at: Date.parse(at) || Date.now(), text, name });
    this.changed();
    return true;
  }

  notice(word, ...args) {
    this.entries.push({ kind: "notice", key: `notice ${this.entries.length} ${Date.now()}`, at: Date.now(), word, args });
    this.changed();
  }

  /** The end of a chat, with its rating; at most one stands at the end. */
  end(word) {
    if (this.entries.at(-1)?.kind === "end") return;
    this.entries.push({ kind: "end", key: `end ${Date.now()}`, at: Date.now(), word, rating: 0, canRate: this.lastAnswerId !== null });
    this.changed();
  }

  /** The server's record of the conversation. What is still being answered or sent here stays as it is. */
  adopt({ turns = [], messages = [] }) {
    const rows = [...turns.map((turn) => this.#fromTurn(turn)), ...messages.map(fromMessage)];
    const ids = new Set(rows.flatMap((entry) => [entry.key, ...(entry.questions ?? []).flatMap(({ id, others = [] }) => [id, ...others])]));
    const answers = new Set(rows.map(({ answer }) => answer?.id).filter(Boolean));
    const ours = this.entries.filter((entry) => {
      if (entry.kind === "turn") return !answers.has(entry.answer?.id) && !entry.questions.some(({ id }) => ids.has(id));
      return !ids.has(entry.key);
    });
    const theirs = rows.sort((one, other) => one.at - other.at);
    const newest = theirs.at(-1)?.at ?? 0;
    // By time, but what the server has not got stays last, however wrong this device's clock goes.
    const earlier = ours.filter((entry) => entry.kind !== "turn" && entry.at < newest);
    this.entries = [...[...theirs, ...earlier].sort((one, other) => one.at - other.at), ...ours.filter((entry) => !earlier.includes(entry))];
    this.changed();
  }

  /** The last question, if the server recorded it and nobody answers it (its process died): it may be asked again. */
  revive() {
    const last = this.entries.findLast(({ kind }) => kind === "turn");
    if (last && !last.answer && !last.isTold) for (const question of last.questions) question.state = "sending";
  }

  #fromTurn(turn) {
    const ids = turn.message_ids ?? [turn.message_id];
    const known = ids.map((id) => this.turnOf(id)).find(Boolean);
    const entry = known ?? { kind: "turn", key: ids[0], questions: asOneByOne(ids, turn.question), answer: null };
    entry.at = Date.parse(turn.asked_at);
    for (const question of entry.questions) if (turn.answer) question.state = "sent";
    if (turn.answer && !(entry.answer?.id === turn.answer.answer_id && entry.answer.isWhole)) entry.answer = fromRecord(turn.answer);
    return entry;
  }
}

const sent = (id, text) => ({ id, text, state: "sent" });

/** Messages that became one question, line by line, as they were sent. */
function asOneByOne(ids, text) {
  const lines = text.split("\n");
  return lines.length === ids.length ? ids.map((id, at) => sent(id, lines[at])) : [{ ...sent(ids[0], text), others: ids }];
}

function newAnswer(id) {
  return { id, seq: 0, meta: {}, text: "", cards: [], citations: [], choices: null, suggestions: [], finish: null, degraded: [], error: null, isWhole: false, taken: null, rating: null };
}

function apply(answer, event, data) {
  switch (event) {
    case "meta": answer.meta = data; break;
    case "delta": answer.text += data.text; break;
    case "card": answer.cards.push(data); break;
    case "citation": answer.citations.push(data); break;
    case "choices": answer.choices = data; break;
    case "suggestions": answer.suggestions = data.items ?? data; break;
    case "done": Object.assign(answer, { finish: data.finish_reason, degraded: data.degraded ?? [], isWhole: true }); break;
    case "error": Object.assign(answer, { error: data.error ?? data, isWhole: true }); break;
    default: // an event of a later version
  }
}

function fromRecord(record) {
  const answer = newAnswer(record.answer_id);
  const { source, model, language, demo } = record;
  answer.meta = { source, model, language, demo };
  answer.text = record.text;
  for (const { event, data } of record.events ?? []) if (event !== "delta") apply(answer, event, data);
  return Object.assign(answer, { seq: Infinity, finish: record.finish_reason, degraded: record.degraded ?? [], isWhole: true });
}

function fromMessage(message) {
  const at = Date.parse(message.at);
  if (message.from === "customer") return { kind: "turn", isTold: true, key: message.id, at, questions: [sent(message.id, message.text)], answer: null };
  if (message.from === "agent") return { kind: "person", key: message.id, at, text: message.text, name: message.name };
  return { kind: "notice", key: message.id, at, text: message.text };
}
