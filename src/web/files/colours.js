// One colour for one expert on all views: in the order of the configuration, as the gateway lists them.

const order = new Map();
const COLOURS = 7; // b0 to b6; b7 is grey, for all that are beyond

export function learnExperts(names) {
  for (const name of names) {
    if (order.size < 4096 && !order.has(name)) order.set(name, order.size);
  }
}

/** The class of what is filled; plans are drawn in ink. */
export function colourOf(name) {
  if (!order.has(name)) return "b7";
  return `b${Math.min(COLOURS, order.get(name))}`;
}

export const orderOf = (name) => order.get(name) ?? Infinity;
export const isExpert = (name) => order.has(name);
export const expertNames = () => [...order.keys()];
