// Figures for people: units always, three significant digits where more would be noise, and no figure where none is known.

const NONE = "–";
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const ARROW = / ?(->|→) ?/g;
const known = (x) => typeof x === "number" && Number.isFinite(x);

function digits(x, significant, all = false) {
  if (x === 0) return "0";
  const size = Math.floor(Math.log10(Math.abs(Number(x.toPrecision(significant)))) + 1e-12);
  const decimals = Math.min(12, Math.max(0, significant - 1 - size));
  return x.toLocaleString("en", { minimumFractionDigits: all ? decimals : 0, maximumFractionDigits: decimals });
}

/** As duration, for axes: whole steps need no zeros. */
export const durationRound = (ms) => (ms >= 1000 && ms < 60000 ? `${digits(ms / 1000, 3)} s` : duration(ms));

export const count = (n) => (known(n) ? whole.format(n) : NONE);

/** Up to three significant digits, never in the form 1e-7. */
export const number = (x, significant = 3) => (known(x) ? digits(x, significant) : NONE);

export function usd(x) {
  if (!known(x)) return NONE;
  const sign = x < 0 ? "−" : "";
  const y = Math.abs(x);
  if (y === 0) return "$0";
  if (y < 1) return `${sign}$${digits(y, 3, true)}`;
  const decimals = y < 1000 ? 2 : 0;
  return `${sign}$${y.toLocaleString("en", { minimumFractionDigits: decimals, maximumFractionDigits: decimals })}`;
}

/** Without zeros behind: for axes, and for round sums in sentences. */
export const usdRound = (x) => (known(x) ? `${x < 0 ? "−" : ""}$${digits(Math.abs(x), 3)}` : NONE);

/** For a column, so that its points stand below each other: two digits for the smallest, and the dollar in the head. */
export function usdColumn(values) {
  const least = values.reduce((m, v) => (known(v) && v > 0 && v < m ? v : m), Infinity);
  const decimals = least === Infinity ? 2 : Math.min(9, Math.max(2, 1 - Math.floor(Math.log10(least))));
  return (x) => (known(x) ? x.toFixed(decimals).replace("-", "−") : NONE);
}

/** The ledger's own precision, nine places, without the zeros behind. */
export function usdExact(x) {
  return known(x) ? `$${x.toFixed(9).replace(/0+$/, "").replace(/\.$/, "")}` : NONE;
}

export function rate(x) {
  if (!known(x)) return NONE;
  return x === 0 ? "0" : x < 0.01 ? "< 0.01" : x >= 100 ? whole.format(x) : digits(x, x < 1 ? 2 : 3);
}

export function percent(x, decimals = 1) {
  return known(x) ? `${(100 * x).toFixed(decimals).replace("-", "−")} %` : NONE;
}

export function duration(ms) {
  if (!known(ms) || ms < 0) return NONE;
  if (ms < 1) return ms === 0 ? "0 ms" : "< 1 ms";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60000) return `${digits(ms / 1000, 3, true)} s`;
  if (ms < 3600000) return `${digits(ms / 60000, 2)} min`;
  if (ms < 48 * 3600000) return `${digits(ms / 3600000, 2)} h`;
  return `${whole.format(ms / 86400000)} days`;
}

const two = (n) => String(n).padStart(2, "0");

export function clock(ms, seconds = false) {
  const d = new Date(ms);
  return `${two(d.getHours())}:${two(d.getMinutes())}${seconds ? `:${two(d.getSeconds())}` : ""}`;
}

export function day(ms) {
  const d = new Date(ms);
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`;
}

/** Today's as a time of day, else with the day. */
export function when(ms) {
  if (!known(ms) || ms <= 0) return NONE;
  return day(ms) === day(Date.now()) ? clock(ms, true) : `${day(ms)} ${clock(ms)}`;
}

export const whenExact = (ms) => (known(ms) && ms > 0 ? `${day(ms)} ${clock(ms, true)}` : NONE);

/** A plan's name as people write it: "small → large", "small + large". */
export const armName = (name) => String(name).replace(ARROW, " → ").replace(/(\S)\+(?=\S)/g, "$1 + ");

/** "1 request", "2 requests". */
export const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;

export const shortSum = (checksum) => (checksum ? String(checksum).slice(0, 12) : NONE);
