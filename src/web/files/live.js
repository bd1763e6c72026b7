// The gateway's figures of now, once a second, by server-sent events. Rests while the tab is hidden, comes back by
// itself, and says aloud when what is shown is old.

import { get, ApiError } from "./api.js";

const SILENCE_MS = 6000; // the gateway sends each second
const PAUSE_MS = 1000;
const PAUSE_MAX_MS = 15000;
const FRESH_MS = 3000;

export class Live extends EventTarget {
  constructor() {
    super();
    this.now = null; // the last figures
    this.at = 0; // when they came, by this machine's clock
    this.state = "connecting"; // "on", "off", "resting"
    this.source = null;
    this.timer = 0;
    this.pause = PAUSE_MS;
    this.wanted = false;
    this.follows = false; // a stream that had nothing to say yet comes after one that ended well
    document.addEventListener("visibilitychange", () => this.#tabChanged());
    window.addEventListener("online", () => { if (this.state === "off") this.#open(); });
  }

  start() {
    this.wanted = true;
    this.pause = PAUSE_MS;
    if (!document.hidden) this.#open();
  }

  stop() {
    this.wanted = false;
    this.#close();
    this.now = null;
  }

  #tabChanged() {
    if (!this.wanted) return;
    if (document.hidden) {
      this.#close();
      this.#become("resting");
    } else {
      this.#open();
    }
  }

  #close() {
    clearTimeout(this.timer);
    if (this.source) this.source.close();
    this.source = null;
  }

  #become(state) {
    if (this.state === state) return;
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }

  #open() {
    this.#close();
    if (!this.wanted) return;
    if (this.state === "resting") this.#become("connecting");
    const source = new EventSource("/v1/admin/events");
    this.source = source;
    source.addEventListener("now", (event) => this.#took(event.data));
    // The browser tries again by itself after some errors and not after others: the page does it after all of them.
    source.addEventListener("error", () => this.#lost());
    this.#watch();
  }

  #watch() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#lost(), SILENCE_MS);
  }

  #took(data) {
    let now;
    try {
      now = JSON.parse(data);
    } catch {
      return this.#lost();
    }
    this.now = now;
    this.at = Date.now();
    this.pause = PAUSE_MS;
    this.follows = false;
    this.#watch();
    this.#become("on");
    this.dispatchEvent(new Event("now"));
    return undefined;
  }

  async #lost() {
    this.#close();
    if (!this.wanted || document.hidden) return;
    if (this.state === "on" && !this.follows && Date.now() - this.at < FRESH_MS) {
      // The gateway ends each stream after a while, to look at the key again: nothing is lost.
      this.follows = true;
      this.#open();
      return;
    }
    this.#become("off");
    this.timer = setTimeout(() => this.#again(), this.pause);
    this.pause = Math.min(PAUSE_MAX_MS, 2 * this.pause);
  }

  /** A stream of events does not say why it was refused: a plain question does, and a 401 leads to the sign-in. */
  async #again() {
    try {
      await get("/v1/admin/session");
    } catch (error) {
      if (error instanceof ApiError && error.status !== 0 && error.status !== 404) return this.#lost();
      if (error.status === 0) return this.#lost();
    }
    return this.#open();
  }
}
