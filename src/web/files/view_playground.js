// One question: what would be decided, live while lambda moves (POST /v1/route asks no expert), and the answer as it
// streams; two at a time where somebody wants to compare.

import { get, post, stream } from "./api.js";
import { el, put, add, say, field, select, whisper, thumb, freshId } from "./dom.js";
import { usd, armName, count, duration, percent, number, plural } from "./format.js";
import { expertNames, isExpert } from "./colours.js";
import { armsOf, armsTable, decisionPlane, planeData, swatchOf, tradeInWords, winners } from "./decision.js";
import { planeChart, strip } from "./charts.js";

const STEPS = 140; // of the slider: lambda from 0, then from 0.1 to 1,000,000
const lambdaAt = (step) => (step <= 0 ? 0 : 10 ** (-1 + (7 * (step - 1)) / (STEPS - 1)));
const stepOf = (lambda) => (lambda > 0 ? Math.max(1, Math.min(STEPS, Math.round(1 + ((Math.log10(lambda) + 1) * (STEPS - 1)) / 7))) : 0);
const GRID = Array.from({ length: STEPS + 1 }, (_, i) => lambdaAt(i));
const TYPED_MS = 350;
const MOVED_MS = 60;
const ANSWER_CHARS_MAX = 200000;
const SAMPLES = ["What is 17 * 23?", "A train leaves at 9:40 and takes 2 h 35 min. When does it arrive?", "Spell “garden” backwards."];

let remembered = { question: "", system: "", target: "leeroo", other: "", lambda: null };

async function targets(signal) {
  const ids = (await get("/v1/models", signal)).data.map((m) => m.id);
  const policies = ids.filter((id) => id === "leeroo" || id.startsWith("leeroo/"));
  const experts = ids.filter((id) => isExpert(id));
  const rest = ids.filter((id) => !policies.includes(id) && !experts.includes(id));
  return [{ label: "Policies: the gateway chooses", options: policies.map((id) => [id, id === "leeroo" ? "leeroo (default policy)" : id]) },
    { label: "Experts by name", options: experts }, { label: "Other names", options: rest }].filter((g) => g.options.length);
}

const isPolicy = (target) => target === "leeroo" || target.startsWith("leeroo/");

function bodyOf(state, target) {
  const messages = [];
  if (state.system.trim()) messages.push({ role: "system", content: state.system });
  messages.push({ role: "user", content: state.question });
  const body = { model: target, messages };
  if (state.lambda !== null && isPolicy(target)) body.leeroo = { lambda: state.lambda };
  return body;
}

/* The decision */

function decisionPanel(context) {
  const chart = decisionPlane("What each arm is predicted to be worth for this question");
  const traffic = planeChart({ title: "This lambda on recent requests", costTitle: "USD per 1,000 requests", height: 240 });
  const words = el("p.lede", { role: "status" });
  const error = el("div"), arms = el("div"), bar = el("div.winners"), trafficPlace = el("div", { hidden: true });
  const trafficWords = el("p.how");
  const intro = el("p.soft", "Write a question: what would be decided, and why, stands here before anything is asked or paid.");
  const shown = el("div", { hidden: true }, words, chart.node, el("p.small.soft", "Dashed: as useful as the chosen one at this lambda. Whatever lies above the line would be chosen instead."));
  const estimates = el("section", { hidden: true }, el("h2", "All estimates"), el("p.how", "Utility = quality − lambda × cost; the highest is chosen."), arms);
  put(trafficPlace, el("section", el("h2", "On recent requests"), trafficWords, traffic.node));
  const reveal = (visible) => { shown.hidden = estimates.hidden = !visible; };
  let model = null;
  context.signal.addEventListener("abort", () => { chart.stop(); traffic.stop(); });
  get("/v1/admin/model", context.signal).then((m) => { model = m; if (last) showTraffic(last); }, () => {});
  let last = null;

  /** The mean quality and cost of the ledger's last decisions, taken anew at this lambda. */
  function showTraffic(lambda) {
    const curve = model && Array.isArray(model.curve) ? [...model.curve].sort((a, b) => a.lambda - b.lambda) : [];
    trafficPlace.hidden = curve.length < 2;
    if (curve.length < 2) return;
    const near = curve.reduce((best, p) => (distance(p.lambda, lambda) < distance(best.lambda, lambda) ? p : best));
    put(trafficWords, `The last ${plural(model.basis ? model.basis.requests : 0, "request")} decided anew at lambda ${number(lambda, 3)}: `,
      el("b", percent(near.quality)), " predicted quality for ", el("b", usd(1000 * near.cost_usd)), " per 1,000 requests.");
    traffic.set({ curve: curve.map((p) => ({ quality: p.quality, cost: 1000 * p.cost_usd })),
      points: [{ name: "this lambda", quality: near.quality, cost: 1000 * near.cost_usd, css: "b0", ring: true }] });
  }

  function show(decision) {
    const lambda = decision.lambda || 0;
    last = lambda;
    const chosen = decision.plan === "single" ? decision.expert : decision.plan;
    const found = armsOf(decision, lambda, chosen);
    intro.hidden = true;
    reveal(true);
    put(error);
    put(words, swatchOf(chosen), el("b", armName(chosen)), " would be asked: predicted ", el("b", percent(decision.quality)), " for ",
      el("b", usd(decision.cost_usd)), ".");
    chart.set(planeData(found, lambda));
    put(arms, armsTable(found));
    const pieces = winners(found, GRID);
    put(bar, strip(pieces, `From the left, lambda 0, to the right: ${pieces.map((p) => p.name).join(", then ")}`));
    showTraffic(lambda);
  }

  function fail(problem) {
    reveal(false);
    trafficPlace.hidden = true;
    intro.hidden = true;
    put(error, el("p.error", problem.message));
  }

  return { node: el("section", el("h2", "The decision"), error, intro, shown), below: el("div.two-up.row", estimates, trafficPlace), bar, show, fail,
    rest: () => { reveal(false); intro.hidden = false; put(error); put(bar); trafficPlace.hidden = true; } };
}

const distance = (a, b) => Math.abs(Math.log10(a + 0.01) - Math.log10(b + 0.01));

/* An answer */

function thumbs(id) {
  const note = el("span.small.soft", { role: "status" });
  const buttons = [["Right", 1], ["Wrong", 0]].map(([title, score]) => el("button.slim", { type: "button", "aria-pressed": "false",
    onclick: (event) => send(score, event.currentTarget) }, thumb(score === 1), title));
  async function send(score, button) {
    try {
      await post("/v1/feedback", { request_id: id, score });
      buttons.forEach((b) => b.setAttribute("aria-pressed", String(b === button)));
      say(note, "Written down; the model learns from it.");
    } catch (problem) {
      say(note, problem.message);
    }
  }
  return el("div.buttons", buttons, note);
}

function answerCard(target, lambda) {
  const says = el("div.says", { tabindex: "0", "aria-label": `Answer of ${target}`, role: "region" });
  const facts = el("p.facts"), after = el("div"), who = el("h3", target);
  const node = el("article.answer", who, el("p.small.soft", isPolicy(target) ? (lambda === null ? "the policy’s own lambda" : `lambda ${number(lambda, 3)}`) : "asked by name"), says, facts, after);
  return { node, says, facts, after, who };
}

async function runOne(card, body, signal) {
  const begun = performance.now();
  let first = null, id = null, expert = null, cost = null, usage = null, written = 0;
  const text = document.createTextNode("");
  put(card.says, text);
  card.says.classList.add("busy");
  const tell = (end) => {
    put(card.facts, expert ? [swatchOf(expert), el("b", expert), " · "] : "", cost !== null ? [el("b", usd(cost)), " · "] : "",
      first !== null ? `first token ${duration(first)} · ` : "", end ? `${duration(performance.now() - begun)} in all` : "…",
      usage ? ` · ${count(usage.prompt_tokens)} + ${count(usage.completion_tokens)} tokens` : "");
  };
  try {
    await stream({ ...body, stream: true, stream_options: { include_usage: true } }, signal, (headers) => {
      id = headers.get("x-leeroo-request-id");
      expert = headers.get("x-leeroo-expert");
      const plan = headers.get("x-leeroo-plan");
      if (plan && plan !== "single") put(card.who, `${body.model}: ${armName(plan)}`);
      tell(false);
    }, (chunk) => {
      if (chunk.error) throw new Error(chunk.error.message || "The stream ended with an error.");
      const piece = chunk.choices && chunk.choices[0] && chunk.choices[0].delta ? chunk.choices[0].delta.content : null;
      if (piece) {
        if (first === null) { first = performance.now() - begun; tell(false); }
        written += piece.length;
        if (written <= ANSWER_CHARS_MAX) text.appendData(piece);
      }
      if (chunk.usage) usage = chunk.usage;
      if (chunk.leeroo) { cost = chunk.leeroo.cost_usd; expert = chunk.leeroo.expert || expert; }
    });
    tell(true);
    if (!written) put(card.says, el("span.soft", "The answer has no text."));
  } catch (problem) {
    id = id || problem.id;
    if (problem.name === "AbortError") { tell(true); add(card.facts, " · stopped"); } else add(card.says, el("p.error", { role: "alert" }, problem.message));
  }
  card.says.classList.remove("busy");
  if (id) put(card.after, thumbs(id), el("p.small", el("a", { href: `#/requests/${encodeURIComponent(id)}` }, "All that led to this answer")));
}

/* The view */

export async function open(place, context) {
  const { signal } = context;
  const state = { ...remembered };
  const groups = await targets(signal);
  const ids = groups.flatMap((g) => g.options.map((o) => (Array.isArray(o) ? o[0] : o)));
  if (!ids.includes(state.target)) state.target = ids[0] || "leeroo";
  if (!ids.includes(state.other)) state.other = "";
  const panel = decisionPanel(context);
  const question = el("textarea", { rows: 4, required: true, value: state.question, placeholder: "What should be asked?", maxlength: 200000 });
  const system = el("textarea", { rows: 2, value: state.system, maxlength: 200000 });
  const target = select(groups, state.target);
  const other = select([["", "nobody else"], ...groups], state.other);
  const slider = el("input", { type: "range", min: 0, max: STEPS, step: 1, value: 70, id: freshId("lambda") });
  const output = el("output", { for: slider.id });
  const own = el("button.plain", { type: "button" }, "Back to the policy’s own");
  const trade = el("p.small.soft");
  const go = el("button.go", { type: "submit" }, "Ask");
  const stop = el("button", { type: "button", disabled: true }, "Stop");
  const answers = el("div.answers", { "aria-live": "polite", "aria-busy": "false" });
  let timer = 0, asking = null, running = null, turn = 0;

  function words(lambda) {
    const shown = lambda === 0 ? "0" : number(lambda, 3);
    say(output, `${shown}${state.lambda === null ? " (the policy’s own)" : ""}`);
    slider.setAttribute("aria-valuetext", `${shown}. ${tradeInWords(lambda)}`);
    say(trade, tradeInWords(lambda));
    own.hidden = state.lambda === null;
  }

  async function decide() {
    remembered = { ...state };
    if (!state.question.trim()) return panel.rest();
    const mine = ++turn;
    if (asking) asking.abort();
    asking = new AbortController();
    try {
      const decision = await post("/v1/route", bodyOf(state, state.target), asking.signal);
      if (mine !== turn || signal.aborted) return undefined;
      if (state.lambda === null) {
        slider.value = stepOf(decision.lambda);
        words(decision.lambda);
      }
      panel.show(decision);
    } catch (problem) {
      if (mine === turn && problem.name !== "AbortError") panel.fail(problem);
    }
    return undefined;
  }

  function later(ms) {
    clearTimeout(timer);
    timer = setTimeout(decide, ms);
  }

  function targetChanged() {
    const policy = isPolicy(state.target);
    slider.disabled = !policy;
    if (!policy) say(output, "asked by name: there is nothing to weigh");
    lambdaBox.hidden = !policy;
  }

  async function run() {
    if (!state.question.trim()) { question.focus(); return; }
    if (running) running.abort();
    const mine = new AbortController();
    running = mine;
    const wanted = [state.target, ...(state.other ? [state.other] : [])];
    const cards = wanted.map((t) => answerCard(t, state.lambda));
    put(answers, cards.map((c) => c.node));
    answers.setAttribute("aria-busy", "true");
    stop.disabled = false;
    await Promise.all(wanted.map((t, i) => runOne(cards[i], bodyOf(state, t), mine.signal)));
    if (running !== mine) return;
    answers.setAttribute("aria-busy", "false");
    stop.disabled = true;
    if (!signal.aborted) whisper("The answer is complete.");
  }

  question.addEventListener("input", () => { state.question = question.value; later(TYPED_MS); });
  question.addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); run(); } });
  system.addEventListener("input", () => { state.system = system.value; later(TYPED_MS); });
  target.addEventListener("change", () => { state.target = target.value; targetChanged(); later(0); });
  other.addEventListener("change", () => { state.other = other.value; remembered = { ...state }; });
  slider.addEventListener("input", () => { state.lambda = lambdaAt(Number(slider.value)); words(state.lambda); later(MOVED_MS); });
  own.addEventListener("click", () => { state.lambda = null; later(0); slider.focus(); });
  stop.addEventListener("click", () => { if (running) running.abort(); });
  signal.addEventListener("abort", () => { clearTimeout(timer); if (running) running.abort(); if (asking) asking.abort(); });

  const lambdaBox = el("div.lambda", el("label", { for: slider.id }, "Lambda, what a dollar must buy: "), output, panel.bar, slider,
    el("div.ends", { "aria-hidden": "true" }, el("span", "0: the best answer"), el("span", "the cheapest")), el("div.bar-line", trade, own));
  const samples = el("p.small.buttons.samples", "For instance:", SAMPLES.map((text) => el("button.plain", { type: "button", onclick: () => {
    question.value = state.question = text;
    later(0);
    question.focus();
  } }, text)));
  put(place, el("h1", "Playground"), el("p.lede", "Ask, and see why this expert answered. Move lambda, and see who would have."),
    el("div.bench",
      el("section", { "aria-label": "The question" },
        el("form", { onsubmit: (event) => { event.preventDefault(); run(); } },
          field("Question", question, "Ctrl+Enter asks."), samples,
          el("details", { open: !!state.system }, el("summary", "System prompt"), field("System prompt", system)),
          el("div.fields.apart", field("Ask", target), field("and beside it", other)),
          lambdaBox, el("div.buttons.apart", go, stop))),
      panel.node),
    answers, panel.below);
  words(state.lambda ?? 0);
  if (state.lambda !== null) slider.value = stepOf(state.lambda);
  else {
    say(output, "the policy’s own"); // no decision has told it, yet
    say(trade, "");
  }
  targetChanged();
  if (!expertNames().length) add(place, el("p.warn", "No experts are configured. leeroo init writes a configuration with those that this machine can reach."));
  await decide();
}
