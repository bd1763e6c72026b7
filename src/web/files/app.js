// The page's frame: which view is open (the part of the address behind #), whether its figures are live, and who is
// signed in. Views are modules with open(place, context, rest) that return what closes them.

import { get, ask, setToken, ApiError } from "./api.js";
import { el, put, say, announce } from "./dom.js";
import { duration } from "./format.js";
import { Live } from "./live.js";
import { learnExperts } from "./colours.js";
import * as now from "./view_now.js";
import * as requests from "./view_requests.js";
import * as playground from "./view_playground.js";
import * as orchestrator from "./view_orchestrator.js";
import * as keys from "./view_keys.js";
import * as signin from "./view_signin.js";

const VIEWS = [
  ["now", "Now", now],
  ["requests", "Requests", requests],
  ["playground", "Playground", playground],
  ["orchestrator", "Orchestrator", orchestrator],
  ["keys", "Keys", keys],
];

const place = document.getElementById("view");
const live = new Live();
const context = { live, session: null, fail: showError };
let close = null;
let opening = 0;

function showError(error, into) {
  if (error.name === "AbortError") return;
  if (error.status === 401) return;
  const node = el("p.error", { role: "alert" }, error.message || String(error));
  if (into) put(into, node);
  else put(place, el("h1", { tabindex: "-1" }, "That did not work"), node);
}

/* Views */

function parts() {
  const [name, ...rest] = location.hash.replace(/^#\/?/, "").split("/");
  let decoded = "";
  try {
    decoded = decodeURIComponent(rest.join("/"));
  } catch { /* a broken address opens the view itself */ }
  return [name || "now", decoded];
}

async function route(moveFocus) {
  const [name, rest] = parts();
  const view = VIEWS.find((v) => v[0] === name) || VIEWS[0];
  const turn = ++opening;
  if (close) close();
  close = null;
  for (const link of document.querySelectorAll("#nav a")) {
    if (link.getAttribute("href") === `#/${view[0]}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${view[1]} · Leeroo`;
  put(place);
  const closing = new AbortController();
  const mine = el("div");
  put(place, mine);
  close = () => closing.abort();
  try {
    await view[2].open(mine, { ...context, signal: closing.signal }, rest);
  } catch (error) {
    if (turn === opening) showError(error, mine);
  }
  if (turn === opening && moveFocus) {
    window.scrollTo(0, 0);
    const title = place.querySelector("h1");
    if (title) {
      title.setAttribute("tabindex", "-1");
      title.focus({ preventScroll: true });
    }
  }
}

/* Whether it is live */

const badge = document.getElementById("live");
const badgeWords = el("span");
const badgeAge = el("span", { "aria-hidden": "true" });
put(badge, badgeWords, badgeAge);
const WORDS = { on: "Live", connecting: "Connecting", resting: "Paused", off: "Not live, trying again" };

function showState() {
  say(badgeWords, WORDS[live.state]);
  badge.className = `live ${live.state === "on" ? "on" : live.state === "off" ? "off" : ""}`;
  document.body.classList.toggle("stale", live.state === "off");
  showAge();
}

function showAge() {
  const old = live.state === "off" && live.at ? Date.now() - live.at : 0;
  say(badgeAge, old > 2000 ? `(figures of ${duration(old)} ago)` : "");
}

live.addEventListener("state", showState);
live.addEventListener("now", () => {
  learnExperts((live.now.experts || []).map((e) => e.name));
});
setInterval(() => { if (!document.hidden) showAge(); }, 1000);

/* Who is here */

function showFrame() {
  put(document.getElementById("nav"), VIEWS.map(([name, title]) => el("li", el("a", { href: `#/${name}` }, title))));
  const { session } = context;
  put(document.getElementById("account"), session.auth === "cookie"
    ? el("button.slim", { type: "button", onclick: signOut, title: session.key ? `Signed in as ${session.key.name}` : null },
      "Sign out")
    : null);
  const foot = document.getElementById("foot");
  const who = session.key ? `Signed in as ${session.key.name} (${session.key.id}). ` : "Nobody is asked for a key here. ";
  put(foot, `Leeroo ${session.version || ""}`, session.commit ? ` (${session.commit})` : "", ". ", who,
    "Times are this machine’s; money is in US dollars.");
  foot.hidden = false;
  document.getElementById("top").hidden = false;
}

async function enter() {
  context.session = await get("/v1/admin/session");
  setToken(context.session.csrf);
  learnExperts(await firstNames());
  showFrame();
  showState();
  live.start();
  await route(false);
}

/** The experts' order, for their colours, before the first view is drawn. */
async function firstNames() {
  try {
    return (await get("/v1/experts")).data.filter((e) => e.object === "expert").map((e) => e.id);
  } catch {
    return [];
  }
}

function showSignIn(words) {
  if (close) close();
  close = null;
  opening++;
  live.stop();
  setToken(null);
  document.getElementById("top").hidden = true;
  document.getElementById("foot").hidden = true;
  document.title = "Sign in · Leeroo";
  signin.open(place, { words, entered: enter });
}

async function signOut() {
  try {
    await ask("DELETE", "/v1/admin/session");
  } catch (error) {
    if (error.status !== 401) {
      announce(error.message);
      return;
    }
  }
  showSignIn("You have signed out.");
}

window.addEventListener("leeroo-signed-out", () => {
  if (!document.getElementById("top").hidden) showSignIn("Your session has ended. Please sign in again.");
});
window.addEventListener("hashchange", () => {
  if (!document.getElementById("top").hidden) route(true);
});
document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  place.focus();
});

async function begin() {
  try {
    await enter();
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) {
      showSignIn("");
    } else {
      showError(error);
      place.append(el("p", el("button", { type: "button", onclick: () => location.reload() }, "Try again")));
    }
  }
}
begin();
