"""An expert that plays a script, in whichever dialect it is asked: what it says is written once, for chat completions and
Messages, whole and streamed. A turn of a script is a dictionary:

    reasoning   what it thinks aloud first (a chat expert's reasoning_content; Anthropic's thinking, with a signature)
    text        what it says
    calls       [{"id", "name", "arguments"}] that it makes then; arguments are an object, or a text that is sent as it is
    status      it refuses instead, with this status
    stall       true: it begins to speak, and then says nothing more until the client hangs up
"""

import json
import threading

USAGE = (30, 12)
SIGNATURE = "c2lnbmVk"
PIECE = 24  # characters of a delta


def pieces(text):
    return [text[i:i + PIECE] for i in range(0, len(text), PIECE)]


def arguments_of(call):
    return call["arguments"] if isinstance(call["arguments"], str) else json.dumps(call["arguments"])


def wants_messages(r):
    return r.target.split()[1].partition("?")[0].endswith("/messages")


# Chat completions

def chat_message(turn):
    message = {"role": "assistant", "content": turn.get("text")}
    if turn.get("reasoning"):
        message["reasoning_content"] = turn["reasoning"]
    if turn.get("calls"):
        message["tool_calls"] = [{"id": c["id"], "type": "function",
                                  "function": {"name": c["name"], "arguments": arguments_of(c)}} for c in turn["calls"]]
    return message


def chat_deltas(turn):
    yield {"role": "assistant", "content": ""}
    for piece in pieces(turn.get("reasoning", "")):
        yield {"reasoning_content": piece}
    for piece in pieces(turn.get("text") or ""):
        yield {"content": piece}
    for i, call in enumerate(turn.get("calls", [])):
        yield {"tool_calls": [{"index": i, "id": call["id"], "type": "function",
                               "function": {"name": call["name"], "arguments": ""}}]}
        for piece in pieces(arguments_of(call)):
            yield {"tool_calls": [{"index": i, "function": {"arguments": piece}}]}


def speak_chat(r, turn):
    finish = "tool_calls" if turn.get("calls") else "stop"
    head = {"id": "c1", "created": 1, "model": r.json["model"]}
    usage = {"prompt_tokens": USAGE[0], "completion_tokens": USAGE[1], "total_tokens": sum(USAGE)}
    if not r.json.get("stream"):
        r.whole(200, {**head, "object": "chat.completion", "usage": usage, "choices": [
            {"index": 0, "message": chat_message(turn), "finish_reason": finish}]})
        return

    def send(choices, **more):
        r.event({**head, "object": "chat.completion.chunk", "choices": choices, **more})
    r.head(content_type="text/event-stream")
    for delta in chat_deltas(turn):
        send([{"index": 0, "delta": delta, "finish_reason": None}])
    if turn.get("stall"):
        r.wait_for_hangup(30)
        return
    send([{"index": 0, "delta": {}, "finish_reason": finish}])
    send([], usage=usage)
    r.event(b"[DONE]")
    r.end()


# Messages

def blocks_of(turn):
    if turn.get("reasoning"):
        yield {"type": "thinking", "thinking": turn["reasoning"], "signature": SIGNATURE}
    if turn.get("text"):
        yield {"type": "text", "text": turn["text"]}
    for call in turn.get("calls", []):
        yield {"type": "tool_use", "id": call["id"], "name": call["name"], "input": json.loads(arguments_of(call))}


def block_events(block):
    """What a block is as it begins, and its deltas."""
    if block["type"] == "thinking":
        deltas = [{"type": "thinking_delta", "thinking": p} for p in pieces(block["thinking"])]
        return {**block, "thinking": "", "signature": ""}, deltas + [{"type": "signature_delta", "signature": block["signature"]}]
    if block["type"] == "text":
        return {**block, "text": ""}, [{"type": "text_delta", "text": p} for p in pieces(block["text"])]
    return {**block, "input": {}}, [{"type": "input_json_delta", "partial_json": p} for p in pieces(json.dumps(block["input"]))]


def speak_messages(r, turn):
    stop = "tool_use" if turn.get("calls") else "end_turn"
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": r.json["model"], "content": list(blocks_of(turn)),
               "stop_reason": stop, "stop_sequence": None, "usage": {"input_tokens": USAGE[0], "output_tokens": USAGE[1]}}
    if not r.json.get("stream"):
        r.whole(200, message)
        return

    def send(kind, **more):
        r.chunk(f"event: {kind}\ndata: {json.dumps({'type': kind, **more})}\n\n".encode())
    r.head(content_type="text/event-stream")
    send("message_start", message={**message, "content": [], "stop_reason": None,
                                   "usage": {"input_tokens": USAGE[0], "output_tokens": 1}})
    for i, block in enumerate(message["content"]):
        begun, deltas = block_events(block)
        send("content_block_start", index=i, content_block=begun)
        for delta in deltas:
            send("content_block_delta", index=i, delta=delta)
        if turn.get("stall"):
            r.wait_for_hangup(30)
            return
        send("content_block_stop", index=i)
    send("message_delta", delta={"stop_reason": stop, "stop_sequence": None}, usage={"output_tokens": USAGE[1]})
    send("message_stop")
    r.end()


def speak(r, turn):
    if turn.get("status"):
        error = {"type": "api_error", "message": "the script says so"}
        r.whole(turn["status"], {"type": "error", "error": error} if wants_messages(r) else {"error": {**error, "param": None, "code": None}})
    else:
        (speak_messages if wants_messages(r) else speak_chat)(r, turn)


class Script:
    """What all experts of a pool say, turn by turn. A request behind the last turn gets the last one again."""

    def __init__(self, turns, experts=()):
        self.turns, self.at, self.lock, self.asked = turns, 0, threading.Lock(), []
        self.down = set()  # experts that refuse, so that another one takes the turn
        self.experts = experts

    def __call__(self, r):
        with self.lock:
            self.asked.append(r)
            if r.json["model"] in self.down:
                turn = {"status": 503}
            else:
                turn = self.turns[min(self.at, len(self.turns) - 1)]
                self.at += 1
        speak(r, turn)
