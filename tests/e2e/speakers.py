"""An upstream behaviour that speaks whichever dialect it is asked in: OpenAI's chat completions or Anthropic's messages,
whole or streamed. With tools it calls get_weather first, and answers once it has the tool's result."""

import json

from upstream import delta

CALL = {"city": "Paris"}
WEATHER = "sunny, 21 degrees"
USAGE = (30, 12)


def has_result(r):
    if r.target.split()[1].endswith("/messages"):
        return any(b.get("type") == "tool_result" for m in r.json["messages"] if isinstance(m["content"], list) for b in m["content"])
    return any(m["role"] == "tool" for m in r.json["messages"])


def named(r, name, obj):
    r.chunk(f"event: {name}\ndata: {json.dumps(obj)}\n\n".encode())


def anthropic(r, text):
    call = r.json.get("tools") and not has_result(r)
    block = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": CALL} if call else {"type": "text", "text": text}
    stop = "tool_use" if call else "end_turn"
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": r.json["model"], "content": [block],
               "stop_reason": stop, "stop_sequence": None, "usage": {"input_tokens": USAGE[0], "output_tokens": USAGE[1]}}
    if not r.json.get("stream"):
        r.whole(200, message)
        return
    r.head(content_type="text/event-stream")
    named(r, "message_start", {"type": "message_start", "message": {**message, "content": [], "stop_reason": None,
                                                                     "usage": {"input_tokens": USAGE[0], "output_tokens": 1}}})
    start = {**block, "input": {}} if call else {**block, "text": ""}
    named(r, "content_block_start", {"type": "content_block_start", "index": 0, "content_block": start})
    named(r, "ping", {"type": "ping"})
    pieces = [json.dumps(CALL)[:6], json.dumps(CALL)[6:]] if call else [w + " " for w in text.split(" ")]
    for piece in pieces:
        d = {"type": "input_json_delta", "partial_json": piece} if call else {"type": "text_delta", "text": piece}
        named(r, "content_block_delta", {"type": "content_block_delta", "index": 0, "delta": d})
    named(r, "content_block_stop", {"type": "content_block_stop", "index": 0})
    named(r, "message_delta", {"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": None},
                               "usage": {"output_tokens": USAGE[1]}})
    named(r, "message_stop", {"type": "message_stop"})
    r.end()


def openai(r, text):
    call = r.json.get("tools") and not has_result(r)
    function = {"name": "get_weather", "arguments": json.dumps(CALL)}
    message = {"role": "assistant", "content": None if call else text}
    if call:
        message["tool_calls"] = [{"id": "call_1", "type": "function", "function": function}]
    usage = {"prompt_tokens": USAGE[0], "completion_tokens": USAGE[1], "total_tokens": sum(USAGE)}
    stop = "tool_calls" if call else "stop"
    if not r.json.get("stream"):
        r.whole(200, {"id": "c1", "object": "chat.completion", "created": 1, "model": r.json["model"],
                      "choices": [{"index": 0, "message": message, "finish_reason": stop}], "usage": usage})
        return
    r.head(content_type="text/event-stream")

    def send(d, finish=None):
        r.event({**delta(), "choices": [{"index": 0, "delta": d, "finish_reason": finish}]})
    send({"role": "assistant", "content": None if call else ""})
    if call:
        send({"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": ""}}]})
        for piece in (function["arguments"][:6], function["arguments"][6:]):
            send({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]})
    else:
        for word in text.split(" "):
            send({"content": word + " "})
    send({}, stop)
    r.event({**delta(), "choices": [], "usage": usage})
    r.event(b"[DONE]")
    r.end()


def speak(text="hello world"):
    def behave(r):
        (anthropic if r.target.split()[1].endswith("/messages") else openai)(r, text)
    return behave


def refuse(status, message, kind="invalid_request_error", headers=()):
    """An error in the words of the dialect."""
    def behave(r):
        if r.target.split()[1].endswith("/messages"):
            r.whole(status, {"type": "error", "error": {"type": kind, "message": message}}, headers)
        else:
            r.whole(status, {"error": {"message": message, "type": kind, "param": None, "code": None}}, headers)
    return behave
