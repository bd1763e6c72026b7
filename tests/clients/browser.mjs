// One web page in Chromium that calls a gateway: node browser.mjs PAGE GATEWAY KEY. Prints what the page saw, as JSON.
import { createRequire } from "node:module";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const require = createRequire(new URL("../../build/clients/node_modules/", import.meta.url));
const { chromium } = require("playwright-core");
const [page, gateway, key] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "leeroo-browser-"));
const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
  "--disable-background-networking", "--disable-component-update"];

// Runs in the page.
async function visit([gateway, key]) {
  const headers = { "content-type": "application/json", ...(key ? { authorization: `Bearer ${key}` } : {}) };
  const ask = (body, type = headers) => fetch(`${gateway}/v1/chat/completions`, {
    method: "POST", headers: type,
    body: JSON.stringify({ model: "cheap", messages: [{ role: "user", content: "hello" }], ...body }) });
  const tried = async (what) => {
    try {
      return await what();
    } catch (error) {
      return { refused: String(error) };
    }
  };
  const whole = (r) => r.json().then((body) => ({ status: r.status, body, expert: r.headers.get("x-leeroo-expert") }));
  return {
    models: await tried(async () => whole(await fetch(`${gateway}/v1/models`, { headers }))),
    chat: await tried(async () => whole(await ask({}))),
    simple: await tried(async () => whole(await ask({}, { "content-type": "text/plain" }))),
    error: await tried(async () => whole(await ask({ model: "none" }))),
    stream: await tried(async () => {
      const r = await ask({ stream: true });
      const reader = r.body.pipeThrough(new TextDecoderStream()).getReader();
      const pieces = [];
      for (let next = await reader.read(); !next.done; next = await reader.read()) pieces.push(next.value);
      return { status: r.status, pieces, expert: r.headers.get("x-leeroo-expert") };
    }),
  };
}

const context = await chromium.launchPersistentContext(folder, { executablePath: process.env.CHROMIUM, args: flags });
try {
  const tab = await context.newPage();
  await tab.goto(page);
  console.log(JSON.stringify(await tab.evaluate(visit, [gateway, key || ""])));
} finally {
  await context.close();
  rmSync(folder, { recursive: true, force: true });
}
