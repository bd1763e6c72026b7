// The gateway's API as the page asks it: same origin, the cookie's token against forgery, and errors with their words.

let token = null;
export const setToken = (csrf) => { token = csrf || null; };

export class ApiError extends Error {
  constructor(status, message, code) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export function headersFor(method, json) {
  const headers = {};
  if (json) headers["content-type"] = "application/json";
  if (token && method !== "GET") headers["x-leeroo-csrf"] = token;
  return headers;
}

/** What an answer that is not well says, with what mends it where the gateway says so. */
export async function errorOf(answer) {
  let message = `The gateway answered ${answer.status}.`;
  let code = null;
  try {
    const said = (await answer.json()).error;
    message = said.message || message;
    code = said.code || null;
  } catch { /* not JSON: the status has to do */ }
  if (answer.status === 401) window.dispatchEvent(new Event("leeroo-signed-out"));
  return new ApiError(answer.status, message, code);
}

export async function ask(method, path, body, signal) {
  let answer;
  try {
    answer = await fetch(path, {
      method, signal, credentials: "same-origin", cache: "no-store", redirect: "error",
      headers: headersFor(method, body !== undefined),
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, "The gateway does not answer. Is it running, and can this machine reach it?", "unreachable");
  }
  if (!answer.ok) throw await errorOf(answer);
  if (answer.status === 204) return null;
  try {
    return await answer.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(answer.status, `${path} did not answer with JSON. Is a proxy in front of the gateway?`, "no_json");
  }
}

export const get = (path, signal) => ask("GET", path, undefined, signal);
export const post = (path, body, signal) => ask("POST", path, body, signal);

/** The pieces of a streamed chat: on({text}, {usage}, {leeroo}, {error}). Returns the answer's headers. */
export async function stream(body, signal, onHead, on) {
  let answer;
  try {
    answer = await fetch("/v1/chat/completions", {
      method: "POST", signal, credentials: "same-origin", cache: "no-store",
      headers: headersFor("POST", true), body: JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, "The gateway does not answer. Is it running, and can this machine reach it?", "unreachable");
  }
  if (!answer.ok) {
    const error = await errorOf(answer);
    error.id = answer.headers.get("x-leeroo-request-id");
    throw error;
  }
  onHead(answer.headers);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    rest += value || "";
    const lines = rest.split(/\r?\n/);
    rest = done ? "" : lines.pop();
    for (const line of lines) {
      if (!line.startsWith("data:")) continue;
      const data = line.slice(5).trim();
      if (data && data !== "[DONE]") on(JSON.parse(data));
    }
    if (done) return;
  }
}
