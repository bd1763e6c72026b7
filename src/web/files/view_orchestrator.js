// The model in force: where it stands between cost and quality, whether its forecasts hold, what it was learnt from, and
// the runs of self-play that could replace it.

import { get, post } from "./api.js";
import { el, svg, put, add, table, command, confirm, announce } from "./dom.js";
import { usd, usdRound, count, percent, number, when, whenExact, plural, shortSum } from "./format.js";
import { planeChart, calibrationChart, barsChart, curvesChart } from "./charts.js";
import { colourOf } from "./colours.js";
import { swatchOf } from "./decision.js";

const KINDS = { outcomes: "learnt from outcomes", prior: "a prior: nobody has been asked, yet", mixed: "learnt from outcomes, with a prior for some experts" };
const COLOURS = 7;

/* The model */

/** A prior that stands in for a model that nobody has made yet. */
const isMissing = (m) => !m.model || (m.model.kind === "prior" && !m.model.file);

function headline(m) {
  if (isMissing(m)) return ["No model is in force."];
  const point = (m.policies || []).find((p) => p.requests > 0);
  const reference = (m.experts || []).find((e) => e.name === m.reference);
  if (!point) return ["The model in force."];
  const said = ["Policy ", el("em", point.name), " stands at ", el("em", percent(point.quality)), " for ", el("em", usd(1000 * point.cost_usd)), " per 1,000 requests"];
  if (!reference || !(reference.cost_usd > 0)) return [...said, "."];
  return [...said, `, `, el("em", percent(point.cost_usd / reference.cost_usd, 0)), ` of what ${reference.name} costs.`];
}

function planeOf(m) {
  const policies = (m.policies || []).filter((p) => p.requests > 0 && p.quality !== null);
  return {
    curve: [...(m.curve || [])].sort((a, b) => a.cost_usd - b.cost_usd).map((p) => ({ quality: p.quality, cost: 1000 * p.cost_usd })),
    points: [
      ...m.experts.filter((e) => e.quality !== null && e.cost_usd !== null).map((e) => ({ name: e.name, quality: e.quality, cost: 1000 * e.cost_usd, css: colourOf(e.name),
        hollow: e.placed === "prior", strong: e.name === m.reference })),
      ...policies.map((p) => ({ name: `policy ${p.name}`, label: p.name, quality: p.quality, cost: 1000 * p.cost_usd, css: "b7", shape: "diamond", strong: true })),
    ],
  };
}

function planeLegend() {
  const item = (shape, text) => el("li", svg("svg", { viewBox: "0 0 26 14", width: 26, height: 14, "aria-hidden": "true" }, shape), text);
  return el("ul.legend",
    item(svg("path.curve", { d: "M1 11C8 4 14 3 25 2" }), "what this model can do, as lambda falls"),
    item(svg("path.inkfill", { d: "M13 1l6 6l-6 6l-6 -6Z" }), "where a policy stands today"),
    item(svg("circle.mark.b0", { cx: 13, cy: 7, r: 5.4 }), "expert with outcomes"),
    item(svg("circle.hollow.k0", { cx: 13, cy: 7, r: 4.8 }), "expert placed by a prior"));
}

function expertsTable(m) {
  const columns = [{ head: "expert", css: "name" }, { head: "predicted quality" }, { head: "USD per 1,000" }, { head: "answered" },
    { head: "outcomes learnt from" }, { head: "placed by", css: "l" }];
  return table("Experts of the model", columns, m.experts.map((e) => ({ css: e.name === m.reference ? "hi" : "", cells: [
    [swatchOf(e.name), e.name, e.name === m.reference ? el("span.se", " the reference") : null], percent(e.quality),
    e.cost_usd === null ? "–" : usd(1000 * e.cost_usd), percent(e.answered_share), e.outcomes === null ? "–" : count(e.outcomes),
    e.placed === "prior" ? [el("span.state.warned", "prior"), e.why ? el("div.small.soft", e.why) : null] : "outcomes"] })), { cards: true });
}

function policiesTable(m) {
  return table("Policies today", [{ head: "policy", css: "name" }, { head: "lambda" }, { head: "predicted quality" }, { head: "USD per 1,000" }, { head: "requests" }],
    m.policies.map((p) => [p.name, number(p.lambda, 4), p.requests ? percent(p.quality) : "–", p.requests ? usd(1000 * p.cost_usd) : "–", count(p.requests)]));
}

/* Publishing */

async function change(button, path, body, question, done) {
  if (!await confirm(...question)) return;
  button.disabled = true;
  try {
    const said = await post(path, body);
    announce(`In force now: model ${shortSum(said.checksum)}, before it was ${shortSum(said.was)}.`);
    done();
  } catch (problem) {
    done(problem);
  }
  button.disabled = false;
}

function judgeWords(judge) {
  const list = Array.isArray(judge) ? judge : judge && judge.name ? [judge] : Object.entries(judge || {}).map(([name, j]) => ({ name, ...j }));
  if (!list.length) return el("span.soft", "none");
  return list.slice(0, 8).map((j) => el("div", el(j.trusted ? "span.state" : "span.state.warned", j.trusted ? "trusted" : "not trusted"), ` ${j.name}`,
    typeof j.agreement === "number" ? el("div.small.soft", `agrees in ${percent(j.agreement, 0)}${typeof j.agreement_low === "number"
      ? ` (${number(100 * j.agreement_low, 2)} to ${number(100 * j.agreement_high, 2)})` : ""}`) : null,
    typeof j.canary_share === "number" ? el("div.small.soft", `fell for ${percent(j.canary_share, 0)} of ${count(j.canaries)} canaries`) : null,
    j.reason ? el("div.small.soft", j.reason) : null));
}

function pageLink(run) {
  if (!run.page) return "–";
  const url = new URL(run.page, location.origin);
  if (url.origin !== location.origin || !/^https?:$/.test(url.protocol)) return "–";
  return el("a", { href: url.pathname + url.search, rel: "noopener", target: "_blank" }, "open", el("span.vh", ` the page of ${run.name}`));
}

const lastOf = (run) => run.rounds[run.rounds.length - 1] || {};

function runsSection(place, runs, charts, reload) {
  const isDrawn = (x) => typeof x.area === "number" && typeof x.spent_all_usd === "number";
  const curves = runs.runs.filter((r) => r.rounds.some(isDrawn)).slice(0, COLOURS);
  const parts = [];
  if (curves.length) {
    const chart = curvesChart({ title: "Learning curves of the runs", xTitle: "spent, USD", yTitle: "area under the curve, points", xFormat: usdRound, yFormat: (v) => number(v, 3) });
    charts.push(chart);
    let at = 0;
    chart.set({ series: curves.map((run) => ({ name: run.name, css: `b${at++ % COLOURS}`,
      points: run.rounds.filter(isDrawn).map((x) => ({ x: x.spent_all_usd, y: 100 * x.area, published: x.published })) })) });
    parts.push(chart.node, el("p.small.soft", "Filled points were published."));
  }
  parts.push(table("Runs", [{ head: "run", css: "name" }, { head: "rounds" }, { head: "questions" }, { head: "spent, USD" }, { head: "area" }, { head: "judge", css: "l.wrap" },
    { head: "page", css: "l" }, { head: "", css: "l" }], runs.runs.map((run) => {
    const last = lastOf(run);
    const button = el("button.slim", { type: "button" }, "Publish", el("span.vh", ` ${run.name}`));
    button.addEventListener("click", () => change(button, "/v1/admin/model/publish", { run: run.name }, [`Publish ${run.name}?`,
      ["The model of its last round replaces the one in force at once, for every request from then on, whether it is better or not: the area and the run’s own page say what the run thought of it.",
        "Rolling back puts the present one back."], "Publish", false], reload));
    return [[run.name, run.problem ? el("div.small.bad.wrap", run.problem) : null, last.problem ? el("div.small.bad.wrap", last.problem) : null], count(run.rounds.length), count(last.questions), usd(last.spent_all_usd), typeof last.area === "number" ? number(100 * last.area, 3) : "–", judgeWords(run.judge), pageLink(run),
      run.has_model ? button : el("span.soft", "no model yet")];
  }), { cards: true }));
  put(place, parts);
}

function noRuns(runs) {
  return el("div.empty", el("h2", runs.folder ? "No run is there, yet" : "No folder of runs is set"),
    runs.folder ? el("p", "Self-play asks the experts questions, scores the answers and learns from them. It never spends more than it may:")
      : el("p", "Say in leeroo.yaml where runs lie, so that their learning curves are shown and their models can be published here:"),
    command(runs.folder ? `leeroo play ${runs.folder}/first --spend 2.00` : "runs: runs"));
}

/* The view */

function noModel() {
  return el("div.empty", el("h2", "How to get one"),
    el("p", "Experts are placed by what is known of them, or by their price. A model learns who answers what: from questions that it makes up and scores itself,"),
    command("leeroo play first --spend 2.00"), el("p", "or from outcomes that you have recorded, named as ", el("code", "model:"), " in leeroo.yaml:"),
    command("leeroo train recorded -o orchestrator.safetensors"));
}

function show(place, m, runs, charts, reload) {
  const rollback = el("button.danger", { type: "button" }, "Roll back");
  rollback.addEventListener("click", () => change(rollback, "/v1/admin/model/rollback", {}, ["Roll back to the model before this one?",
    ["The model that was in force before is put back at once, for every request from then on. The two change places: rolling back a second time undoes it."], "Roll back"], reload));
  put(place, el("h1", headline(m)));
  if (isMissing(m)) add(place, noModel());
  if (m.model) {
    add(place, el("div.bar-line", el("p.facts", "Model ", el("b", shortSum(m.model.checksum)), m.model.file ? [" from ", el("b", { title: m.model.file }, String(m.model.file).split("/").pop())] : "",
      m.model.rows ? `, ${plural(m.model.rows, "row")}` : "", m.model.trained_ms ? `, made ${whenExact(m.model.trained_ms)}` : "", ": ", KINDS[m.model.kind] || m.model.kind || "", "."),
    rollback));
  }
  if (m.experts && m.experts.length) {
    const plane = planeChart({ title: "Cost and predicted quality", costTitle: "USD per 1,000 requests" });
    charts.push(plane);
    plane.set(planeOf(m));
    const b = m.basis;
    const older = b && typeof b.of_this_model === "number" && b.of_this_model < b.requests ? `, ${b.of_this_model ? count(b.of_this_model) : "none"} of them of this model` : "";
    const basis = b && b.requests ? `The curve is the ledger’s last ${plural(b.requests, "decision")} (since ${when(b.from_ms)}${older}), decided anew at each lambda.`
      : "There are no decisions in the ledger to draw the curve from, yet.";
    put(plane.below, planeLegend());
    add(place, el("section", el("h2", "Cost and quality"), el("p.how", `Up and to the left is better. ${basis}`), plane.node),
      el("div.row", el("h2", "Experts"), el("p.how", "What the model believes of each, on average over the same requests."), expertsTable(m)),
      (m.policies || []).length ? el("div.row", el("h2", "Policies today"), el("p.how", "Where each stands: means over today’s requests."), policiesTable(m)) : null);
  }
  trust(place, m, charts);
  const place2 = el("div");
  add(place, el("section", el("h2", "Runs of self-play"), el("p.how", "Area is the quality that the model’s curve reaches on average over the costs there are, in points; more is better."), place2));
  if (runs instanceof Error) put(place2, el("p.error", runs.message));
  else if (!runs.runs.length) put(place2, noRuns(runs));
  else runsSection(place2, runs, charts, reload);
}

function trust(place, m, charts) {
  const bins = (m.calibration || []).filter((b) => b.n > 0);
  const doubt = m.doubt || [];
  const calibration = el("div"), spread = el("div");
  if (bins.length) {
    const chart = calibrationChart({ title: "Predicted quality against feedback" });
    charts.push(chart);
    chart.set(bins);
    put(calibration, chart.node);
  } else {
    put(calibration, el("p.soft", "No feedback, yet. Clients send a score of 0 to 1 with ", el("code", "POST /v1/feedback"), ", or use the thumbs in the ",
      el("a", { href: "#/playground" }, "playground"), "."));
  }
  if (doubt.some((b) => b.n > 0)) {
    const label = (b) => `${number(100 * b.from, 2)} to ${number(100 * b.to, 2)} points`;
    const chart = barsChart({ title: "Spread of the estimates", axis: "spread, points of quality", label, tick: (v) => number(100 * v, 2) });
    charts.push(chart);
    chart.set(doubt);
    put(spread, chart.node);
  } else {
    put(spread, el("p.soft", "No decisions, yet."));
  }
  add(place, el("div.two-up.row",
    el("section", el("h2", "Calibration"), el("p.how", "Feedback against what was predicted: on the dotted line forecasts hold. Bars say how many answers were scored."), calibration),
    el("section", el("h2", "Doubt"), el("p.how", "How far apart the estimates of one request lie. At the left experts look alike and price decides; at the right it matters who is asked."), spread)));
}

export async function open(place, { signal }) {
  const charts = [];
  signal.addEventListener("abort", () => charts.forEach((c) => c.stop()));
  const problemPlace = el("div", { role: "alert" }), body = el("div");
  put(place, problemPlace, body);
  async function load(problem) {
    const [m, runs] = await Promise.all([get("/v1/admin/model", signal), get("/v1/admin/runs", signal).catch((error) => {
      if (error.name === "AbortError") throw error;
      return error;
    })]);
    charts.splice(0).forEach((c) => c.stop());
    put(problemPlace, problem ? el("p.error", problem.message) : null);
    show(body, m, runs, charts, load);
  }
  await load();
}
