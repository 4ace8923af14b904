// What the customer thinks of an answer, and of the chat.

import { reasonDialog } from "./dialogs.js";

export class Feedback {
  constructor(visitor, conversation, page) {
    Object.assign(this, { visitor, conversation, page });
  }

  /** "up" or "down" counts at once; the reason may follow. */
  async rate(answer, rating) {
    if (!(await this.#give(answer.id, rating))) return;
    answer.rating = rating;
    this.conversation.changed(this.conversation.answering(answer.id));
    const { t } = this.page;
    const told = rating === "up" ? await reasonDialog(t, t.whyGood, []) : await reasonDialog(t, t.whyBad, t.reasons);
    if (told?.reason) await this.#give(answer.id, rating, told.reason);
  }

  /** One to five stars, for the chat that `entry` ends. */
  async rateChat(entry, stars) {
    if (!(await this.#give(this.conversation.lastAnswerId, stars))) return;
    entry.rating = stars;
    this.conversation.changed(entry);
  }

  async #give(answerId, rating, reason) {
    try {
      await this.visitor.call("POST", "/v1/feedback", { answer_id: answerId, rating, ...(reason && { reason }) });
      return true;
    } catch {
      this.conversation.notice("feedbackFailed");
      return false;
    }
  }
}
