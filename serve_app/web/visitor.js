// Who looks at the page: the visitor's token, its renewal, and calls that carry it.

import { kept } from "./dom.js";

const EARLY_MS = 60_000; // before its end, a token is renewed

export class Refused extends Error {
  constructor(status, error, retryAfterS) {
    super(error?.message ?? `status ${status}`);
    this.status = status;
    this.code = error?.code;
    this.retryAfterS = retryAfterS;
  }
}

export class Visitor {
  /** `onCustomers` gets the demo shop's customers, once they are known. */
  constructor(shop, onCustomers) {
    this.shop = shop;
    this.customerId = shop.isDemo ? kept.get(`customer:${shop.tenant}`) : null;
    this.customerToken = null;
    this.onCustomers = onCustomers;
    this.token = null;
    this.expiresAt = 0;
    this.asking = null;
  }

  /** Another of the demo shop's customers, or nobody (null). */
  choose(customerId) {
    this.customerId = customerId;
    this.forget();
    if (customerId === null) kept.remove(`customer:${this.shop.tenant}`);
    else kept.set(`customer:${this.shop.tenant}`, customerId);
  }

  forget() {
    this.token = null;
    this.asking = null;
  }

  /** Whose conversation it is: for finding it again, never for deciding anything. */
  get subject() {
    return this.customerToken ? (subjectOf(this.customerToken) ?? "customer") : (this.customerId ?? "");
  }

  get renewInMs() {
    return Math.max(0, this.expiresAt - Date.now() - EARLY_MS);
  }

  /** A token that is good for a while. Throws Refused, or TypeError without a network. */
  async ensure() {
    if (this.token && this.renewInMs > 0) return this.token;
    this.asking ??= this.ask().finally(() => (this.asking = null));
    return this.asking;
  }

  async ask() {
    const wanted = this.customerId;
    const body = { tenant: this.shop.tenant };
    if (wanted !== null && !this.customerToken) body.customer_id = wanted;
    const reply = await fetch("/v1/visitors", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    const made = await read(reply);
    if (wanted !== this.customerId) return this.ensure();
    this.token = made.token;
    // By this device's clock, which may go wrong; the time to live does not.
    this.expiresAt = Date.now() + Math.max(90_000, Date.parse(made.expires_at) - (Date.parse(reply.headers.get("date")) || Date.now()));
    this.onCustomers(made.demo_customers);
    return this.token;
  }

  /** Calls the server; gives the JSON body, or null where there is none. Throws Refused, or TypeError without a network. */
  async call(method, path, body) {
    for (let attempt = 0; ; attempt += 1) {
      const headers = { authorization: `Bearer ${await this.ensure()}` };
      if (this.customerToken) headers["x-customer-token"] = this.customerToken;
      if (body !== undefined) headers["content-type"] = "application/json";
      const reply = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
      if (reply.status !== 401 || attempt > 0) return read(reply);
      this.forget();
    }
  }
}

async function read(reply) {
  const text = await reply.text();
  let body = null;
  try {
    body = text ? JSON.parse(text) : null;
  } catch {
    // A proxy's own page.
  }
  if (!reply.ok) throw new Refused(reply.status, body?.error, Number(reply.headers.get("retry-after")) || null);
  return body;
}

function subjectOf(token) {
  try {
    const part = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return String(JSON.parse(atob(part)).sub ?? "") || null;
  } catch {
    return null;
  }
}

/** The token that the shop's own page hands over: in the address (removed at once), or by a message from an allowed origin. */
export function handedOver(shop, onToken) {
  const fragment = new URLSearchParams(location.hash.slice(1));
  if (fragment.has("customer_token")) {
    history.replaceState(null, "", location.pathname + location.search);
    onToken(fragment.get("customer_token"));
  }
  addEventListener("message", (event) => {
    const isToken = event.data?.type === "zerowait:customer-token" && typeof event.data.token === "string";
    if (isToken && shop.parents.includes(event.origin)) onToken(event.data.token);
  });
  askParent(shop);
}

/** Asks the page around this one for a customer's token. */
export function askParent(shop) {
  if (parent === window) return;
  const around = location.ancestorOrigins ? [...location.ancestorOrigins].slice(0, 1) : shop.parents;
  for (const origin of around) if (shop.parents.includes(origin)) parent.postMessage({ type: "zerowait:ready" }, origin);
}
