// Orders, parcels and after-sales as small cards. A field that is not there is not shown.

import { el, icon } from "./dom.js";
import { words } from "./words.js";

const GOOD = new Set(["delivered", "completed", "refunded", "reshipped"]);
const BAD = new Set(["exception", "lost", "returned", "rejected"]);
const OVER = new Set(["cancelled", "closed"]);
const ON_THE_WAY = new Set(["label_created", "picked_up", "in_transit", "out_for_delivery"]);
// How far a parcel has come, of the steps that a customer knows.
const STEP = { label_created: 0, picked_up: 1, in_transit: 2, out_for_delivery: 3, at_pickup_point: 3, delivered: 4 };

export function card({ type, data }, language, format) {
  const make = { order, parcel, after_sale: afterSale }[type];
  if (!make) return null;
  const it = { t: words(language), language, format, data };
  const title = it.t[type];
  return el("section", { class: "card", "aria-label": title }, head(type, title, data), make(it));
}

function head(type, title, { state, stage, state_text: stateText, stage_text: stageText }) {
  const shown = stateText ?? stageText ?? state ?? stage;
  const value = state ?? stage;
  const tone = GOOD.has(value) ? "good" : BAD.has(value) ? "bad" : OVER.has(value) ? "over" : "";
  return el("header", {}, icon(type), el("span", { class: "card-name" }, title), shown && el("span", { class: `state ${tone}` }, shown));
}

function order({ t, data, format, language }) {
  return [
    data.title && el("p", { class: "card-title" }, data.title),
    facts([
      [t.total, amount(data.total_minor, data.currency, format, language)],
      [t.placed, data.placed_at && format.instant(data.placed_at, language)],
      [t.number, data.id, "number"],
    ]),
  ];
}

function parcel({ t, data, format, language }) {
  const expected = ON_THE_WAY.has(data.state) && (data.estimated_date ? t.expected(format.day(data.estimated_date, language)) : data.promised_date && t.promised(format.day(data.promised_date, language)));
  const arrived = data.state === "delivered" && data.delivered_at && t.deliveredAt(format.instant(data.delivered_at, language));
  return [
    (expected || arrived) && el("p", { class: "card-title" }, expected || arrived),
    data.state === "at_pickup_point" && data.pickup_code && el("p", { class: "code" }, el("span", {}, t.pickupCode), el("strong", {}, data.pickup_code)),
    data.state in STEP ? progress(STEP[data.state], t) : null,
    facts([
      [t.pickupPoint, data.pickup_point],
      [t.tracking, [data.carrier, data.tracking_no].filter(Boolean).join(" "), "number"],
      [t.number, data.order_id, "number"],
    ]),
    track(data.events ?? [], { t, format, language }),
  ];
}

function progress(reached, t) {
  const steps = t.steps.map((step, at) => el("li", { class: at < reached ? "done" : "", "aria-current": at === reached - 1 ? "step" : null }, step));
  return el("ol", { class: "progress" }, steps);
}

/** The newest event first; the older ones unfold. */
function track(events, { t, format, language }) {
  if (!events.length) return null;
  const rows = events.toReversed().map(({ at, place, text, state_text: stateText }) => el("li", {}, el("time", { datetime: at }, format.instant(at, language)), el("span", {}, [place, text ?? stateText].filter(Boolean).join(" · "))));
  return el("details", { class: "track" }, el("summary", {}, t.track(events.length)), el("ol", {}, rows));
}

function afterSale({ t, data, format, language }) {
  const when = (value) => value && format.instant(value, language);
  return [
    el("p", { class: "card-title" }, [data.type_text ?? data.kind_text, data.title ?? data.line_title].filter(Boolean).join(" · ")),
    facts([
      [t.amount, amount(data.amount_minor, data.currency, format, language)],
      [t.deadlines[data.stage] ?? t.deadline, !data.refunded_at && when(data.deadline)],
      [t.refundedAt, when(data.refunded_at)],
      [t.channel, data.refund_channel_text],
      [t.freight, data.freight_payer_text],
      [t.returnNo, data.return_no, "number"],
      [t.requestedAt, when(data.requested_at)],
      [t.number, data.order_id, "number"],
    ]),
  ];
}

function amount(minor, currency, format, language) {
  return Number.isInteger(minor) && currency ? format.money(minor, currency, language) : null;
}

function facts(rows) {
  const shown = rows.filter(([, value]) => value);
  return el("dl", {}, shown.flatMap(([name, value, kind]) => [el("dt", {}, name), el("dd", { class: kind ?? null }, value)]));
}
