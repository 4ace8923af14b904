// The socket: opened, kept alive, opened again. What is sent and what it means is others' business.

import { Refused } from "./visitor.js";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 20_000;
const QUIET_MS = 25_000; // then it is asked whether it lives
const ANSWER_MS = 8_000; // within which it says so
const RESTARTS = 1012; // another process is there already
const REFUSED = 4401;
const FORBIDDEN = 4403;

export class Link {
  /**
   * `hello()` gives the first frame, or throws; `onFrame(frame)` gets every frame, `onState(state)` "connecting", "open",
   * "moving", "waiting" or "refused"; `onRefused()` says that the credentials were not taken, and returns whether to try again.
   */
  constructor({ hello, onFrame, onState, onRefused }) {
    Object.assign(this, { hello, onFrame, onState, onRefused });
    this.socket = null;
    this.attempt = 0;
    this.generation = 0;
    this.timer = null;
    this.isReady = false;
    addEventListener("online", () => this.restart());
    addEventListener("offline", () => this.#lost(this.generation));
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.#wake());
  }

  /** Opens a new socket at once, whatever there is. */
  restart() {
    this.attempt = 0;
    this.#open();
  }

  /** Whether it went out. */
  send(frame) {
    if (!this.isReady || this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(frame));
    return true;
  }

  /** Tells the open socket of renewed credentials. */
  async greet() {
    const { socket } = this;
    if (socket?.readyState !== WebSocket.OPEN) return;
    const frame = await this.hello();
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame));
  }

  close() {
    clearTimeout(this.timer);
    this.generation += 1;
    this.isReady = false;
    this.socket?.close();
    this.socket = null;
  }

  #open(state = "connecting") {
    this.close();
    const mine = this.generation;
    this.onState(state);
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/v1/ws`);
    this.socket = socket;
    socket.onmessage = ({ data }) => mine === this.generation && this.#took(JSON.parse(data));
    socket.onclose = ({ code }) => mine === this.generation && this.#closed(mine, code);
    this.#watch(mine, ANSWER_MS);
    this.#greet(mine, socket);
  }

  /** The credentials are fetched while the socket opens. */
  async #greet(mine, socket) {
    const isOpen = new Promise((resolve) => (socket.onopen = resolve));
    try {
      const frame = await this.hello();
      await isOpen;
      if (mine === this.generation) socket.send(JSON.stringify(frame));
    } catch (error) {
      if (mine === this.generation) this.#lost(mine, error instanceof Refused ? error.retryAfterS : null);
    }
  }

  #took(frame) {
    if (frame.event === "ready") {
      this.attempt = 0;
      this.isReady = true;
      this.onState("open");
    }
    this.#watch(this.generation, QUIET_MS);
    if (frame.event !== "pong") this.onFrame(frame);
  }

  /** A socket that says nothing for a while is asked; one that does not answer is given up. */
  #watch(mine, afterMs) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (afterMs === ANSWER_MS || !this.send({ type: "ping" })) this.#lost(mine);
      else this.#watch(mine, ANSWER_MS);
    }, afterMs);
  }

  #wake() {
    if (this.send({ type: "ping" })) this.#watch(this.generation, ANSWER_MS);
    else if (this.socket?.readyState !== WebSocket.CONNECTING) this.restart();
  }

  #closed(mine, code) {
    if ((code === REFUSED || code === FORBIDDEN) && !this.onRefused(code)) {
      this.close();
      this.onState("refused");
      return;
    }
    // Once; a process that does not say `ready` first is waited for like any other.
    if (code === RESTARTS && this.isReady) this.#open("moving");
    else this.#lost(mine);
  }

  #lost(mine, afterS = null) {
    if (mine !== this.generation) return;
    this.close();
    this.onState("waiting");
    const most = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.attempt);
    this.attempt += 1;
    const waitMs = afterS === null ? most * (0.5 + Math.random() / 2) : afterS * 1000 * (1 + Math.random() / 4);
    this.timer = setTimeout(() => this.#open(), waitMs);
  }
}
