"""Recorded sessions: reading and writing their files, and what of an answer must stay the same. README.md has the format."""

import json
import re
from pathlib import Path

FOLDER = Path(__file__).parent
LISTS = ("input", "messages")  # members that grow from request to request


def names():
    return sorted(p.stem for p in FOLDER.glob("*.json"))


# Files

def packed(bodies):
    """Each body by what is new in it."""
    before = {}
    for body in bodies:
        out = {}
        for key, value in body.items():
            if key in LISTS and isinstance(value, list) and isinstance(before.get(key), list):
                same = 0
                while same < min(len(value), len(before[key])) and value[same] == before[key][same]:
                    same += 1
                out[key] = {"as_before": same, "then": value[same:]} if same else value
            elif key in before and before[key] == value:
                out.setdefault("as_before", []).append(key)
            else:
                out[key] = value
        before = body
        yield out


def unpacked(bodies):
    before = {}
    for body in bodies:
        out = {key: before[key] for key in body.get("as_before", [])}
        for key, value in body.items():
            if key in LISTS and isinstance(value, dict):
                out[key] = before[key][:value["as_before"]] + value["then"]
            elif key != "as_before":
                out[key] = value
        before = out
        yield out


def load(name):
    session = json.loads((FOLDER / f"{name}.json").read_text())
    for request, body in zip(session["requests"], unpacked([r["body"] for r in session["requests"]])):
        request["body"] = body
    return session


def save(name, session):
    bodies = packed([r["body"] for r in session["requests"]])
    requests = [{**r, "body": body} for r, body in zip(session["requests"], bodies)]
    (FOLDER / f"{name}.json").write_text(json.dumps({**session, "requests": requests}, indent=1, ensure_ascii=False) + "\n")


# Answers

IDS = re.compile(r"\b(resp|msg|rs|fc|ctc|lsh|sh|apc|tsc|req|call|toolu)_[0-9a-f]{20,}")


def without_ids(value):
    return json.loads(IDS.sub(r"\1_ID", json.dumps(value)))


def events_of(text):
    """Server-sent events as (type, object)."""
    for block in text.split("\n\n"):
        data = "\n".join(line[5:].strip() for line in block.split("\n") if line.startswith("data:"))
        if data and data != "[DONE]":
            event = json.loads(data)
            yield event.get("type", event.get("object", "event")), event


def kinds_of(events):
    """Types of events, those in a row counted: "response.output_text.delta x3"."""
    out = []
    for kind, _ in events:
        if out and out[-1][0] == kind:
            out[-1][1] += 1
        else:
            out.append([kind, 1])
    return [kind if count == 1 else f"{kind} x{count}" for kind, count in out]


def message_of(events):
    """A streamed message, as the whole one would be."""
    message = {"content": []}
    for kind, event in events:
        if kind == "message_start":
            message = event["message"]
        elif kind == "content_block_start":
            message["content"].append(dict(event["content_block"]))
        elif kind == "content_block_delta":
            block, delta = message["content"][event["index"]], event["delta"]
            part = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature",
                    "input_json_delta": "partial_json"}[delta["type"]]
            block[part] = block.get(part, "") + delta[part]
        elif kind == "message_delta":
            message.update(event["delta"])
            message["usage"] = {**message["usage"], **event["usage"]}
    for block in message["content"]:
        if "partial_json" in block:
            block["input"] = json.loads(block.pop("partial_json"))
    return message


KEPT = {"response": ("status", "output", "incomplete_details", "error", "usage"),
        "message": ("content", "stop_reason", "stop_sequence", "usage", "error")}


def answer_of(path, response):
    """What must stay the same of an answer, whole or streamed: the same for both."""
    kind = "message" if path.partition("?")[0].endswith("/messages") else "response"
    if "event-stream" in response.headers.get("content-type", ""):
        events = list(events_of(response.text))
        whole = message_of(events) if kind == "message" else events[-1][1].get("response", events[-1][1])
    else:
        whole = response.json()
    if response.status_code != 200:
        return without_ids(whole)
    return without_ids({key: whole.get(key) for key in KEPT[kind]})


# What experts are asked

def said(text):
    return text if len(text) <= 40 else f"{text[:40]}... ({len(text)})"


def parts_of(content):
    if content is None or isinstance(content, str):
        return [said(content)] if content else []
    out = []
    for part in content:
        if part["type"] == "text":
            out.append(said(part["text"]))
        elif part["type"] == "tool_use":
            out.append(f"call {part['name']}")
        elif part["type"] == "tool_result":
            out.append(f"result: {' + '.join(parts_of(part.get('content')))}")
        elif part["type"] == "thinking":
            out.append(f"thinks: {said(part['thinking'])}")
        else:
            out.append(part["type"])
    return out


def asked_of(body):
    """A request to an expert in a few lines: who says what, and which tools there are."""
    lines = [f"system: {' + '.join(parts_of(body['system']))}"] if body.get("system") else []
    for m in body["messages"]:
        parts = parts_of(m.get("content")) + [f"call {c['function']['name']}" for c in m.get("tool_calls") or []]
        thought = m.get("reasoning_content") or m.get("reasoning")
        lines.append(f"{m['role']}: " + " + ".join(([f"thinks: {said(thought)}"] if thought else []) + parts))
    tools = [(t.get("function") or t).get("name", t.get("type")) for t in body.get("tools", [])]
    others = sorted(k for k in body if k not in ("messages", "system", "tools"))
    return {"says": lines, "tools": " ".join(tools), "members": " ".join(others)}
