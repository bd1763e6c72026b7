// Who may ask, how much, and what each has spent. A new key is shown once; after that only its digest is known anywhere.

import { get, ask, post } from "./api.js";
import { el, put, add, table, field, select, confirm, announce, copyButton, freshId } from "./dom.js";
import { usd, count, when, day, plural } from "./format.js";
import { meter } from "./charts.js";

const ROLES = [["user", "user: asks the experts"], ["admin", "admin: this page, and all that a user may"], ["metrics", "metrics: reads /metrics only"]];
const LIMITS = [["budget_day_usd", "Budget a day, USD"], ["budget_month_usd", "Budget a month, USD"], ["budget_total_usd", "Budget in all, USD"],
  ["requests_per_minute", "Requests a minute"], ["tokens_per_minute", "Tokens a minute"]];

/* The table */

function spentOf(spent, budget) {
  if (budget === null || budget === undefined) return usd(spent);
  const share = budget > 0 ? spent / budget : 1;
  return [usd(spent), el("span.soft", ` of ${usd(budget)}`), meter(share, `${Math.round(100 * share)} % of the budget`)];
}

function limitsOf(k) {
  const said = [];
  if (k.requests_per_minute !== null) said.push(`${count(k.requests_per_minute)} requests/min`);
  if (k.tokens_per_minute !== null) said.push(`${count(k.tokens_per_minute)} tokens/min`);
  if (k.experts) said.push(`experts ${k.experts.join(", ")}`);
  if (k.policies) said.push(`policies ${k.policies.join(", ")}`);
  if (k.expires_ms) said.push(`until ${when(k.expires_ms)}`);
  return said.join(" · ") || "none";
}

function stateOf(k) {
  if (k.revoked) return el("span.state.failed", "revoked");
  if (k.expires_ms && k.expires_ms < Date.now()) return el("span.state.warned", "expired");
  if (k.spent_lost) return el("span.state.warned", { title: "What it had spent is not known: it is refused until that is forgiven." }, "spending unknown");
  return el("span.state", "in force");
}

function keysTable(keys, edit, revoke) {
  const columns = [{ head: "name", css: "name" }, { head: "role", css: "l.wide" }, { head: "state", css: "l" }, { head: "today, USD" }, { head: "this month, USD" },
    { head: "in all, USD", css: "wide" }, { head: "other limits", css: "wrap.wide" }, { head: "", css: "l" }];
  return table("Keys", columns, keys.map((k) => ({ css: k.revoked ? "out" : "", cells: [
    [k.name || "unnamed", el("div.small.soft", k.id, el("span.slim-only", `, ${k.role}`), el("span.wide", k.created_ms ? `, ${day(k.created_ms)}` : ""))], k.role, stateOf(k),
    spentOf(k.spent_today_usd, k.budget_day_usd), spentOf(k.spent_month_usd, k.budget_month_usd), spentOf(k.spent_total_usd, k.budget_total_usd), limitsOf(k),
    k.revoked ? "" : el("div.buttons", el("button.slim", { type: "button", onclick: () => edit(k) }, "Change", el("span.vh", ` ${k.name}`)),
      el("button.slim.danger", { type: "button", onclick: () => revoke(k) }, "Revoke", el("span.vh", ` ${k.name}`)))] })), { cards: true });
}

/* Making and changing */

const listOf = (text) => text.split(",").map((s) => s.trim()).filter(Boolean);

function limitFields(k) {
  const controls = Object.fromEntries(LIMITS.map(([name]) => [name, el("input", { type: "number", min: 0, step: name.endsWith("usd") ? "any" : 1,
    inputmode: "decimal", placeholder: "none", value: k && k[name] !== null && k[name] !== undefined ? k[name] : "" })]));
  controls.experts = el("input", { type: "text", placeholder: "all", value: k && k.experts ? k.experts.join(", ") : "", autocomplete: "off" });
  controls.policies = el("input", { type: "text", placeholder: "all", value: k && k.policies ? k.policies.join(", ") : "", autocomplete: "off" });
  const node = el("div.fields", LIMITS.map(([name, title]) => field(title, controls[name])), field("Experts", controls.experts, "names, with commas"),
    field("Policies", controls.policies, "names, with commas"));
  function read(all) {
    const found = {};
    for (const [name] of LIMITS) {
      const text = controls[name].value;
      if (text !== "") found[name] = Number(text);
      else if (all) found[name] = null;
    }
    for (const name of ["experts", "policies"]) {
      const names = listOf(controls[name].value);
      if (names.length) found[name] = names;
      else if (all) found[name] = null;
    }
    return found;
  }
  return { node, read };
}

/** A dialog with a form; send(…) throws what the gateway refuses, and its words stand above the buttons. */
function formDialog(title, parts, verb, send) {
  const id = freshId("dialog");
  const error = el("div", { role: "alert" });
  const button = el("button.go", { type: "submit" }, verb);
  const dialog = el("dialog", { "aria-labelledby": id });
  dialog.addEventListener("close", () => dialog.remove());
  add(dialog, el("form", { onsubmit: async (event) => {
    event.preventDefault();
    button.disabled = true;
    put(error);
    try {
      await send(dialog);
      dialog.close();
    } catch (problem) {
      put(error, el("p.error", problem.message));
      button.disabled = false;
    }
  } }, el("h2", { id }, title), parts, error, el("div.buttons", el("button", { type: "button", onclick: () => dialog.close() }, "Cancel"), button)));
  document.body.append(dialog);
  dialog.showModal();
}

function showOnce(made, closed) {
  const id = freshId("dialog");
  const dialog = el("dialog", { "aria-labelledby": id });
  dialog.addEventListener("close", () => {
    dialog.remove(); // with the key: nothing on this page holds it any more
    closed();
  });
  add(dialog, el("h2", { id }, `Key ${made.name}`), el("p", "This is the only time that it is shown. The gateway keeps a digest and cannot tell it again."),
    el("p.secret", { tabindex: "0" }, made.key), el("div.buttons", copyButton(made.key, "Copy the key", "button"), el("button.go", { type: "button", onclick: () => dialog.close() }, "Done")));
  document.body.append(dialog);
  dialog.showModal();
}

function create(first, done) {
  const name = el("input", { type: "text", required: true, maxlength: 100, autocomplete: "off", placeholder: "ci-bot" });
  const role = select(ROLES, first ? "admin" : "user");
  const expires = el("input", { type: "date" });
  const limits = limitFields(null);
  formDialog("A new key", [
    first ? el("p.warn", "This is the first key. From then on everybody is asked for one, this page included, so it must be an admin key: keep it.") : null,
    el("div.fields", field("Name", name), field("Role", role), field("Expires", expires, "at the end of that day, UTC")), el("h3", "Limits"), limits.node], "Create",
  async () => {
    const wanted = { name: name.value.trim(), role: role.value, ...limits.read(false) };
    if (expires.value) wanted.expires_ms = Date.parse(`${expires.value}T23:59:59Z`);
    const made = await post("/v1/admin/keys", wanted);
    showOnce(made, done);
  });
}

/* The view */

function summary(found) {
  const inForce = found.keys.filter((k) => !k.revoked);
  if (!found.asked) return ["Nobody is asked for a key."];
  const month = found.keys.reduce((all, k) => all + (k.spent_month_usd || 0), 0);
  return [el("em", plural(inForce.length, "key")), " in force spent ", el("em", usd(month)), " this month."];
}

function whoIsAsked(found) {
  if (found.asked) return null;
  if (found.auth === "off") {
    return el("p.warn", "auth: off in leeroo.yaml: whoever reaches this gateway may use it, and keys count for nothing. Take the line out to have keys asked for.");
  }
  return el("p.lede", "The gateway listens on this machine only, and whoever is on it may use it. The first key turns asking on, for this page, too.");
}

export async function open(place, { signal }) {
  const body = el("div");
  put(place, body);
  async function load() {
    const found = await get("/v1/admin/keys", signal);
    const first = !found.asked && found.auth !== "off" && !found.keys.some((k) => !k.revoked);
    const again = () => load().catch((error) => { if (error.status !== 401 && error.name !== "AbortError") announce(error.message); });
    const problem = el("div", { role: "alert" });
    const edit = (k) => {
      const limits = limitFields(k);
      const anew = el("input", { type: "checkbox" });
      formDialog(`Change ${k.name || k.id}`, [el("p.how", "An empty field lifts the limit. Requests in flight are not touched."), limits.node,
        k.spent_lost ? el("label.check", anew, "What it had spent is not known: count anew from zero") : null], "Save", async () => {
        await ask("PATCH", `/v1/admin/keys/${encodeURIComponent(k.id)}`, { ...limits.read(true), ...(anew.checked ? { spent_anew: true } : {}) });
        announce("Saved; in force within a second.");
        again();
      });
    };
    const revoke = async (k) => {
      if (!await confirm(`Revoke ${k.name || k.id}?`, ["Whoever uses it is refused from now on. Requests in flight end. It cannot be put back."], "Revoke")) return;
      try {
        await ask("DELETE", `/v1/admin/keys/${encodeURIComponent(k.id)}`);
        announce("Revoked.");
        await again();
      } catch (error) {
        put(problem, el("p.error", error.message));
      }
    };
    put(body, el("h1", summary(found)), whoIsAsked(found), problem,
      el("div.bar-line.apart", el("p.how", "Budgets are US dollars; days and months begin at 00:00 UTC."),
        el("button.go", { type: "button", onclick: () => create(first, again) }, first ? "Create the first key" : "Create a key")),
      found.keys.length ? keysTable(found.keys, edit, revoke) : el("div.empty", el("h2", "There is no key, yet"),
        el("p", "Create one here, or with ", el("code", "leeroo keys create"), ". Give each person and program its own: what it spends is seen and limited apart.")));
  }
  await load();
}
