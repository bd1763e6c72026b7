// Signing in with an admin key. The key goes to the gateway once, in a body; what stays is a cookie that no script reads.

import { post, setToken } from "./api.js";
import { el, put, field, command } from "./dom.js";

export function open(place, { words, entered }) {
  const key = el("input", { type: "password", name: "key", autocomplete: "current-password", required: true,
    spellcheck: "false", placeholder: "lr-…" });
  const error = el("p.error", { role: "alert" });
  const button = el("button.go", { type: "submit" }, "Sign in");

  async function submit(event) {
    event.preventDefault();
    put(error);
    button.disabled = true;
    try {
      const session = await post("/v1/admin/session", { key: key.value.trim() });
      setToken(session.csrf);
      key.value = "";
      await entered();
    } catch (problem) {
      if (problem.status === 409) return entered().catch((e) => put(error, e.message)); // nobody is asked for a key any more
      put(error, problem.status === 401
        ? "No admin key that is in force. Keys begin with lr- and are shown once, when they are made."
        : problem.message);
      button.disabled = false;
      key.focus();
    }
    return undefined;
  }

  put(place, el("div.signin",
    el("h1", { tabindex: "-1" }, "Sign in to this gateway"),
    words ? el("p.lede", { role: "status" }, words) : el("p.lede", "It asks for keys, and this page wants one with the role admin."),
    el("form", { onsubmit: submit, novalidate: true }, error, field("Admin key", key), button),
    el("p.how", "Where you have none, make one on the machine that the gateway runs on. It takes effect at once."),
    command("leeroo keys create --role admin --name me")));
  key.focus();
}
