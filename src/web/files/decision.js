// One decision, drawn and in words: every arm's predicted quality and cost, and the line of equal utility through the
// chosen one. It is used for what is about to happen (POST /v1/route) and for what has happened (the ledger).

import { el, table } from "./dom.js";
import { usdColumn, usdRound, percent, armName } from "./format.js";
import { planeChart } from "./charts.js";
import { colourOf, isExpert } from "./colours.js";

/** The arms of a decision: {name, quality, cost, weighed, utility, chosen, why, placed}. */
export function armsOf(d, lambda, chosen) {
  const arms = Object.entries(d.estimates || {}).filter(([, e]) => Array.isArray(e)).map(([name, [quality, cost]]) => {
    const weighed = d.weighed_usd && typeof d.weighed_usd[name] === "number" ? d.weighed_usd[name] : cost;
    return { name, quality, cost, weighed, utility: quality - lambda * weighed, chosen: name === chosen,
      why: (d.ruled_out || {})[name] || null, placed: (d.placed || {})[name] || null };
  });
  const known = new Set(arms.map((a) => a.name));
  for (const [name, why] of Object.entries(d.ruled_out || {})) {
    if (!known.has(name)) arms.push({ name, quality: null, cost: null, utility: null, chosen: false, why, placed: null });
  }
  return arms.sort((a, b) => (b.chosen - a.chosen) || (!!a.why - !!b.why) || ((b.utility ?? -1e9) - (a.utility ?? -1e9)));
}

export const swatchOf = (name) => el(`span.sw.${isExpert(name) ? colourOf(name) : "bink"}`, { "aria-hidden": "true" });

const ARMS_SHOWN = 12;

/** All arms as a table, the chosen one first. */
export function armsTable(arms, all = false) {
  const columns = [{ head: "expert or plan", css: "name" }, { head: "quality" }, { head: "cost, USD" }, { head: "utility" },
    { head: "", css: "l.wrap" }];
  const shown = all ? arms : arms.slice(0, ARMS_SHOWN);
  const cost = usdColumn(shown.map((a) => a.cost));
  const rows = shown.map((a) => ({ css: a.chosen ? "hi" : a.why ? "out" : "", cells: [
    [swatchOf(a.name), armName(a.name)], percent(a.quality), cost(a.cost), a.utility === null ? "–" : a.utility.toFixed(4).replace("-", "−"),
    [a.chosen ? "chosen" : a.why ? `ruled out: ${a.why}` : "", a.placed ? el("div.small.soft", `no outcomes yet: placed by ${a.placed}`) : null]] }));
  const node = table("Estimates of this question", columns, rows);
  if (arms.length <= shown.length) return node;
  return el("div", node, el("p.small.soft", `${arms.length - shown.length} more arms, all of lower utility or ruled out.`));
}

export function decisionPlane(title) {
  return planeChart({ title, costTitle: "predicted cost, USD", height: 320 });
}

/** What the plane of a decision is drawn from: experts with names, plans as small marks, the trade as a dashed line. */
export function planeData(arms, lambda) {
  const drawn = arms.filter((a) => a.quality !== null && !(a.why && !a.chosen && arms.length > 24));
  const chosen = arms.find((a) => a.chosen && a.quality !== null);
  return {
    points: drawn.map((a) => ({ name: armName(a.name), shape: isExpert(a.name) ? null : "diamond", quality: a.quality, cost: a.cost, css: colourOf(a.name), ring: a.chosen,
      hollow: !!a.placed, small: !isExpert(a.name) && !a.chosen })),
    line: chosen ? { cost: chosen.weighed, quality: chosen.quality, slope: lambda } : null,
  };
}

/** Which arm each lambda of the grid would choose, as pieces of a strip from 0 to 1. */
export function winners(arms, lambdas) {
  const able = arms.filter((a) => a.quality !== null && !a.why);
  const pieces = [];
  if (!able.length) return pieces;
  lambdas.forEach((lambda, i) => {
    let best = able[0];
    for (const a of able) {
      const gain = a.quality - lambda * a.weighed - (best.quality - lambda * best.weighed);
      if (gain > 1e-12 || (Math.abs(gain) <= 1e-12 && a.weighed < best.weighed)) best = a;
    }
    const last = pieces[pieces.length - 1];
    if (last && last.name === best.name) last.to = (i + 1) / lambdas.length;
    else pieces.push({ name: best.name, css: isExpert(best.name) ? colourOf(best.name) : "bink", from: i / lambdas.length, to: (i + 1) / lambdas.length });
  });
  return pieces;
}

/** Lambda is quality per dollar, so its inverse is what a right answer is worth. */
export function tradeInWords(lambda) {
  if (!(lambda > 0)) return "Quality alone counts, whatever it costs.";
  return `A right answer more is worth ${usdRound(1 / lambda)}.`;
}
