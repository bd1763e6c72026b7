// What the gateway does at this moment, and how the last minutes or the last day went.

import { get } from "./api.js";
import { el, put, say, keep, command, table, tableRow } from "./dom.js";
import { usd, usdRound, count, rate, duration, durationRound, percent, when, number, plural } from "./format.js";
import { timeChart } from "./charts.js";
import { colourOf, learnExperts, orderOf } from "./colours.js";

const RANGES = [
  { name: "15 min", step_s: 5, points: 180 },
  { name: "1 h", step_s: 5, points: 720 },
  { name: "24 h", step_s: 60, points: 1440 },
];
const POINTS_MIN = 36; // drawn soon after the start, when there are fewer
const COLUMNS_MAX = 240; // as many values as a chart draws
const EXPERTS_SHOWN = 7;

const STATES = {
  closed: ["in use", ""], open: ["circuit open", "failed"], "half-open": ["trying again", "warned"],
  cooling: ["cooling down", "warned"], disabled: ["switched off", "warned"],
};

/* The head */

function headline(title, now) {
  const { today } = now;
  keep(title, [today.requests, today.usd, today.reference_usd, now.ledger], () => {
    if (!today.requests) return ["No requests today, yet."];
    const said = ["Today ", el("em", plural(today.requests, "request")), " for ", el("em", usd(today.usd))];
    const saved = today.reference_usd ? 1 - today.usd / today.reference_usd : null;
    if (saved === null) return [...said, "."];
    return saved >= 0
      ? [...said, ": ", el("em", percent(saved, saved > 0.995 ? 1 : 0)), " less than the reference alone would have cost."]
      : [...said, ": ", el("em", percent(-saved, 0)), " more than the reference alone would have cost."];
  });
}

/** Broken between the two, not before a unit. */
const tail = (l) => `p95\u00a0${duration(l.p95_ms)} · p99\u00a0${duration(l.p99_ms)}`.replace(/(\d) (m?s|min|h)\b/g, "$1\u00a0$2");

function tile(name) {
  const big = el("span.big"), under = el("span.under");
  const node = el("div.tile", el("dt", name), el("dd", el("div", big), el("div", under)));
  return { node, set: (value, small) => { say(big, value); say(under, small || "\u00a0"); } };
}

function makeTiles() {
  const names = { requests: "Requests", flight: "In flight", errors: "Errors", spend: "Spend", saved: "Saved this month",
    latency: "Time taken, median", first: "First token, median", tokens: "Tokens" };
  const tiles = Object.fromEntries(Object.entries(names).map(([key, name]) => [key, tile(name)]));
  const node = el("dl.tiles.ages", Object.values(tiles).map((t) => t.node));
  function set(now) {
    const { rates, today, month, latency, first_token: first } = now;
    tiles.requests.set(`${rate(rates.requests_per_s)} /s`, `${count(today.requests)} today`);
    tiles.flight.set(count(now.in_flight), plural(now.connections, "connection"));
    tiles.errors.set(`${rate(rates.errors_per_s)} /s`,
      `${count(today.errors)} today · ${rate(rates.retries_per_s)} retries/s`);
    tiles.spend.set(`${usd(rates.usd_per_hour)} /h`, `${usd(today.usd)} today · ${usd(month.usd)} this month`);
    const reference = month.reference_usd;
    tiles.saved.set(reference ? usd(reference - month.usd) : "–",
      reference ? `of ${usd(reference)} for the reference` : "nothing to compare with, yet");
    tiles.latency.set(duration(latency.p50_ms), tail(latency));
    tiles.first.set(duration(first.p50_ms), tail(first));
    tiles.tokens.set(`${rate(rates.tokens_per_s)} /s`, "input and output");
  }
  return { node, set };
}

/* Experts, policies, errors */

const EXPERT_COLUMNS = [{ head: "expert", css: "name" }, { head: "state", css: "l" }, { head: "in flight" },
  { head: "in line", css: "wide" }, { head: "limit", css: "wide" }, { head: "requests /s" }, { head: "errors /s" },
  { head: "median time", css: "wide" }];

export const swatch = (name) => el(`span.sw.${colourOf(name)}`, { "aria-hidden": "true" });

function expertRow(e) {
  const [words, css] = STATES[e.state] || [e.state, "warned"];
  return { cells: [[swatch(e.name), e.name],
    [el(`span.state${css ? `.${css}` : ""}`, words), e.why && e.why !== words ? el("div.small.soft.wrap", e.why) : null],
    count(e.in_flight), count(e.queued), e.limit === null ? "none" : count(e.limit), rate(e.requests_per_s),
    el(e.errors_per_s > 0 ? "span.bad" : "span", rate(e.errors_per_s)), duration(e.p50_ms)] };
}

function expertsTable() {
  const node = table("Experts now", EXPERT_COLUMNS, [], { rows: true, cards: true });
  const body = node.querySelector("tbody");
  return { node, set: (experts) => keep(body, experts, () => experts.map((e) => tableRow(EXPERT_COLUMNS, expertRow(e), true))) };
}

function policies(place, budgets) {
  keep(place, budgets, () => (budgets.length ? table("Policies", [{ head: "policy", css: "name" },
    { head: "budget, USD per 1,000" }, { head: "spent, USD per 1,000" }, { head: "lambda" }],
  budgets.map((b) => [b.policy, b.per_query_usd === null ? "none" : usd(1000 * b.per_query_usd),
    b.spent_mean_usd === null ? "–" : usd(1000 * b.spent_mean_usd), number(b.lambda, 4)]))
    : el("p.soft", "No policy has a budget. With ", el("code", "policies: {default: {budget: 0.50}}"),
      " in leeroo.yaml the gateway keeps to 0.50 USD per 1,000 requests by itself.")));
}

function lastErrors(place, errors) {
  keep(place, errors, () => (errors.length
    ? table("Last errors", [{ head: "time" }, { head: "expert", css: "l name" }, { head: "status" }, { head: "what was said", css: "wrap" }],
      errors.map((e) => [e.id ? el("a", { href: `#/requests/${encodeURIComponent(e.id)}` }, when(e.at_ms)) : when(e.at_ms),
        e.expert || "none", e.status ? String(e.status) : "–", el("span", e.message || "–")]))
    : el("p.soft", "None since the start.")));
}

/* Over time */

class History {
  constructor() { this.data = null; }

  /** New steps go behind the old ones, and as many old ones go: it never grows. What was before the start is nothing.
   *  Each answer names those experts only who have answered in its own time. */
  merge(fresh, points) {
    const old = this.data;
    const step_ms = 1000 * fresh.step_s;
    const shift = old ? Math.round((fresh.from_ms - old.from_ms) / step_ms) : -1;
    const follows = old && old.step_s === fresh.step_s && shift >= 0 && shift <= old.requests.length;
    const experts = follows ? [...new Set([...old.experts, ...fresh.experts])] : fresh.experts;
    const merged = { ...fresh, experts };
    for (const key of Object.keys(fresh)) {
      if (!Array.isArray(fresh[key]) || key === "experts") continue;
      const before = follows ? old[key].slice(0, shift) : new Array(Math.max(0, Math.min(points, POINTS_MIN) - fresh[key].length)).fill(nothing(key));
      const after = key === "answered" ? fresh.answered.map((row) => experts.map((name) => row[fresh.experts.indexOf(name)] || 0)) : fresh[key];
      merged[key] = before.concat(after).slice(-points);
    }
    merged.from_ms = fresh.from_ms + step_ms * (fresh.requests.length - merged.requests.length);
    this.data = merged;
  }
}

const nothing = (key) => (key === "answered" ? [] : key.endsWith("_ms") ? null : 0);

/** Steps joined until at most COLUMNS_MAX are left: sums as rates a second, or the mean of what is known. */
function joined(values, every, how) {
  const found = [];
  for (let i = values.length % every; i < values.length; i += every) {
    const part = values.slice(i, i + every).filter((v) => typeof v === "number");
    const all = part.reduce((a, b) => a + b, 0);
    found.push(how === "mean" ? (part.length ? all / part.length : null) : all);
  }
  return found;
}

function charts() {
  const who = timeChart({ title: "Requests answered a second, by expert", stacked: true, format: rate, axis: number, total: "all" });
  const money = timeChart({ title: "Spend and what the reference would have cost, USD an hour", format: usd, axis: usdRound, zero: 0.01 });
  const time = timeChart({ title: "Time to the whole answer and to the first token", format: duration, axis: durationRound, zero: 1000 });
  const fail = timeChart({ title: "Errors a second", format: rate, axis: number });
  return { who, money, time, fail, all: [who, money, time, fail] };
}

function drawHistory(drawn, h) {
  const every = Math.max(1, Math.ceil(h.requests.length / COLUMNS_MAX));
  const step_s = h.step_s * every;
  const skip = h.requests.length % every;
  const base = { from_ms: h.from_ms + 1000 * h.step_s * (skip + every - 1), step_ms: 1000 * step_s, count: Math.floor(h.requests.length / every) };
  const perSecond = (values) => joined(values, every).map((v) => v / step_s);
  const perHour = (values) => joined(values, every).map((v) => (3600 * v) / step_s);
  const mean = (values) => joined(values, every, "mean");
  const totals = h.experts.map((name, i) => [name, i, h.answered.reduce((a, row) => a + (row[i] || 0), 0)])
    .filter((t) => t[2] > 0 || h.experts.length <= EXPERTS_SHOWN).sort((a, b) => orderOf(a[0]) - orderOf(b[0]));
  const shown = totals.length <= EXPERTS_SHOWN + 1 ? totals
    : [...totals].sort((a, b) => b[2] - a[2]).slice(0, EXPERTS_SHOWN).sort((a, b) => orderOf(a[0]) - orderOf(b[0]));
  const series = shown.map(([name, i]) => ({ name, css: colourOf(name), values: perSecond(h.answered.map((row) => row[i] || 0)) }));
  if (shown.length < totals.length) {
    const rest = totals.filter((t) => !shown.includes(t)).map((t) => t[1]);
    series.push({ name: `${rest.length} others`, css: "b7",
      values: perSecond(h.answered.map((row) => rest.reduce((a, i) => a + (row[i] || 0), 0))) });
  }
  drawn.who.set({ ...base, series });
  const spend = [{ name: "spend", css: "k0", values: perHour(h.usd) }];
  if (h.reference_usd && h.reference_usd.some((v) => v > 0)) {
    spend.push({ name: "the reference alone", css: "kink.dash", values: perHour(h.reference_usd) });
  }
  drawn.money.set({ ...base, series: spend });
  drawn.time.set({ ...base, series: [
    { name: "whole answer, median", css: "k0", values: mean(h.p50_ms) },
    { name: "p95", css: "k0.dash", values: mean(h.p95_ms) },
    { name: "first token, median", css: "k1", values: mean(h.first_token_p50_ms) }] });
  drawn.fail.set({ ...base, series: [{ name: "errors", css: "kbad", values: perSecond(h.errors) }] });
}

/* The view */

function emptyState() {
  const { origin } = location;
  return el("div.empty", el("h2", "No request has come yet"),
    el("p", "Point any client of OpenAI’s or Anthropic’s API here, with the model ", el("code", "leeroo"),
      ", or try it in a shell:"),
    command(`curl -s ${origin}/v1/chat/completions -H 'content-type: application/json' \\\n  -d '{"model": "leeroo", "messages": [{"role": "user", "content": "What is 17 * 23?"}]}'`),
    el("p", "Where keys are asked for, add ", el("code", "-H 'authorization: Bearer lr-…'"), ". Or ask from the ",
      el("a", { href: "#/playground" }, "playground"), "."));
}

function notices(place, now) {
  keep(place, [!now.model, now.ledger, !now.month.requests && !now.in_flight], () => [
    now.model ? null : el("p.warn", "No model is in force: experts are placed by what is known of them, or by their price. ",
      el("code", "leeroo play --spend 2.00"), " makes one from questions of its own, ", el("code", "leeroo train"),
      " from recorded outcomes."),
    now.ledger ? null : el("p.warn", "No ledger is kept: figures are those since the start, and single requests cannot be looked up. ",
      el("code", "state_dir: state"), " in leeroo.yaml keeps one."),
    !now.month.requests && !now.in_flight ? emptyState() : null]);
}

export async function open(place, { live, signal }) {
  const title = el("h1", "Now");
  const notice = el("div");
  const tiles = makeTiles();
  const experts = expertsTable();
  const budgets = el("div"), errors = el("div");
  const drawn = charts();
  const history = new History();
  const trouble = el("div");
  let range = RANGES[0];
  let asked = 0;

  const buttons = RANGES.map((one) => el("button", { type: "button", "aria-pressed": String(one === range), onclick: () => choose(one) }, one.name));

  async function fetchHistory(points) {
    const turn = ++asked;
    const wanted = range;
    try {
      const fresh = await get(`/v1/admin/history?step_s=${wanted.step_s}&points=${points}`, signal);
      if (turn !== asked || wanted !== range) return;
      put(trouble);
      learnExperts(fresh.experts);
      history.merge(fresh, range.points);
      drawHistory(drawn, history.data);
    } catch (error) {
      if (error.name !== "AbortError" && error.status !== 0 && error.status !== 401) put(trouble, el("p.error", error.message));
    }
  }

  function choose(one) {
    range = one;
    history.data = null;
    RANGES.forEach((other, i) => buttons[i].setAttribute("aria-pressed", String(other === one)));
    fetchHistory(one.points);
  }

  put(place, title, notice, tiles.node,
    el("div.row",
      el("div.bar-line", el("div", el("h2", "Who answers"), el("p.how", "Requests answered a second, by the expert whose answer stood.")),
        el("div.group", { role: "group", "aria-label": "How far back" }, buttons)),
      trouble, drawn.who.node),
    el("div.two-up.row",
      el("section", el("h2", "Spend"), el("p.how", "USD an hour, beside what the reference expert would have cost."), drawn.money.node),
      el("section", el("h2", "Time"), el("p.how", "To the whole answer, and to the first token of streams."), drawn.time.node)),
    el("section", el("h2", "Experts"), el("p.how", "An expert whose circuit is open is left alone until it answers again; one that is cooling down has asked for a pause."), experts.node),
    el("div.two-up.row",
      el("section", el("h2", "Policies with a budget"), el("p.how", "Lambda is what a dollar must buy; the gateway moves it to hold the budget."), budgets),
      el("section", el("h2", "Errors"), el("p.how", "A second, and the last twenty."), drawn.fail.node, el("div.small", errors))));
  const show = () => {
    const { now } = live;
    if (!now) return;
    headline(title, now);
    notices(notice, now);
    tiles.set(now);
    experts.set(now.experts);
    policies(budgets, now.budgets);
    lastErrors(errors, now.errors);
  };
  live.addEventListener("now", show, { signal });
  const timer = setInterval(() => {
    if (document.hidden || live.state !== "on" || !history.data) return;
    const behind = (live.now ? live.now.at_ms : Date.now()) - (history.data.from_ms + 1000 * range.step_s * history.data.requests.length);
    if (behind > 1000 * range.step_s * range.points) history.data = null;
    fetchHistory(history.data ? Math.min(range.points, 3 + Math.max(0, Math.ceil(behind / (1000 * range.step_s)))) : range.points);
  }, 5000);
  live.addEventListener("state", () => { if (live.state === "on") fetchHistory(range.points); }, { signal });
  signal.addEventListener("abort", () => {
    clearInterval(timer);
    drawn.all.forEach((c) => c.stop());
  });
  show();
  if (!live.now) say(title, "Now");
  await fetchHistory(range.points);
}
