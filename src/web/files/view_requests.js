// The requests that the ledger holds, a page at a time, by whatever they are looked for; one opens to all that led to it.

import { get, post } from "./api.js";
import { el, put, add, field, select, table, announce, command, thumb } from "./dom.js";
import { usd, usdExact, usdColumn, armName, count, duration, percent, when, whenExact, number, plural, shortSum } from "./format.js";
import { waterfall } from "./charts.js";
import { colourOf, expertNames } from "./colours.js";
import { armsOf, armsTable, decisionPlane, planeData, swatchOf, tradeInWords } from "./decision.js";

const PAGE = 50;
const FOLLOW_MS = 3000;
const OUTCOMES = [["", "all"], "answered", "failed", "cancelled", "interrupted", "open"];
const SPANS = [["", "any time"], ["3600000", "last hour"], ["86400000", "last 24 hours"], ["604800000", "last 7 days"],
  ["2592000000", "last 30 days"]];

/* The list */

const COLUMNS = [{ head: "time" }, { head: "answered by", css: "l.name" }, { head: "outcome", css: "l" },
  { head: "policy", css: "l.name.wide" }, { head: "key", css: "l.name.wide" }, { head: "predicted quality", css: "wide" },
  { head: "cost, USD" }, { head: "reference, USD", css: "wide" }, { head: "tokens in / out", css: "wide" }, { head: "time taken" }];

function outcomeOf(q) {
  const css = { answered: "", open: "", failed: ".failed", cancelled: ".warned", interrupted: ".warned" }[q.outcome] ?? ".warned";
  return el(`span.state${css}`, { title: q.problem || null }, q.cached ? "from cache" : q.outcome, q.verified ? el("span.se", `, check: ${q.verified}`) : null);
}

function rowOf(q, cost) {
  const plan = q.plan && q.plan !== "single" ? el("div.small.soft", armName(q.plan)) : null;
  return [el("a", { href: `#/requests/${encodeURIComponent(q.id)}` }, when(q.begin_ms)),
    q.expert ? [swatchOf(q.expert), q.expert, plan] : "nobody", outcomeOf(q), q.policy || "–", q.key_name || q.key || "–",
    percent(q.quality), cost(q.cost_usd), q.reference_usd ? cost(q.reference_usd) : "–",
    `${count(q.input_tokens)} / ${count(q.output_tokens)}`, duration(q.total_ms)];
}

function rowsOf(requests) {
  const cost = usdColumn(requests.flatMap((q) => [q.cost_usd, q.reference_usd]));
  return requests.map((q) => rowOf(q, cost));
}

function noneFound(filtered) {
  if (filtered) return el("div.empty", el("h2", "No request is like that"), el("p", "Take a condition away, or look further back."));
  return el("div.empty", el("h2", "The ledger holds no request, yet"), el("p", "Every request that asks an expert is written down. Send one:"),
    command(`curl -s ${location.origin}/v1/chat/completions -H 'content-type: application/json' \\\n  -d '{"model": "leeroo", "messages": [{"role": "user", "content": "What is 17 * 23?"}]}'`),
    el("p", "Or ask from the ", el("a", { href: "#/playground" }, "playground"), "."));
}

/** Where no ledger is kept the API refuses: its words, and the setting. */
function noLedger(error) {
  return el("div.empty", el("h2", "No ledger is kept"), el("p", error.message),
    el("p", "A folder for state makes the gateway write every request down, with its costs and why it was decided so (never the prompt). In leeroo.yaml:"),
    command("state_dir: state"));
}

const isNoLedger = (error) => error.status === 409 || error.code === "no_ledger" || /ledger/i.test(error.message);

/* Looking for some */

const names = { q: "Search", key: "Key", expert: "Expert", policy: "Policy", outcome: "Outcome", span: "When", min: "Cost from, USD", max: "Cost to, USD" };

function filterForm(live, changed) {
  const policies = (live.now ? live.now.budgets : []).map((b) => b.policy);
  const controls = {
    q: el("input", { type: "search", placeholder: "id, error, …", maxlength: 200, autocomplete: "off" }),
    expert: select([["", "all"], ...expertNames()], ""),
    outcome: select(OUTCOMES, ""),
    policy: el("input", { type: "text", maxlength: 200, list: "policies", autocomplete: "off" }),
    key: el("input", { type: "text", placeholder: "key_…", maxlength: 100, autocomplete: "off" }),
    span: select(SPANS, ""),
    min: el("input", { type: "number", min: 0, step: "any", inputmode: "decimal" }),
    max: el("input", { type: "number", min: 0, step: "any", inputmode: "decimal" }),
  };
  const form = el("form.fields", { role: "search", "aria-label": "Requests", onsubmit: (event) => { event.preventDefault(); changed(); } },
    Object.entries(controls).map(([key, control]) => field(names[key], control)),
    el("datalist", { id: "policies" }, policies.map((p) => el("option", { value: p }))),
    el("div.buttons", el("button", { type: "submit" }, "Find"),
      el("button.plain", { type: "reset", onclick: () => setTimeout(changed, 0) }, "Clear")));
  for (const control of [controls.expert, controls.outcome, controls.span]) control.addEventListener("change", changed);
  function query() {
    const found = new URLSearchParams();
    const text = controls.q.value.trim();
    if (/^req_[0-9a-f]+$/i.test(text)) found.set("id", text);
    else if (text) found.set("q", text);
    for (const key of ["expert", "outcome", "policy", "key"]) {
      const value = controls[key].value.trim();
      if (value) found.set(key, value);
    }
    if (controls.span.value) found.set("from_ms", (live.now ? live.now.at_ms : Date.now()) - Number(controls.span.value));
    if (controls.min.value) found.set("min_usd", controls.min.value);
    if (controls.max.value) found.set("max_usd", controls.max.value);
    return found;
  }
  return { form, query };
}

async function openList(place, { live, signal, fail }) {
  const body = el("div"), note = el("p.small.soft", { role: "status" });
  const pages = [null]; // the cursor of each page up to this one
  let next = null;
  let turn = 0;
  const { form, query } = filterForm(live, () => { pages.length = 1; load(); });
  const newer = el("button", { type: "button", onclick: () => { pages.pop(); load(); } }, "Newer");
  const older = el("button", { type: "button", onclick: () => { pages.push(next); load(); } }, "Older");
  const follow = el("input", { type: "checkbox", checked: true });

  async function load(quiet = false) {
    const mine = ++turn;
    const asked = query();
    const filtered = [...asked.keys()].length > 0;
    asked.set("limit", PAGE);
    const before = pages[pages.length - 1];
    if (before) asked.set("before", before);
    try {
      const found = await get(`/v1/admin/requests?${asked}`, signal);
      if (mine !== turn) return;
      next = found.next;
      const focused = document.activeElement && body.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
      put(body, found.requests.length ? table("Requests, the newest first", COLUMNS, rowsOf(found.requests), { rows: true })
        : noneFound(filtered || pages.length > 1));
      if (focused) [...body.querySelectorAll("a")].find((a) => a.getAttribute("href") === focused)?.focus();
      if (!quiet) note.textContent = found.requests.length ? `${plural(found.requests.length, "request")}${next ? ", and older ones" : ", which are all"}.` : "";
      newer.disabled = pages.length < 2;
      older.disabled = !next;
    } catch (error) {
      if (mine !== turn || error.name === "AbortError") return;
      if (quiet && error.status === 0) return;
      if (isNoLedger(error)) put(body, noLedger(error));
      else fail(error, body);
      note.textContent = "";
      newer.disabled = older.disabled = true;
    }
  }

  put(place, el("h1", "Requests"), form,
    el("div.bar-line", note, el("label.check", follow, "Follow new ones")),
    body, el("div.buttons.pager", newer, older));
  newer.disabled = older.disabled = true;
  const timer = setInterval(() => {
    const busy = form.contains(document.activeElement) && document.activeElement.tagName === "INPUT";
    if (!document.hidden && live.state === "on" && follow.checked && pages.length === 1 && !busy) load(true);
  }, FOLLOW_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
  await load();
}

/* One */

function headline(q) {
  const who = q.expert || "nobody";
  if (q.outcome === "answered") {
    return [el("em", who), q.cached ? " answered from the cache" : " answered", q.total_ms !== null ? [" in ", el("em", duration(q.total_ms))] : "",
      " for ", el("em", usd(q.cost_usd)), "."];
  }
  if (q.outcome === "open") return [el("em", who), " is being asked."];
  if (q.outcome === "cancelled") return ["The client ", el("em", "left"), " before ", el("em", who), " had answered."];
  if (q.outcome === "interrupted") return ["The gateway ", el("em", "stopped"), " before ", el("em", who), " had answered."];
  return [el("em", "No answer"), q.expert ? [" from ", el("em", who)] : "", "."];
}

/** Where another one answered than was chosen. */
function steppedIn(q) {
  const [first] = (q.decision && q.decision.members) || [];
  if (!first || q.plan !== "single" || !q.expert || q.expert === first || q.outcome !== "answered") return "";
  return [el("b", first), " was chosen, ", el("b", q.expert), " stepped in. "];
}

function pairs(rows) {
  return el("dl.pairs", rows.filter((row) => row && row[1] !== null && row[1] !== undefined)
    .flatMap(([name, value]) => [el("dt", name), el("dd", value)]));
}

function factsOf(q) {
  return pairs([["id", el("code", q.id)], ["begun", whenExact(q.begin_ms)], ["API", q.front || "–"], ["asked for", q.model || "–"],
    ["policy", q.policy || "none: an expert by name"], ["plan", q.plan && armName(q.plan)], ["key", q.key_name ? `${q.key_name} (${q.key})` : q.key || "none"],
    ["stream", q.stream ? "yes" : "no"], ["status", q.status !== null ? String(q.status) : "–"], ["first token", duration(q.first_token_ms)],
    ["whole answer", duration(q.total_ms)], ["tries", count(q.attempts)], ["trace", q.trace_id ? el("code", q.trace_id) : null],
    ["gateway", q.instance ? el("code", q.instance) : null]]);
}

function moneyOf(q) {
  const rows = q.calls.map((c, i) => [`${i + 1}. ${c.expert}`, count(c.usage.input_tokens), count(c.usage.cached_tokens), count(c.usage.cache_write_tokens),
    count(c.usage.output_tokens), count(c.usage.reasoning_tokens), usdExact(c.cost_usd), c.cost_basis || "–"]);
  const calls = q.calls.reduce((all, c) => all + c.cost_usd, 0);
  const rest = q.cost_usd - calls;
  if (rest > 5e-10) rows.push(["encoders and the rest", "", "", "", "", "", usdExact(rest), ""]);
  rows.push({ css: "hi", cells: ["all that was paid", count(q.usage.input_tokens), count(q.usage.cached_tokens), count(q.usage.cache_write_tokens),
    count(q.usage.output_tokens), count(q.usage.reasoning_tokens), usdExact(q.cost_usd), q.cost_basis || "–"] });
  rows.push(["predicted before", "", "", "", "", "", usdExact(q.predicted_cost_usd), ""]);
  if (q.reference_cost_usd) rows.push(["the reference alone", "", "", "", "", "", usdExact(q.reference_cost_usd), ""]);
  return table("Costs, term by term", [{ head: "call", css: "name" }, { head: "input tokens" }, { head: "of them cached", css: "wide" },
    { head: "written to cache", css: "wide" }, { head: "output tokens" }, { head: "of them reasoning", css: "wide" }, { head: "USD" }, { head: "by", css: "l" }], rows);
}

function callsOf(q, charts) {
  const timed = q.calls.filter((c) => typeof c.begin_ms === "number" && typeof c.latency_ms === "number");
  const parts = [];
  if (timed.length) {
    const first = Math.min(...timed.map((c) => c.begin_ms));
    const chart = waterfall({ title: "Calls of this request over time" });
    charts.push(chart);
    chart.set(timed.map((c) => ({ name: c.expert, css: colourOf(c.expert), begin: c.begin_ms - first, length: c.latency_ms, outcome: c.outcome || "" })));
    parts.push(chart.node);
  }
  const checked = q.calls.some((c) => c.verdict);
  const rows = q.calls.map((c, i) => [`${i + 1}. ${c.expert}`, [c.outcome || "–", c.hedge ? " (hedge)" : ""], duration(c.latency_ms), ...(checked
    ? [c.verdict ? `${c.verdict}${c.checked ? `: ${c.checked}` : ""}${c.why ? `, ${c.why}` : ""}` : "–"] : [])]);
  parts.push(table("Calls", [{ head: "call", css: "name" }, { head: "outcome", css: "l" }, { head: "time taken" },
    ...(checked ? [{ head: "check", css: "wrap" }] : [])], rows));
  return parts;
}

function decisionOf(q, charts) {
  const d = q.decision;
  if (!d || !d.estimates) return el("p.soft", "Nothing was weighed: an expert was asked for by name, or the answer came from the cache.");
  const chosen = q.plan && q.plan !== "single" ? q.plan : (d.members || [])[0];
  const lambda = q.lambda || 0;
  const arms = armsOf(d, lambda, chosen);
  const chart = decisionPlane("What each arm was predicted to be worth");
  charts.push(chart);
  chart.set(planeData(arms, lambda));
  const notes = [];
  if (typeof d.unfamiliar === "number") notes.push(`The question was ${percent(d.unfamiliar, 0)} unlike what was learnt from. `);
  if (d.turn_of !== undefined) notes.push(`An agent’s turn goes on${d.turn_of ? ` with ${d.turn_of}` : ""}. `);
  if (d.fallbacks && d.fallbacks.length) notes.push(`Next would have been ${d.fallbacks.slice(0, 6).join(", ")}. `);
  notes.push(`Model ${shortSum(d.model_checksum)}.`);
  return el("div.two-up", el("section", armsTable(arms), el("p.small.soft", notes)),
    el("section", chart.node, el("p.small.soft", "Above the dashed line utility would be higher than the chosen one’s: utility = quality − lambda × cost.")));
}

function feedbackOf(q, again) {
  const error = el("div");
  async function send(score) {
    try {
      await post("/v1/feedback", { request_id: q.id, score });
      announce("Feedback is written down.");
      again();
    } catch (problem) {
      put(error, el("p.error", problem.message));
    }
  }
  const said = q.feedback ? el("p", "Score ", el("b", number(q.feedback.score)), ` on ${whenExact(q.feedback.at_ms)}`,
    q.feedback.comment ? [": ", q.feedback.comment] : ".") : el("p.soft", "None yet. What is said here is what the model learns from.");
  return el("div", said, el("div.buttons", el("button", { type: "button", onclick: () => send(1) }, thumb(true), "Right"),
    el("button", { type: "button", onclick: () => send(0) }, thumb(false), "Wrong")), error);
}

function section(title, how, ...rest) {
  return el("section", el("h2", title), how ? el("p.how", how) : null, rest);
}

async function openOne(place, { signal, fail }, id) {
  const charts = [];
  signal.addEventListener("abort", () => charts.forEach((c) => c.stop()));
  const back = el("p.small", el("a", { href: "#/requests" }, "All requests"));
  async function load() {
    charts.splice(0).forEach((c) => c.stop());
    let q;
    try {
      q = await get(`/v1/admin/requests/${encodeURIComponent(id)}`, signal);
    } catch (error) {
      put(place, back, el("h1", error.status === 404 ? "No such request" : "That did not work"));
      if (error.status === 404) add(place, el("p", "The ledger has no request ", el("code", id), ". It is written within a second of its end; one that was refused before an expert was chosen has no row."));
      else fail(error, add(place, el("div")).lastChild);
      return;
    }
    q.calls = q.calls || [];
    if (q.calls.length === 1 && typeof q.calls[0].latency_ms !== "number" && typeof q.total_ms === "number") {
      Object.assign(q.calls[0], { begin_ms: 0, latency_ms: q.total_ms }); // one call took as long as the request
    }
    q.usage = q.usage || {};
    put(place, back, el("h1", headline(q)),
      q.error ? el("p.error", q.error) : null,
      el("p.facts", steppedIn(q), q.policy ? ["Policy ", el("b", q.policy), " at lambda ", el("b", number(q.lambda, 4)), ". ", tradeInWords(q.lambda), " "] : "",
        q.outcome === "answered" && q.reference_cost_usd && q.cost_usd < 0.995 * q.reference_cost_usd ? [el("b", percent(1 - q.cost_usd / q.reference_cost_usd, 0)), " less than the reference would have cost."] : ""),
      section("Why", null, decisionOf(q, charts)),
      q.prompt || q.answer ? section("What was said", "A share of the prompts is kept here (keep in leeroo.yaml).",
        q.prompt ? [el("h3", "Question"), el("pre.text", { tabindex: "0" }, textOf(q.prompt))] : null,
        q.answer ? [el("h3", "Answer"), el("pre.text", { tabindex: "0" }, textOf(q.answer))] : null) : null,
      section("What happened", "Every call, in the order in which they began.", callsOf(q, charts)),
      section("What it cost", "All calls are paid, those that failed or were called off included.", moneyOf(q)),
      el("div.two-up.row", section("Feedback", null, feedbackOf(q, load)), section("Facts", null, factsOf(q))));
  }
  await load();
}

const textOf = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));

export const open = (place, context, rest) => (rest ? openOne(place, context, rest) : openList(place, context));
