// Small charts as SVG, drawn to the width that there is. Each has a title and a description for readers who cannot see
// it, and its figures as a table. Lengths are pixels; colours come from classes of the style sheet.

import { el, svg, put, add, table, freshId } from "./dom.js";
import { clock, day, usd, usdRound, percent, count, number } from "./format.js";

/* Scales */

export function linear(low, high, from, to) {
  const span = high - low || 1;
  const at = (v) => from + ((v - low) / span) * (to - from);
  return { at, low, high, value: (x) => low + ((x - from) / (to - from)) * span, log: false };
}

export function logarithmic(low, high, from, to) {
  const a = Math.log(low), span = Math.log(high) - a || 1;
  const at = (v) => from + ((Math.log(Math.max(v, low / 10)) - a) / span) * (to - from);
  return { at, low, high, value: (x) => Math.exp(a + ((x - from) / (to - from)) * span), log: true };
}

/** Round values, about `wanted` of them. */
export function ticks(low, high, wanted) {
  if (!(high > low)) return [low];
  const raw = (high - low) / Math.max(1, wanted);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => s >= raw * 0.8);
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9 && found.length < 40; i++) found.push(i * step || 0);
  return found;
}

function logTicks(low, high, wanted) {
  const found = [];
  const decades = Math.log10(high / low);
  const majors = decades > wanted ? [1] : decades > wanted / 2 ? [1, 3] : [1, 2, 5];
  for (let p = Math.floor(Math.log10(low)); p <= Math.ceil(Math.log10(high)); p++) {
    for (let m = 1; m < 10; m++) {
      const value = m * 10 ** p;
      if (value >= low * 0.999 && value <= high * 1.001) found.push({ value, major: majors.includes(m) });
    }
  }
  return found.slice(0, 80);
}

const MINUTE = 60000;
const TIME_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440].map((m) => m * MINUTE);

function timeTicks(from, to, wanted) {
  const step = TIME_STEPS.find((s) => (to - from) / s <= wanted) || 1440 * MINUTE;
  const offset = new Date(from).getTimezoneOffset() * MINUTE;
  const found = [];
  for (let t = Math.ceil((from - offset) / step) * step + offset; t <= to; t += step) found.push(t);
  return found;
}

const r = (x) => Math.round(x * 10) / 10;
const path = (points) => points.map(([x, y], i) => `${i ? "L" : "M"}${r(x)} ${r(y)}`).join("");
export const textWidth = (text, px = 12) => String(text).length * px * 0.56;

/* The frame of every chart */

/** A figure that draws itself anew when it gets data or another width.
 *  options: {title, height(width), draw(root, data, width, height), describe(data), rows(data) -> {columns, rows}} */
export class Chart {
  constructor(options) {
    this.options = options;
    this.data = null;
    this.width = 0;
    this.id = freshId("chart");
    this.place = el("div.draw");
    this.below = el("div");
    this.figures = el("details", el("summary", "These figures as a table"));
    this.figures.addEventListener("toggle", () => this.#fillTable());
    this.node = el("figure", this.place, this.below, options.rows ? this.figures : null);
    this.watcher = new ResizeObserver((entries) => {
      const width = Math.floor(entries[0].contentRect.width);
      if (width > 0 && width !== this.width) {
        this.width = width;
        this.paint();
      }
    });
    this.watcher.observe(this.place);
  }

  set(data) {
    this.data = data;
    this.paint();
    if (this.figures.open) this.#fillTable();
  }

  stop() { this.watcher.disconnect(); }

  paint() {
    if (!this.data || this.width === 0) return;
    const height = this.options.height(this.width, this.data);
    const root = svg("svg", {
      viewBox: `0 0 ${this.width} ${height}`, width: this.width, height, role: "img",
      "aria-labelledby": `${this.id}-t ${this.id}-d`,
    }, svg("title", { id: `${this.id}-t` }, this.options.title),
    svg("desc", { id: `${this.id}-d` }, this.options.describe(this.data)));
    this.options.draw(root, this.data, this.width, height, this);
    put(this.place, root);
  }

  #fillTable() {
    if (!this.figures.open || !this.data) return;
    const { columns, rows } = this.options.rows(this.data);
    const old = this.figures.querySelector(".scroll");
    const fresh = table(this.options.title, columns, rows);
    if (old) old.replaceWith(fresh);
    else this.figures.append(fresh);
  }
}

function gridY(root, y, values, left, right, format) {
  for (const value of values) {
    const at = r(y.at(value));
    add(root, svg("line.grid", { x1: left, x2: right, y1: at, y2: at }),
      svg("text.tick", { x: left - 7, y: at + 4, "text-anchor": "end" }, format(value)));
  }
}

function swatch(css) {
  return svg("svg", { viewBox: "0 0 26 14", width: 26, height: 14, "aria-hidden": "true" }, css.startsWith("b")
    ? svg(`rect.${css}`, { x: 6, y: 1, width: 12, height: 12, rx: 3 })
    : svg(`path.line.${css}`, { d: "M1 7H25" }));
}

/* Time */

/** Values over time, stacked or as lines, with a line under the pointer that reads them in the legend.
 *  data: {from_ms, step_ms, series: [{name, css, values}]}; options: {title, format, stacked, unit} */
export function timeChart(options) {
  const legend = el("ul.legend");
  let values = []; // <b> of the legend
  let named = "";
  let cursor = null; // an index that the pointer is at

  function read(data, index) {
    data.series.forEach((s, i) => { values[i].textContent = options.format(s.values[index]); });
    if (options.total) {
      values[data.series.length].textContent = options.format(sum(data, index));
    }
  }

  function names(data) {
    const wanted = data.series.map((s) => `${s.name}|${s.css}`).join("\n");
    if (wanted === named) return;
    named = wanted;
    values = [];
    put(legend, data.series.map((s) => {
      const value = el("b");
      values.push(value);
      return el("li", swatch(s.css), s.name, value);
    }));
    if (options.total) {
      const value = el("b");
      values.push(value);
      add(legend, el("li", options.total, value));
    }
  }

  function draw(root, data, width, height) {
    const left = 54, right = width - 8, top = 12, bottom = height - 24;
    const length = data.series.length ? data.series[0].values.length : data.count || 0;
    const to = data.from_ms + data.step_ms * Math.max(1, length - 1);
    const x = linear(data.from_ms, to, left, right);
    const high = Math.max(0, ...peaks(data, options.stacked)) || options.zero || 1; // of nothing, an axis all the same
    const marks = ticks(0, high * 1.08 || 1, 4);
    const y = linear(0, Math.max(high * 1.08, marks[marks.length - 1]) || 1, bottom, top);
    gridY(root, y, marks, left, right, options.axis || options.format);
    for (const t of timeTicks(data.from_ms, to, Math.max(2, (right - left) / 90))) {
      const at = r(x.at(t));
      const anchor = at > right - 18 ? "end" : at < left + 18 ? "start" : "middle";
      add(root, svg("line.minor", { x1: at, x2: at, y1: top, y2: bottom }),
        svg("text.tick", { x: at, y: bottom + 17, "text-anchor": anchor }, clock(t) === "00:00" ? day(t).slice(5) : clock(t)));
    }
    if (options.stacked) stack(root, data, x, y, length);
    else lines(root, data, x, y, length);
    add(root, svg("line.axis", { x1: left, x2: right, y1: bottom, y2: bottom }));
    follow(root, data, x, left, right, top, bottom, length);
  }

  /** The line under the pointer. */
  function follow(root, data, x, left, right, top, bottom, length) {
    const line = svg("line.cursor", { y1: top, y2: bottom, x1: -9, x2: -9 });
    const label = svg("text.lab", { y: top + 1, x: -99 });
    add(root, line, label);
    const show = (index) => {
      const at = r(x.at(data.from_ms + index * data.step_ms));
      line.setAttribute("x1", at);
      line.setAttribute("x2", at);
      label.setAttribute("x", at > right - 66 ? at - 5 : at + 5);
      label.setAttribute("text-anchor", at > right - 66 ? "end" : "start");
      label.textContent = clock(data.from_ms + index * data.step_ms, data.step_ms < MINUTE);
      read(data, index);
    };
    root.addEventListener("pointermove", (event) => {
      const box = root.getBoundingClientRect();
      const inside = ((event.clientX - box.left) / box.width) * (right + 8);
      cursor = Math.max(0, Math.min(length - 1, Math.round((x.value(inside) - data.from_ms) / data.step_ms)));
      if (length) show(cursor);
    });
    root.addEventListener("pointerleave", () => {
      cursor = null;
      line.setAttribute("x1", -9);
      line.setAttribute("x2", -9);
      label.textContent = "";
      if (length) read(data, length - 1);
    });
    if (!length) return;
    if (cursor !== null && cursor < length) show(cursor);
    else read(data, length - 1);
  }

  const chart = new Chart({
    title: options.title,
    height: (width) => (width < 560 ? 190 : options.height || 230),
    describe: (data) => describeTime(data, options),
    rows: (data) => ({
      columns: [{ head: "time" }, ...data.series.map((s) => ({ head: s.name }))],
      rows: coarse(data, 24).map((row) => [clock(row.at), ...row.values.map((v) => options.format(v))]),
    }),
    draw: (root, data, width, height) => {
      names(data);
      draw(root, data, width, height);
    },
  });
  put(chart.below, legend);
  return chart;
}

const sum = (data, index) => data.series.reduce((all, s) => all + (s.values[index] || 0), 0);

function peaks(data, stacked) {
  if (!data.series.length) return [0];
  if (!stacked) return data.series.map((s) => s.values.reduce((m, v) => Math.max(m, v || 0), 0));
  return [data.series[0].values.reduce((m, _, i) => Math.max(m, sum(data, i)), 0)];
}

function stack(root, data, x, y, length) {
  let floor = new Array(length).fill(0);
  for (const s of data.series) {
    const roof = floor.map((v, i) => v + (s.values[i] || 0));
    if (length && roof.some((v, i) => v > floor[i])) {
      const at = (i) => x.at(data.from_ms + i * data.step_ms);
      const up = roof.map((v, i) => [at(i), y.at(v)]);
      const back = floor.map((v, i) => [at(i), y.at(v)]).reverse();
      add(root, svg(`path.${s.css}`, { d: `${path(up.concat(back))}Z` }));
    }
    floor = roof;
  }
}

function lines(root, data, x, y, length) {
  for (const s of data.series) {
    const runs = [[]];
    for (let i = 0; i < length; i++) {
      const v = s.values[i];
      if (typeof v === "number") runs[runs.length - 1].push([x.at(data.from_ms + i * data.step_ms), y.at(v)]);
      else if (runs[runs.length - 1].length) runs.push([]);
    }
    for (const run of runs) {
      if (run.length === 1) add(root, svg(`path.line.${s.css}`, { d: `M${r(run[0][0] - 1)} ${r(run[0][1])}h2` }));
      if (run.length > 1) add(root, svg(`path.line.${s.css}`, { d: path(run) }));
    }
  }
}

function coarse(data, most) {
  const length = data.series.length ? data.series[0].values.length : 0;
  const every = Math.max(1, Math.ceil(length / most));
  const rows = [];
  for (let i = 0; i < length; i += every) {
    const values = data.series.map((s) => {
      const part = s.values.slice(i, i + every).filter((v) => typeof v === "number");
      return part.length ? part.reduce((a, b) => a + b, 0) / part.length : null;
    });
    rows.push({ at: data.from_ms + i * data.step_ms, values });
  }
  return rows.reverse();
}

function describeTime(data, options) {
  const length = data.series.length ? data.series[0].values.length : 0;
  if (!length) return "No figures yet.";
  const span = `From ${clock(data.from_ms)} to ${clock(data.from_ms + (length - 1) * data.step_ms)}. `;
  return span + data.series.map((s) => `${s.name}: last ${options.format(s.values[length - 1])}, highest ${
    options.format(s.values.reduce((m, v) => Math.max(m, v || 0), 0))}`).join("; ");
}

/* The cost–quality plane */

/** data: {points: [{name, quality, cost, css, hollow, ring, shape, strong}], curve: [{cost, quality}], dotted, line: λ
 *  and its point (the trade), unit: costs per so many requests}. */
export function planeChart(options) {
  return new Chart({
    title: options.title,
    height: (width) => (options.height ? Math.min(options.height, Math.max(230, width * 0.72)) : width < 560 ? 320 : 430),
    describe: (data) => describePlane(data, options),
    rows: (data) => ({
      columns: [{ head: "name", css: "name" }, { head: "quality" }, { head: options.costTitle }],
      rows: data.points.map((p) => [p.name, percent(p.quality), usd(p.cost)]),
    }),
    draw: (root, data, width, height) => drawPlane(root, data, width, height, options),
  });
}

function describePlane(data, options) {
  const all = [...data.points].sort((a, b) => a.cost - b.cost)
    .map((p) => `${p.name}: ${percent(p.quality)} for ${usd(p.cost)}${p.ring ? " (chosen)" : ""}`);
  return `${options.costTitle} to the right, predicted quality upwards. ${all.slice(0, 24).join("; ")}`;
}

function extent(values, room) {
  const low = Math.min(...values), high = Math.max(...values);
  return [low - room * (high - low), high + room * (high - low)];
}

function costScale(costs, left, right) {
  const positive = costs.filter((c) => c > 0);
  const high = Math.max(...positive, 1e-12), low = Math.min(...positive, high);
  if (positive.length === costs.length && high / low > 12) return logarithmic(low / 1.5, high * 1.7, left, right);
  return linear(0, high * 1.12, left, right);
}

function drawPlane(root, data, width, height, options) {
  const everything = [...data.points, ...(data.curve || [])];
  const left = 52, right = width - 14, top = 30, bottom = height - 42;
  if (!everything.length) {
    add(root, svg("text.tick", { x: width / 2, y: height / 2, "text-anchor": "middle" }, "Nothing to draw yet."));
    return;
  }
  const x = costScale(everything.map((p) => p.cost), left, right);
  let [low, high] = extent(everything.map((p) => p.quality), 0.08);
  if (high - low < 0.04) [low, high] = [low - 0.02, high + 0.02];
  const y = linear(Math.max(0, low), Math.min(1, high), bottom, top);
  planeAxes(root, x, y, { left, right, top, bottom, width }, options);
  const obstacles = [];
  if (data.line) drawTrade(root, data.line, x, y, { left, right, top, bottom });
  if (data.curve && data.curve.length > 1) {
    const drawn = data.curve.map((p) => [x.at(p.cost), y.at(p.quality)]);
    add(root, svg(options.thinCurve ? "path.thin" : "path.curve", { d: path(drawn) }));
    for (const [px, py] of drawn) obstacles.push({ x0: px - 4, x1: px + 4, y0: py - 4, y1: py + 4 });
  }
  const placed = data.points.map((p) => ({ ...p, x: x.at(p.cost), y: y.at(p.quality) }));
  for (const p of placed) drawPoint(root, p);
  labels(root, placed, obstacles, { left, right, top, bottom });
}

const isDecade = (t, x) => (x.log && Math.abs(Math.log10(t.value) - Math.round(Math.log10(t.value))) < 1e-9 ? 1 : 0);

function planeAxes(root, x, y, box, options) {
  const wanted = Math.max(2, Math.floor((box.right - box.left) / 76));
  const all = x.log ? logTicks(x.low, x.high, wanted) : ticks(0, x.high, wanted).map((value) => ({ value, major: true }));
  const taken = [];
  for (const t of all) {
    const at = r(x.at(t.value));
    add(root, svg(t.major ? "line.grid" : "line.minor", { x1: at, x2: at, y1: box.top, y2: box.bottom }));
  }
  // Decades first: the rest is named where there is room left.
  for (const t of all.filter((v) => v.major).sort((a, b) => isDecade(b, x) - isDecade(a, x))) {
    const at = r(x.at(t.value)), half = textWidth(usdRound(t.value)) / 2;
    if (at + half > box.width + 4 || taken.some(([from, to]) => at - half < to + 8 && at + half > from - 8)) continue;
    taken.push([at - half, at + half]);
    add(root, svg("text.tick", { x: at, y: box.bottom + 17, "text-anchor": "middle" }, usdRound(t.value)));
  }
  gridY(root, y, ticks(y.low, y.high, 5), box.left, box.right, (v) => `${number(100 * v)} %`);
  add(root, svg("text.axt", { x: box.left - 44, y: 14 }, "predicted quality"),
    svg("text.axt", { x: box.right, y: box.bottom + 36, "text-anchor": "end" },
      `${options.costTitle}${x.log ? ", logarithmic" : ""}`));
}

/** All points of the utility that the chosen one has: whatever lies above the line would be chosen instead. */
function drawTrade(root, line, x, y, box) {
  const points = [];
  for (let at = box.left; at <= box.right; at += 4) {
    const quality = line.quality + line.slope * (x.value(at) - line.cost);
    if (quality >= y.low && quality <= y.high) points.push([at, y.at(quality)]);
  }
  if (points.length > 1) add(root, svg("path.two", { d: path(points) }));
}

function drawPoint(root, p) {
  const colour = p.hollow ? `hollow.k${p.css.slice(1)}` : `mark.${p.css}`;
  if (p.shape === "diamond") {
    const s = p.small && !p.ring ? 4.4 : 7;
    add(root, svg("path.inkfill", { d: `M${r(p.x)} ${r(p.y - s)}l${s} ${s}l-${s} ${s}l-${s} -${s}Z` }));
  } else {
    add(root, svg(`circle.${colour}`, { cx: r(p.x), cy: r(p.y), r: p.small ? 3.4 : 5.6 }));
  }
  if (p.ring) add(root, svg("circle.ring", { cx: r(p.x), cy: r(p.y), r: 10 }));
}

const touches = (a, b) => a.x0 < b.x1 && b.x0 < a.x1 && a.y0 < b.y1 && b.y0 < a.y1;

/** Each name where it covers no other name and no point, the important ones first; one without a place is left out
 *  (the table has it). */
function labels(root, points, obstacles, area) {
  const boxes = points.map((p) => ({ x0: p.x - 7, x1: p.x + 7, y0: p.y - 7, y1: p.y + 7 }));
  const taken = [];
  const order = points.map((p, i) => i).sort((a, b) => weight(points[b]) - weight(points[a]));
  for (const i of order) {
    const p = points[i];
    if (p.small && !p.ring) continue;
    const name = shorten(p.label || p.name, 28);
    const w = textWidth(name) + 4;
    const gap = p.ring ? 14 : 10;
    const spots = [[gap, 4, "start"], [-gap, 4, "end"], [0, -gap - 2, "middle"], [0, gap + 10, "middle"],
      [gap, -9, "start"], [-gap, -9, "end"], [gap, 17, "start"], [-gap, 17, "end"],
      [gap + 8, -22, "start"], [-gap - 8, -22, "end"], [gap + 8, 30, "start"], [-gap - 8, 30, "end"]];
    let best = null;
    for (const [dx, dy, anchor] of spots) {
      const x0 = anchor === "start" ? p.x + dx : anchor === "end" ? p.x + dx - w : p.x - w / 2;
      const box = { x0, x1: x0 + w, y0: p.y + dy - 11, y1: p.y + dy + 3 };
      if (box.x0 < area.left - 2 || box.x1 > area.right + 10 || box.y0 < area.top - 16 || box.y1 > area.bottom) continue;
      if (taken.some((t) => touches(t, box)) || boxes.some((b, j) => j !== i && touches(b, box))) continue;
      const cost = obstacles.filter((o) => touches(o, box)).length;
      if (!best || cost < best.cost) best = { cost, box, x: p.x + dx, y: p.y + dy, anchor };
      if (cost === 0) break;
    }
    if (!best) continue;
    taken.push(best.box);
    add(root, svg(`text.lab${p.ring || p.strong ? ".strong" : ""}`,
      { x: r(best.x), y: r(best.y), "text-anchor": best.anchor }, name));
  }
}

const weight = (p) => (p.ring ? 4 : 0) + (p.strong ? 2 : 0) + (p.shape ? 1 : 0);
const shorten = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

/* Calibration and spread */

/** data: [{from, to, n, predicted, observed}]. A perfect forecast lies on the diagonal; whiskers are one standard error. */
export function calibrationChart(options) {
  return new Chart({
    title: options.title,
    height: (width) => Math.min(330, Math.max(230, width * 0.7)),
    describe: (bins) => bins.map((b) => `predicted ${percent(b.predicted, 0)}, right ${percent(b.observed, 0)} of ${b.n}`).join("; "),
    rows: (bins) => ({
      columns: [{ head: "predicted" }, { head: "really right" }, { head: "answers scored" }],
      rows: bins.map((b) => [percent(b.predicted), percent(b.observed), count(b.n)]),
    }),
    draw: (root, bins, width, height) => {
      const left = 52, right = width - 12, top = 26, bottom = height - 42;
      const x = linear(0, 1, left, right), y = linear(0, 1, bottom, top);
      gridY(root, y, [0, 0.25, 0.5, 0.75, 1], left, right, (v) => `${100 * v} %`);
      for (const v of [0, 0.25, 0.5, 0.75, 1]) {
        add(root, svg("text.tick", { x: x.at(v), y: bottom + 17, "text-anchor": v === 1 ? "end" : "middle" }, `${100 * v} %`));
      }
      const most = Math.max(1, ...bins.map((b) => b.n));
      for (const b of bins) {
        const h = (b.n / most) * (bottom - top) * 0.34;
        add(root, svg("rect.hist", { x: r(x.at(b.from) + 1), y: r(bottom - h), width: r(Math.max(1, x.at(b.to) - x.at(b.from) - 2)), height: r(h) }));
      }
      add(root, svg("path.thin", { d: `M${left} ${bottom}L${right} ${top}` }));
      const seen = bins.filter((b) => b.n > 0);
      for (const b of seen) {
        const se = Math.sqrt(Math.max(b.observed * (1 - b.observed), 0.25 / b.n) / b.n);
        const at = r(x.at(b.predicted));
        add(root, svg("path.whisk", { d: `M${at} ${r(y.at(Math.min(1, b.observed + se)))}V${r(y.at(Math.max(0, b.observed - se)))}` }),
          svg("circle.mark.b0", { cx: at, cy: r(y.at(b.observed)), r: 4.6 }));
      }
      add(root, svg("text.axt", { x: left - 44, y: 13 }, "really right"),
        svg("text.axt", { x: right, y: bottom + 36, "text-anchor": "end" }, "predicted quality"));
    },
  });
}

/** Bars: data [{from, to, n}]. */
export function barsChart(options) {
  return new Chart({
    title: options.title,
    height: (width) => Math.min(330, Math.max(230, width * 0.7)),
    describe: (bins) => bins.map((b) => `${options.label(b)}: ${b.n}`).join("; "),
    rows: (bins) => ({
      columns: [{ head: options.axis }, { head: "requests" }],
      rows: bins.map((b) => [options.label(b), count(b.n)]),
    }),
    draw: (root, bins, width, height) => {
      const left = 52, right = width - 12, top = 26, bottom = height - 42;
      const most = Math.max(1, ...bins.map((b) => b.n));
      const marks = ticks(0, most, 4).filter((v) => Number.isInteger(v));
      const y = linear(0, most * 1.05, bottom, top);
      const x = linear(bins[0].from, bins[bins.length - 1].to, left, right);
      gridY(root, y, marks, left, right, count);
      for (const b of bins) {
        const x0 = x.at(b.from), at = y.at(b.n);
        add(root, svg("rect.b0", { x: r(x0 + 1), y: r(at), width: r(Math.max(1, x.at(b.to) - x0 - 2)), height: r(bottom - at) }));
      }
      const edges = [...bins.map((b) => b.from), bins[bins.length - 1].to];
      const every = Math.ceil((edges.length * 46) / (right - left));
      edges.forEach((v, i) => {
        if (i % every === 0) {
          add(root, svg("text.tick", { x: r(x.at(v)), y: bottom + 17, "text-anchor": "middle" }, options.tick(v)));
        }
      });
      add(root, svg("line.axis", { x1: left, x2: right, y1: bottom, y2: bottom }),
        svg("text.axt", { x: left - 44, y: 13 }, "requests"),
        svg("text.axt", { x: right, y: bottom + 36, "text-anchor": "end" }, options.axis));
    },
  });
}

/* Lines over numbers: learning curves */

/** data: {series: [{name, css, points: [{x, y}]}]}; options: {title, xTitle, yTitle, xFormat, yFormat}. */
export function curvesChart(options) {
  const legend = el("ul.legend");
  const chart = new Chart({
    title: options.title,
    height: (width) => (width < 560 ? 230 : 260),
    describe: (data) => data.series.map((s) => `${s.name}: ${s.points.map((p) => options.yFormat(p.y)).slice(0, 30).join(", ")}`).join("; "),
    rows: (data) => ({
      columns: [{ head: "run", css: "name" }, { head: options.xTitle }, { head: options.yTitle }],
      rows: data.series.flatMap((s) => s.points.map((p) => [s.name, options.xFormat(p.x), options.yFormat(p.y)])).slice(0, 200),
    }),
    draw: (root, data, width, height) => {
      put(legend, data.series.length > 1 ? data.series.map((s) => el("li", swatch(`k${s.css.slice(1)}`), s.name)) : []);
      const all = data.series.flatMap((s) => s.points);
      const left = 52, right = width - 16, top = 26, bottom = height - 42;
      const x = linear(0, Math.max(...all.map((p) => p.x), 1e-9) * 1.04, left, right);
      let [low, high] = extent(all.map((p) => p.y), 0.1);
      if (high === low) [low, high] = [low - 1, high + 1];
      const y = linear(low, high, bottom, top);
      gridY(root, y, ticks(low, high, 4), left, right, options.yFormat);
      for (const t of ticks(0, x.high, Math.max(2, (right - left) / 90))) {
        add(root, svg("text.tick", { x: r(x.at(t)), y: bottom + 17, "text-anchor": "middle" }, options.xFormat(t)));
      }
      for (const s of data.series) {
        add(root, svg(`path.line.k${s.css.slice(1)}`, { d: path(s.points.map((p) => [x.at(p.x), y.at(p.y)])) }));
        for (const p of s.points) {
          add(root, svg(p.published ? `circle.mark.${s.css}` : `circle.hollow.k${s.css.slice(1)}`,
            { cx: r(x.at(p.x)), cy: r(y.at(p.y)), r: p.published ? 5.4 : 4 }));
        }
      }
      add(root, svg("line.axis", { x1: left, x2: right, y1: bottom, y2: bottom }),
        svg("text.axt", { x: left - 44, y: 13 }, options.yTitle),
        svg("text.axt", { x: right, y: bottom + 36, "text-anchor": "end" }, options.xTitle));
    },
  });
  put(chart.below, legend);
  return chart;
}

/* Small ones inside of lines */

/** A share of a limit; says itself in words. */
export function meter(share, words) {
  const full = Math.max(0, Math.min(1, share));
  const css = share >= 1 ? "b4" : share >= 0.8 ? "b1" : "b2";
  return svg("svg.meter", { viewBox: "0 0 74 8", width: 74, height: 8, role: "img", "aria-label": words },
    svg("rect.track", { x: 0, y: 0, width: 74, height: 8, rx: 3 }),
    full > 0 ? svg(`rect.${css}`, { x: 0, y: 0, width: r(Math.max(2, full * 74)), height: 8, rx: 3 }) : null);
}

/** Which of the arms each lambda would choose: coloured pieces of one bar. pieces: [{from, to, css, name}] in 0..1. */
export function strip(pieces, words) {
  const root = svg("svg.bandwidth", { viewBox: "0 0 1000 9", preserveAspectRatio: "none", width: "100%", height: 9, role: "img", "aria-label": words });
  for (const p of pieces) {
    add(root, svg(`rect.${p.css}`, { x: r(1000 * p.from), y: 0, width: r(Math.max(1, 1000 * (p.to - p.from))), height: 9 }, svg("title", p.name)));
  }
  return root;
}

/** Calls on a common line of time: data [{name, css, begin, length, failed}] in ms. */
export function waterfall(options) {
  return new Chart({
    title: options.title,
    height: (_, calls) => 34 + 26 * calls.length,
    describe: (calls) => calls.map((c) => `${c.name}: from ${Math.round(c.begin)} to ${Math.round(c.begin + c.length)} ms, ${c.outcome}`).join("; "),
    draw: (root, calls, width, height) => {
      const left = 10, right = width - 14, bottom = height - 24;
      const x = linear(0, Math.max(...calls.map((c) => c.begin + c.length), 1), left, right);
      for (const t of ticks(0, x.high, Math.max(2, (right - left) / 100))) {
        const at = r(x.at(t));
        add(root, svg("line.minor", { x1: at, x2: at, y1: 4, y2: bottom }),
          svg("text.tick", { x: at, y: bottom + 17, "text-anchor": at > right - 24 ? "end" : at < left + 10 ? "start" : "middle" }, `${number(t)} ms`));
      }
      calls.forEach((c, i) => {
        const y = 6 + 26 * i, x0 = x.at(c.begin), w = Math.max(3, x.at(c.begin + c.length) - x0);
        add(root, svg(c.outcome === "answered" ? `rect.${c.css}` : `rect.hollow.k${c.css.slice(1)}`, { x: r(x0), y, width: r(w), height: 18, rx: 3 }));
        const words = `${c.name} ${c.outcome}`;
        const inside = textWidth(words) + 10 > right - x0;
        add(root, svg(c.outcome === "answered" ? "text.inband" : "text.lab", { x: r(inside ? Math.min(right, x0 + w) - 4 : x0 + 6), y: y + 13, "text-anchor": inside ? "end" : "start" }, words));
      });
    },
  });
}
