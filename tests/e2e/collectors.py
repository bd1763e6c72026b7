"""What a client library makes of a stream, for each API that clients speak, and answers in a form that can be compared.

Collectors are written by the APIs' documentation and know nothing of the gateway. `library_*` are the accumulators of the
official client libraries, fed with the same events.
"""

import json
import re


def events(raw):
    """[(name, data)] of a body; data is parsed, but for [DONE]."""
    out = []
    for part in re.split(r"\n\n", raw.decode()):
        name, data = None, []
        for line in part.split("\n"):
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                data.append(line[6:])
        if data:
            text = "\n".join(data)
            out.append((name, text if text == "[DONE]" else json.loads(text)))
    return out


def join(into, delta):
    """As OpenAI's library accumulates a delta: texts are joined, numbered items found by their index."""
    for key, value in delta.items():
        old = into.get(key)
        if value is None:
            into.setdefault(key, None)
        elif old is None and not isinstance(value, list):
            into[key] = dict(value) if isinstance(value, dict) else value
        elif key in ("index", "type", "role", "id", "format"):
            into[key] = value
        elif isinstance(value, str):
            into[key] = old + value
        elif isinstance(value, dict):
            join(old, value)
        elif isinstance(value, list):
            into[key] = old or []
            for item in value:
                known = [x for x in into[key] if isinstance(item, dict) and "index" in item and x["index"] == item["index"]]
                if known:
                    join(known[0], item)
                else:
                    into[key].append(dict(item) if isinstance(item, dict) else item)
        else:
            into[key] = value
    return into


def chat(raw):
    choices, answer = {}, {}
    stream = events(raw)
    assert stream[-1][1] == "[DONE]", stream[-1]
    for _, c in stream[:-1]:
        answer.update({k: v for k, v in c.items() if k != "choices" and v is not None})
        for choice in c["choices"]:
            into = choices.setdefault(choice["index"], {"index": choice["index"], "message": {"role": "assistant"}, "finish_reason": None})
            join(into["message"], choice["delta"])
            join(into, {"logprobs": choice.get("logprobs")})
            into.update({k: v for k, v in choice.items() if k not in ("delta", "logprobs", "index") and v is not None})
    for choice in choices.values():
        for i, c in enumerate(choice["message"].get("tool_calls") or []):
            assert c.pop("index") == i
    return {**answer, "choices": [choices[i] for i in sorted(choices)]}


def completions(raw):
    choices, answer = {}, {}
    stream = events(raw)
    assert stream[-1][1] == "[DONE]", stream[-1]
    for _, c in stream[:-1]:
        answer.update({k: v for k, v in c.items() if k != "choices" and v is not None})
        for choice in c["choices"]:
            into = choices.setdefault(choice["index"], {"index": choice["index"], "text": "", "finish_reason": None,
                                                        "logprobs": None})
            into["text"] += choice["text"]
            into["finish_reason"] = choice["finish_reason"] or into["finish_reason"]
            if choice["logprobs"]:
                into["logprobs"] = {k: (into["logprobs"] or {}).get(k, []) + v for k, v in choice["logprobs"].items() if v}
    return {**answer, "choices": [choices[i] for i in sorted(choices)]}


def messages(raw):
    stream = events(raw)
    assert stream[0][0] == "message_start" and stream[-1][0] == "message_stop", (stream[0], stream[-1])
    answer, pieces = None, {}
    for name, e in stream:
        assert name == e["type"]
        if name == "message_start":
            answer = e["message"]
        elif name == "content_block_start":
            assert e["index"] == len(answer["content"])
            answer["content"].append(dict(e["content_block"]))
        elif name == "content_block_delta":
            block, d = answer["content"][e["index"]], e["delta"]
            if d["type"] == "input_json_delta":
                pieces[e["index"]] = pieces.get(e["index"], "") + d["partial_json"]
            elif d["type"] == "citations_delta":
                block["citations"] = (block.get("citations") or []) + [d["citation"]]
            else:
                for key in set(d) - {"type"}:
                    block[key] = block.get(key, "") + d[key]
        elif name == "message_delta":
            answer.update(e["delta"])
            answer["usage"].update(e["usage"])
            answer.update({k: v for k, v in e.items() if k not in ("type", "delta", "usage")})
    for index, text in pieces.items():
        if text:
            answer["content"][index]["input"] = json.loads(text)
    return answer


PARTS = {"response.output_text.delta": ("content", "text"), "response.refusal.delta": ("content", "refusal"),
         "response.reasoning_summary_text.delta": ("summary", "text"),
         "response.reasoning_text.delta": ("content", "text")}


def responses(raw):
    """The last event's response, which must be what the events before it add up to."""
    stream = events(raw)
    items = {}
    for number, (name, e) in enumerate(stream):
        assert name == e["type"] and e["sequence_number"] == number
        if name == "response.output_item.added":
            items[e["output_index"]] = e["item"]
        elif name in PARTS:
            place, member = PARTS[name]
            part = items[e["output_index"]][place][e.get("content_index", e.get("summary_index"))]
            part[member] += e["delta"]
            if e.get("logprobs"):
                part["logprobs"] = part.get("logprobs", []) + e["logprobs"]
        elif name in ("response.content_part.added", "response.reasoning_summary_part.added"):
            place = "content" if "content" in name else "summary"
            items[e["output_index"]].setdefault(place, []).append(e["part"])
        elif name in ("response.function_call_arguments.delta", "response.custom_tool_call_input.delta"):
            member = "arguments" if "arguments" in name else "input"
            items[e["output_index"]][member] = items[e["output_index"]].get(member, "") + e["delta"]
        elif name == "response.output_item.done":
            told, done = dict(items[e["output_index"]]), dict(e["item"])
            for key in ("status", "encrypted_content"):  # known at the end only
                told.pop(key, None), done.pop(key, None)
            assert told == done, (told, done)
            items[e["output_index"]] = e["item"]
    name, last = stream[-1]
    assert name in ("response.completed", "response.incomplete"), stream[-1]
    assert last["response"]["output"] == [items[i] for i in sorted(items)]
    return last["response"]


# Comparing

# Azure tells of its filter in a chunk that whole answers have no counterpart of.
UNSHARED = ("created", "created_at", "leeroo", "object", "prompt_filter_results")


def plain(value):
    """Without what two answers need not share: ids made here, times, what is absent or empty, how JSON is spelt."""
    if isinstance(value, dict):
        out = {k: plain(v) for k, v in value.items() if k not in UNSHARED}
        for key in ("arguments",):
            if isinstance(out.get(key), str) and out[key]:
                out[key] = json.loads(out[key])
        if str(out.get("id", "")).split("_")[0] in ("resp", "msg", "rs", "fc", "chatcmpl-1") or out.get("id") == "":
            del out["id"]
        return {k: v for k, v in out.items() if v not in (None, "", [], {})}
    return [plain(v) for v in value] if isinstance(value, list) else value


# The libraries' own

def library_chat(raw):
    from openai.lib.streaming.chat import ChatCompletionStreamState
    from openai.types.chat import ChatCompletionChunk
    state = ChatCompletionStreamState()
    for _, c in events(raw)[:-1]:
        state.handle_chunk(ChatCompletionChunk.construct(**c))
    return json.loads(state.current_completion_snapshot.to_json())


def library_messages(raw):
    from anthropic.lib.streaming._messages import accumulate_event
    from anthropic.types import RawMessageStreamEvent
    from anthropic._models import construct_type
    snapshot, bufs = None, {}
    for name, e in events(raw):
        if name != "ping":
            snapshot = accumulate_event(event=construct_type(type_=RawMessageStreamEvent, value=e),
                                        current_snapshot=snapshot, json_bufs=bufs)
    return json.loads(snapshot.to_json())
