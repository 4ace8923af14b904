// What the page says, in Chinese and in English, and how it writes dates and money.

import { kept } from "./dom.js";

const WORDS = {
  zh: {
    title: (shop) => `${shop} · 客服`,
    anonymous: "匿名访客", asCustomer: (name) => `以 ${name} 的身份`,
    person: "人工客服", more: "更多", send: "发送", close: "关闭", cancel: "取消", log: "对话",
    greeting: "您好，想问点什么？", about: "订单、物流、退换货、优惠和会员，都可以直接问。",
    starters: "常见问题", chooseTitle: "演示店铺：换个身份试试", chooseAbout: "选一位顾客，就能问 TA 自己的订单。也可以保持匿名。",
    yourMessage: "您的问题", placeholder: "输入您的问题…", keys: "按 Enter 发送，Shift 加 Enter 换行。",
    queued: "等待发送", sending: "发送中…", failed: "没有发出去", retry: "重试", you: "您", bot: "智能客服",
    thinking: "正在回答", stop: "停止", stopped: "已停止。", cutOff: "回答在这里中断了。", again: "重新回答",
    tooLong: "回答较长，到这里为止。", guarded: "后面的内容无法核实，所以没有继续。",
    ai: (model) => `AI 生成 · ${model}`, demoModel: "演示模型，可能有误", source: "来源",
    missing: (parts) => `暂时查不到${parts}，这个回答没有用到它。`, listSeparator: "、",
    parts: { customer: "会员信息", coupons: "优惠券", orders: "订单", lines: "商品明细", parcels: "物流", parcel_events: "物流轨迹", after_sales: "售后", invoices: "发票", knowledge: "部分店铺规则", other: "部分信息" },
    good: "有帮助", bad: "没帮助", whyGood: "哪里好？（可不填）", whyBad: "哪里不好？（可不填）", reasons: ["不准确", "没看懂我的问题", "不够详细"],
    tellMore: "想说的话", submit: "提交", thanks: "谢谢您的反馈。", feedbackFailed: "反馈没有送达，请再点一次。",
    askPersonTitle: "转接人工客服？", askPerson: "对话会转给一位同事，前面的内容 TA 都能看到。", askPersonYes: "转人工",
    queuedOn: (wait) => `人工客服接入中，${wait}`, wait: (minutes) => `预计等待约 ${minutes} 分钟`, waitSoon: "很快就好",
    queuedOff: (hours) => `已为您留言。人工客服服务时间 ${hours}，上班后会在这里回复您。`,
    human: (name) => `${name}正在为您服务`, someone: "人工客服", joined: (name) => `${name}已接入`, closedNotice: "人工服务已结束，之后由智能客服回答。",
    queuedNotice: "已转人工客服。", personTag: "人工客服", handoffFailed: "现在转不了人工，请稍后再试。",
    reconnecting: "重新连接中…", offline: "网络断开了，恢复后会自动继续。", sessionGone: "之前的对话已过期，这是一段新的对话。",
    signedOut: "登录已过期，请在店铺页面重新登录。", busy: "现在有点忙，请稍后再试。", errorAgain: "出了点问题，请重试。",
    language: "语言", identity: "切换身份", endChat: "结束对话", newChat: "开始新对话", ended: "对话已结束，感谢您的咨询。",
    rate: "这次服务怎么样？", stars: (n) => `${n} 星`, skipToText: "输入问题",
    order: "订单", parcel: "包裹", after_sale: "售后", placed: "下单", total: "金额", number: "订单号", tracking: "运单号",
    expected: (day) => `预计 ${day} 送达`, promised: (day) => `承诺 ${day} 前送达`, deliveredAt: (when) => `${when} 签收`,
    pickupCode: "取件码", pickupPoint: "代收点", track: (n) => `物流轨迹（${n}）`, goods: "商品", amount: "退款金额", deadline: "截止", deadlines: { refunding: "预计到账", awaiting_return: "请寄回" },
    returnNo: "退货单号", channel: "退款去向", requestedAt: "申请时间", refundedAt: "退款时间", freight: "运费",
    steps: ["揽收", "运输", "派送", "签收"],
    starter: {
      anonymous: ["运费怎么算？", "支持七天无理由退货吗？", "多久发货？", "退款多久到账？", "怎么开发票？", "收到的商品坏了怎么办？"],
      customer: ["我的快递到哪了？", "我的订单什么状态？", "我的退款到哪了？", "我是什么会员等级？", "我有哪些优惠券？", "运费怎么算？"],
    },
  },
  en: {
    title: (shop) => `${shop} · Support`,
    anonymous: "Anonymous visitor", asCustomer: (name) => `As ${name}`,
    person: "A person", more: "More", send: "Send", close: "Close", cancel: "Cancel", log: "Conversation",
    greeting: "Hello, how can we help?", about: "Ask about orders, parcels, returns, coupons or membership.",
    starters: "Common questions", chooseTitle: "Demo shop: try it as a customer", chooseAbout: "Choose one to ask about their own orders, or stay anonymous.",
    yourMessage: "Your question", placeholder: "Type your question…", keys: "Enter sends, Shift and Enter starts a new line.",
    queued: "Waiting to be sent", sending: "Sending…", failed: "Not sent", retry: "Try again", you: "You", bot: "Assistant",
    thinking: "Answering", stop: "Stop", stopped: "Stopped.", cutOff: "The answer broke off here.", again: "Answer again",
    tooLong: "The answer was long and ends here.", guarded: "What came next could not be verified, so it stops here.",
    ai: (model) => `AI-generated · ${model}`, demoModel: "demo model, may be wrong", source: "Source",
    missing: (parts) => `We could not look up ${parts} right now; this answer does without.`, listSeparator: ", ",
    parts: { customer: "your membership", coupons: "your coupons", orders: "your orders", lines: "the items", parcels: "the parcels", parcel_events: "the tracking details", after_sales: "returns and refunds", invoices: "the invoices", knowledge: "some of the shop’s rules", other: "some of the data" },
    good: "Helpful", bad: "Not helpful", whyGood: "What was good? (optional)", whyBad: "What was wrong? (optional)", reasons: ["Not correct", "It misunderstood me", "Not enough detail"],
    tellMore: "In your words", submit: "Send", thanks: "Thank you for telling us.", feedbackFailed: "That did not reach us. Please tap again.",
    askPersonTitle: "Talk to a person?", askPerson: "A colleague takes over and can read what was said so far.", askPersonYes: "Yes, a person please",
    queuedOn: (wait) => `Getting you a person, ${wait}`, wait: (minutes) => `about ${minutes} min to wait`, waitSoon: "just a moment",
    queuedOff: (hours) => `Your message is kept. Our team answers ${hours} (shop time) and will reply here.`,
    human: (name) => `${name} is with you`, someone: "Our team", joined: (name) => `${name} has joined`, closedNotice: "The person has left; the assistant answers again.",
    queuedNotice: "Passed on to a person.", personTag: "Person", handoffFailed: "That did not work just now. Please try again shortly.",
    reconnecting: "Reconnecting…", offline: "You are offline. We go on as soon as you are back.", sessionGone: "The earlier conversation has expired. This is a new one.",
    signedOut: "Your sign-in has expired. Please sign in again on the shop’s page.", busy: "We are busy right now. Please try again shortly.", errorAgain: "Something went wrong. Please try again.",
    language: "Language", identity: "Change who you are", endChat: "End chat", newChat: "New chat", ended: "The chat has ended. Thank you for asking us.",
    rate: "How was it?", stars: (n) => `${n} ${n === 1 ? "star" : "stars"}`, skipToText: "Type a question",
    order: "Order", parcel: "Parcel", after_sale: "After-sales", placed: "Placed", total: "Total", number: "Order no.", tracking: "Tracking no.",
    expected: (day) => `Expected ${day}`, promised: (day) => `Promised by ${day}`, deliveredAt: (when) => `Delivered ${when}`,
    pickupCode: "Pickup code", pickupPoint: "Pickup point", track: (n) => `Tracking (${n})`, goods: "Item", amount: "Refund", deadline: "Due by", deadlines: { refunding: "Expected by", awaiting_return: "Send back by" },
    returnNo: "Return no.", channel: "Refunded to", requestedAt: "Requested", refundedAt: "Refunded on", freight: "Freight",
    steps: ["Picked up", "In transit", "Out for delivery", "Delivered"],
    starter: {
      anonymous: ["How much is shipping?", "What is your return policy?", "How long does delivery take?", "How long does a refund take?", "How do I get an invoice?", "What if the item arrives damaged?"],
      customer: ["Where is my parcel?", "What is the status of my order?", "Where is my refund?", "What is my membership tier?", "Do I have any coupons?", "How much is shipping?"],
    },
  },
};

const TAGS = { zh: "zh-CN", en: "en" };

export const words = (language) => WORDS[language] ?? WORDS.en;
export const tag = (language) => TAGS[language] ?? language;

/** The remembered language, else the browser's first of ours. */
export function firstLanguage() {
  const chosen = kept.get("language");
  if (chosen in WORDS) return chosen;
  for (const wanted of navigator.languages ?? [navigator.language]) {
    const short = wanted.slice(0, 2).toLowerCase();
    if (short in WORDS) return short;
  }
  return "en";
}

/** The shop's forms: 11月24日(周二) and Tue 24 Nov, in the shop's zone; with the year when it is not this one. */
export class Format {
  constructor(timeZone) {
    this.timeZone = timeZone;
  }

  /** A date (`2026-11-24`) or an instant's date. */
  day(value, language) {
    const isDate = /^\d{4}-\d{2}-\d{2}$/.test(value);
    const at = new Date(isDate ? `${value}T00:00:00Z` : value);
    if (Number.isNaN(at.getTime())) return "";
    const timeZone = isDate ? "UTC" : this.timeZone;
    const part = partsOf(at, language, { timeZone, weekday: "short", day: "numeric", month: language === "zh" ? "numeric" : "short", year: "numeric" });
    const thisYear = partsOf(new Date(), language, { timeZone: this.timeZone, year: "numeric" }).year;
    const year = part.year === thisYear ? "" : part.year;
    if (language === "zh") return `${year ? `${year}年` : ""}${part.month}月${part.day}日(${part.weekday})`;
    return `${part.weekday} ${part.day} ${part.month}${year ? ` ${year}` : ""}`;
  }

  instant(value, language) {
    const day = this.day(value, language);
    if (!day) return "";
    return language === "zh" ? `${day}${this.time(value)}` : `${day} at ${this.time(value)}`;
  }

  time(value) {
    const at = new Date(value);
    if (Number.isNaN(at.getTime())) return "";
    const part = partsOf(at, "en", { timeZone: this.timeZone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    return `${part.hour}:${part.minute}`;
  }

  /** Minor units as an amount: ¥1,299.00, CN¥1,299.00. */
  money(minor, currency, language) {
    const format = new Intl.NumberFormat(language === "zh" ? "zh-CN" : "en-US", { style: "currency", currency });
    return format.format(minor / 10 ** format.resolvedOptions().maximumFractionDigits);
  }
}

function partsOf(at, language, options) {
  const format = new Intl.DateTimeFormat(language === "zh" ? "zh-CN" : "en-GB", options);
  return Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, type === "month" || type === "day" ? value.replace(/[月日]/, "") : value.replace("年", "")]));
}
