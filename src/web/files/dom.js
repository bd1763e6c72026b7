// Elements by function. All that comes from outside goes in as text or as an attribute; nothing is ever parsed as HTML.

const SVG = "http://www.w3.org/2000/svg";
const PLAIN = /^(?!on|style$|srcdoc$)[a-z][a-z0-9:-]*$/i;

function fill(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on") && typeof value === "function") node.addEventListener(key.slice(2), value);
    else if (key === "value" && "value" in node) node.value = value;
    else if (PLAIN.test(key)) node.setAttribute(key, value === true ? "" : String(value));
    else throw new Error(`no such attribute here: ${key}`);
  }
  add(node, ...children);
  return node;
}

function make(create, spec, attributes, children) {
  const [tag, ...classes] = spec.split(".");
  const node = create(tag);
  if (classes.length) node.setAttribute("class", classes.join(" "));
  const plain = attributes && attributes.constructor === Object;
  return fill(node, plain ? attributes : null, plain ? children : [attributes, ...children]);
}

/** el("p.how", {id: "x"}, "text", node, [more]): the attributes may be left out. */
export function el(spec, attributes, ...children) {
  return make((tag) => document.createElement(tag), spec, attributes, children);
}

export function svg(spec, attributes, ...children) {
  return make((tag) => document.createElementNS(SVG, tag), spec, attributes, children);
}

export function add(node, ...children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child instanceof Node ? child : String(child));
  }
  return node;
}

export function put(node, ...children) {
  node.replaceChildren();
  return add(node, ...children);
}

/** Sets text only where it differs, so that a screen reader does not hear what is the same. */
export function say(node, text) {
  const wanted = String(text);
  if (node.textContent !== wanted) node.textContent = wanted;
}

/** Builds what is in `node` anew only when `signature` has changed: what has the focus keeps it. */
export function keep(node, signature, build) {
  const text = JSON.stringify(signature);
  if (node.keptAs === text) return;
  node.keptAs = text;
  put(node, build());
}

let saidTimer = 0;
/** A short message at the foot of the window, read aloud. */
export function announce(text) {
  const said = document.getElementById("said");
  say(said, text);
  clearTimeout(saidTimer);
  saidTimer = setTimeout(() => say(said, ""), 4000);
}

/** For screen readers alone: what everybody else sees anyway. */
export const whisper = (text) => say(document.getElementById("whispered"), text);

const THUMB = "M4.2 8v6H2V8zM4.2 8.2 7 2.4c1 0 1.8.6 1.8 1.6L8.3 6.6h4c.9 0 1.5.8 1.3 1.7l-1 4.4c-.1.8-.7 1.3-1.5 1.3H4.2";
/** A thumb, up or down. */
export function thumb(up) {
  return svg("svg.icon", { viewBox: "0 0 16 16", "aria-hidden": "true" }, svg("path", { d: THUMB, transform: up ? null : "rotate(180 8 8)" }));
}

let ids = 0;
export const freshId = (stem) => `${stem}-${++ids}`;

/** A label above its control, and a hint below it. */
export function field(label, control, hint) {
  const id = control.id || freshId("field");
  control.id = id;
  const hintId = `${id}-hint`;
  if (hint) control.setAttribute("aria-describedby", hintId);
  return el("div.field", el("label", { for: id }, label), control, hint && el("span.hint", { id: hintId }, hint));
}

export function select(options, chosen, attributes) {
  const node = el("select", attributes || {});
  for (const option of options) {
    if (option.options) {
      node.append(el("optgroup", { label: option.label }, option.options.map((o) => optionOf(o, chosen))));
    } else {
      node.append(optionOf(option, chosen));
    }
  }
  return node;
}

function optionOf(option, chosen) {
  const [value, label] = Array.isArray(option) ? option : [option, option];
  return el("option", { value, selected: value === chosen }, label);
}

/** A table with a caption; columns are {head, css}, cells are nodes, texts, or null for nothing. With `cards` each row is
 *  a block of its own where the window is narrow, and stays a row for screen readers. */
export function table(caption, columns, rows, options = {}) {
  const head = el("tr", { role: options.cards && "row" },
    columns.map((c) => el(`th${c.css ? `.${c.css}` : ""}`, { scope: "col", role: options.cards && "columnheader" }, c.head)));
  const body = el(`tbody${options.rows ? ".rows" : ""}`, { role: options.cards && "rowgroup" }, rows.map((row) => tableRow(columns, row, options.cards)));
  return el("div.scroll", { tabindex: "0", role: "region", "aria-label": caption },
    el(options.cards ? "table.cards" : "table", { role: options.cards && "table" }, el("caption.vh", caption),
      el("thead", { role: options.cards && "rowgroup" }, head), body));
}

export function tableRow(columns, row, cards = false) {
  const cells = row.cells || row;
  return el(`tr${row.css ? `.${row.css}` : ""}`, { role: cards && "row" }, cells.map((cell, i) => {
    const css = columns[i].css ? `.${columns[i].css}` : "";
    const said = cards ? el("div", cell ?? "–") : cell ?? "–";
    if (i === 0) return el(`th${css}`, { scope: "row", role: cards && "rowheader" }, said);
    return el(`td${css}`, { role: cards && "cell", "data-head": cards && columns[i].head }, said);
  }));
}

/** A line for the shell, with a button that copies it. */
export function command(text, label = "Copy") {
  return el("div.command", el("pre", { tabindex: "0" }, text), copyButton(text, label));
}

export function copyButton(text, label = "Copy", spec = "button.slim") {
  return el(spec, { type: "button", onclick: () => copy(text) }, label);
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    announce("Copied.");
  } catch {
    announce("The browser does not let this page copy: select the text and copy it yourself.");
  }
}

/** Asks before something that cannot be taken back; true when it is wanted. */
export function confirm(title, paragraphs, verb, danger = true) {
  return new Promise((done) => {
    const id = freshId("dialog");
    const dialog = el("dialog", { "aria-labelledby": id });
    let wanted = false;
    dialog.addEventListener("close", () => { dialog.remove(); done(wanted); });
    add(dialog, el("h2", { id }, title), paragraphs.map((p) => (p instanceof Node ? p : el("p", p))),
      el("div.buttons",
        el("button", { type: "button", onclick: () => dialog.close() }, "Cancel"),
        el(danger ? "button.danger" : "button.go",
          { type: "button", onclick: () => { wanted = true; dialog.close(); } }, verb)));
    document.body.append(dialog);
    dialog.showModal();
  });
}
