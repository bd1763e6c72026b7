"""Streams as upstreams send them, each beside the whole answer that says the same.

Taken down from servers' documentation and from reports of what they really send, with the texts shortened. `events` are
the data of server-sent events; `whole` is the answer in one piece. `fronts` leaves out APIs that have no words for it.
"""

import json

CHAT, COMPLETIONS, RESPONSES, MESSAGES = "chat", "completions", "responses", "messages"
ALL = (CHAT, COMPLETIONS, RESPONSES, MESSAGES)


class Recording:
    def __init__(self, name, dialect, events, whole, fronts=ALL, n=1, done=True):
        self.name, self.dialect, self.events, self.whole = name, dialect, events, whole
        self.fronts, self.n, self.done = fronts, n, done

    def sse(self, line_end="\n", comments=False, cut=False):
        out = []
        for e in self.events + (["[DONE]"] if self.done and self.dialect == "openai" else []):
            if comments:
                out.append(": keep-alive" + line_end * 2)
            name = f"event: {e['type']}{line_end}" if self.dialect == "anthropic" else ""
            data = e if isinstance(e, str) else json.dumps(e, ensure_ascii=False)
            out.append(f"{name}data: {data}{line_end * 2}")
        return "".join(out).encode()[:-len(line_end) if cut else None]


HEAD = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1700000000, "model": "m-1",
        "system_fingerprint": "fp_1"}
USAGE = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150,
         "prompt_tokens_details": {"cached_tokens": 20}, "completion_tokens_details": {"reasoning_tokens": 7}}


def chunk(delta=None, finish=None, index=0, **more):
    return {**HEAD, "choices": [{"index": index, "delta": delta or {}, "finish_reason": finish, **more}]}


def usage(counts=None):
    return {**HEAD, "choices": [], "usage": counts or USAGE}


def role(**more):
    return chunk({"role": "assistant", "content": "", **more})


def call(index=None, id=None, name=None, arguments="", **more):
    c = {} if index is None else {"index": index}
    c |= {"id": id, "type": "function"} if id else {}
    return {**c, **more, "function": {**({"name": name} if name else {}), "arguments": arguments}}


def calls(*items):
    return chunk({"tool_calls": list(items)})


def completion(finish="stop", counts=None, choice=None, **message):
    return {**HEAD, "object": "chat.completion", "usage": counts or USAGE,
            "choices": [{"index": 0, "message": {"role": "assistant", "content": None, **message},
                         "finish_reason": finish, **(choice or {})}]}


def called(*items):
    return [{"id": id, "type": "function", **more, "function": {"name": name, "arguments": arguments}}
            for id, name, arguments, more in items]


TWO = completion("tool_calls", tool_calls=called(("c1", "f", '{"a":1}', {}), ("c2", "g", '{"b":"x y"}', {})))
END = [chunk({}, "tool_calls"), usage()]
LOGPROBS = [{"token": t, "logprob": p, "bytes": None, "top_logprobs": [{"token": t, "logprob": p, "bytes": None}]}
            for t, p in (("Hi", -0.25), (" there", -1.5), ("é", -0.01))]
DETAILS = [{"type": "reasoning.text", "text": "First, then", "format": "unknown", "index": 0, "signature": "SIG="},
           {"type": "reasoning.encrypted", "data": "ENC==", "format": "x", "index": 1}]


def logprob(*tokens):
    return {"logprobs": {"content": list(tokens), "refusal": None}}


OPENAI = [
    Recording("text", "openai",
              [role(), chunk({"content": "Hello"}), chunk({"content": ' "wörld"\n'}), chunk({"content": "\u2028 \\ 😀"}),
               chunk({}, "stop"), usage()],
              completion(content='Hello "wörld"\n\u2028 \\ 😀')),
    Recording("blank finish reasons, role in every chunk", "openai",
              [chunk({"role": "assistant", "content": "Hel"}, ""), chunk({"role": "assistant", "content": "lo"}, ""),
               chunk({"role": "assistant", "content": ""}, "stop"), usage()],
              completion(content="Hello")),
    Recording("usage with the last choice, no end mark", "openai",
              [role(), chunk({"content": "Hello"}), {**chunk({}, "stop"), "usage": USAGE}],
              completion(content="Hello"), done=False),
    Recording("usage in every chunk, zeros at the end", "openai",
              [{**chunk({"content": "Hel"}), "usage": {"prompt_tokens": 100, "completion_tokens": 1}},
               {**chunk({"content": "lo"}), "usage": USAGE}, chunk({}, "stop"),
               usage({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0})],
              completion(content="Hello")),
    Recording("a whole answer as an event", "openai",
              [{**completion(content="Hello", tool_calls=called(("c1", "f", '{"a":1}', {}))),
                "object": "chat.completion.chunk"}],
              completion(content="Hello", tool_calls=called(("c1", "f", '{"a":1}', {}))),
              fronts=(CHAT, RESPONSES, MESSAGES)),
    Recording("arguments that are objects", "openai",
              [role(), chunk({"tool_calls": [{"index": 0, "id": "c1", "type": "function",
                                              "function": {"name": "f", "arguments": {"a": 1}}}]}), *END],
              completion("tool_calls", tool_calls=[{"id": "c1", "type": "function",
                                                    "function": {"name": "f", "arguments": {"a": 1}}}]),
              fronts=(CHAT, RESPONSES, MESSAGES)),
    Recording("cut off by a limit", "openai", [role(), chunk({"content": "Hel"}), chunk({}, "length"), usage()],
              completion("length", content="Hel")),
    Recording("filtered", "openai", [role(), chunk({"content": "Hel"}), chunk({}, "content_filter"), usage()],
              completion("content_filter", content="Hel")),
    Recording("refusal", "openai", [role(refusal=None), chunk({"refusal": "I can"}), chunk({"refusal": "not."}),
                                    chunk({}, "stop"), usage()],
              completion(refusal="I cannot."), fronts=(CHAT, RESPONSES, MESSAGES, COMPLETIONS)),
    Recording("an empty answer", "openai", [role(), chunk({}, "stop"), usage()], completion(content="")),
    Recording("logprobs", "openai",
              [role(), chunk({"content": "Hi"}, **logprob(LOGPROBS[0])),
               chunk({"content": " thereé"}, **logprob(*LOGPROBS[1:])), chunk({}, "stop"), usage()],
              completion(content="Hi thereé", choice=logprob(*LOGPROBS))),
    Recording("two choices", "openai",
              [role(), chunk({"role": "assistant", "content": ""}, index=1), chunk({"content": "a"}),
               chunk({"content": "b"}, index=1), chunk({"content": "A"}), chunk({}, "stop"),
               chunk({"content": "B"}, index=1), chunk({}, "length", index=1), usage()],
              {**completion(), "choices": [
                  {"index": 0, "message": {"role": "assistant", "content": "aA"}, "finish_reason": "stop"},
                  {"index": 1, "message": {"role": "assistant", "content": "bB"}, "finish_reason": "length"}]},
              fronts=(CHAT, COMPLETIONS), n=2),
    Recording("Azure's filters", "openai",
              [{**HEAD, "id": "", "choices": [], "prompt_filter_results": [{"prompt_index": 0}]}, role(),
               chunk({"content": "Hello"}, content_filter_results={"hate": {"filtered": False}}),
               chunk({}, "stop", content_filter_results={}), usage()],
              completion(content="Hello")),
    Recording("one tool call", "openai",
              [role(), calls(call(0, "c1", "f")), calls(call(0, arguments='{"a"')), calls(call(0, arguments=':1}')), *END],
              completion("tool_calls", tool_calls=called(("c1", "f", '{"a":1}', {}))), fronts=(CHAT, RESPONSES, MESSAGES)),
    Recording("text and parallel calls", "openai",
              [role(), chunk({"content": "I look"}), calls(call(0, "c1", "f")), calls(call(0, arguments='{"a":1}')),
               calls(call(1, "c2", "g")), calls(call(1, arguments='{"b":')), calls(call(1, arguments='"x y"}')), *END],
              {**TWO, "choices": [{**TWO["choices"][0],
                                   "message": {**TWO["choices"][0]["message"], "content": "I look"}}]},
              fronts=(CHAT, RESPONSES, MESSAGES)),
    Recording("interleaved calls", "openai",
              [role(), calls(call(0, "c1", "f"), call(1, "c2", "g")), calls(call(0, arguments='{"a"')),
               calls(call(1, arguments='{"b":')), calls(call(0, arguments=":1}"), call(1, arguments='"x y"}')), *END],
              TWO, fronts=(CHAT, RESPONSES, MESSAGES)),
    Recording("whole calls in one chunk, without an index", "openai",
              [calls(call(None, "c1", "f", '{"a":1}'), call(None, "c2", "g", '{"b":"x y"}')), *END],
              TWO, fronts=(CHAT, RESPONSES, MESSAGES)),
    Recording("pieces of calls without an index", "openai",
              [role(), calls(call(None, "c1", "f", '{"a"')), calls(call(arguments=":1}")),
               calls(call(None, "c2", "g", '{"b":')), calls(call(arguments='"x y"}')), *END],
              TWO, fronts=(CHAT, RESPONSES, MESSAGES)),
    Recording("all calls under index 0", "openai",
              [calls(call(0, "c1", "f", '{"a":1}')), calls(call(0, "c2", "g", '{"b":')), calls(call(0, arguments='"x y"}')),
               *END], TWO, fronts=(CHAT, RESPONSES, MESSAGES)),
    Recording("calls numbered from 1", "openai",
              [calls(call(1, "c1", "f")), calls(call(2, "c2", "g")), calls(call(1, arguments='{"a":1}')),
               calls(call(2, arguments='{"b":"x y"}')), *END], TWO, fronts=(CHAT, RESPONSES, MESSAGES)),
    Recording("id and name in every piece", "openai",
              [calls(call(0, "c1", "f", '{"a"')), calls(call(0, "c1", "f", ":1}")), calls(call(1, "c2", "g", '{"b":')),
               calls(call(1, "c2", "g", '"x y"}')), *END], TWO, fronts=(CHAT, RESPONSES, MESSAGES)),
    Recording("another id in every piece", "openai",
              [calls(call(0, "c1", "f", '{"a"')), calls(call(0, "zz", None, ":1}")), calls(call(1, "c2", "g", '{"b":')),
               calls({"index": 1, "id": None, "type": None, "function": {"name": None, "arguments": '"x y"}'}}), *END],
              TWO, fronts=(CHAT, RESPONSES, MESSAGES)),
    Recording("DeepSeek's reasoning", "openai",
              [chunk({"role": "assistant", "content": None, "reasoning_content": ""}),
               chunk({"content": None, "reasoning_content": "First, "}), chunk({"content": None, "reasoning_content": "then"}),
               chunk({"content": "Hel", "reasoning_content": None}), chunk({"content": "lo", "reasoning_content": None}),
               chunk({"content": "", "reasoning_content": None}, "stop"), usage()],
              completion(content="Hello", reasoning_content="First, then")),
    Recording("OpenRouter's reasoning", "openai",
              [role(),
               chunk({"content": "", "reasoning": "First, ", "reasoning_details": [
                   {"type": "reasoning.text", "text": "First, ", "format": "unknown", "index": 0}]}),
               chunk({"content": "", "reasoning": "then", "reasoning_details": [
                   {"type": "reasoning.text", "text": "then", "format": "unknown", "index": 0}]}),
               chunk({"content": "", "reasoning_details": [
                   {"type": "reasoning.text", "signature": "SIG=", "format": "unknown", "index": 0},
                   {"type": "reasoning.encrypted", "data": "ENC==", "format": "x", "index": 1}]}),
               chunk({"content": "Hello"}), chunk({}, "stop", native_finish_reason="end_turn"), usage()],
              completion(content="Hello", reasoning="First, then", reasoning_details=DETAILS,
                         choice={"native_finish_reason": "end_turn"})),
    Recording("OpenRouter's reasoning before a call", "openai",
              [role(), chunk({"content": "", "reasoning": "First, then", "reasoning_details": [
                  {"type": "reasoning.text", "text": "First, ", "format": "unknown", "index": 0}]}),
               chunk({"reasoning_details": [{"type": "reasoning.text", "text": "then", "index": 0}]}),
               calls(call(0, "c1", "f", '{"a":1}')), chunk({"reasoning_details": [
                   {"type": "reasoning.text", "signature": "SIG=", "format": "unknown", "index": 0},
                   {"type": "reasoning.encrypted", "data": "ENC==", "format": "x", "index": 1}]}), *END],
              completion("tool_calls", reasoning="First, then", reasoning_details=DETAILS,
                         tool_calls=called(("c1", "f", '{"a":1}', {}))), fronts=(CHAT, MESSAGES)),
    # Chat clients get both as they are: what LiteLLM's protocol makes of a list, its clients know.
    Recording("LiteLLM's thinking blocks", "openai",
              [role(), *(chunk({"content": "", "reasoning_content": t, "thinking_blocks": [
                  {"type": "thinking", "thinking": t, "signature": ""}]}) for t in ("First, ", "then")),
               chunk({"content": "", "thinking_blocks": [{"type": "thinking", "thinking": "", "signature": "SIG="}]}),
               chunk({"content": "Hello"}), chunk({}, "stop"), usage()],
              completion(content="Hello", reasoning_content="First, then", thinking_blocks=[
                  {"type": "thinking", "thinking": "First, then", "signature": "SIG="}]),
              fronts=(COMPLETIONS, RESPONSES, MESSAGES)),
    Recording("two thinking blocks", "openai",
              [role(), chunk({"reasoning_content": "One"}), chunk({"thinking_blocks": [
                  {"type": "thinking", "thinking": "One", "signature": "S1"}]}), chunk({"thinking_blocks": [
                      {"type": "redacted_thinking", "data": "DATA"}]}), chunk({"reasoning_content": "Two"}),
               chunk({"thinking_blocks": [{"type": "thinking", "thinking": "Two", "signature": "S2"}]}),
               chunk({"content": "Hello"}), chunk({}, "stop"), usage()],
              completion(content="Hello", reasoning_content="OneTwo", thinking_blocks=[
                  {"type": "thinking", "thinking": "One", "signature": "S1"}, {"type": "redacted_thinking", "data": "DATA"},
                  {"type": "thinking", "thinking": "Two", "signature": "S2"}]),
              fronts=(COMPLETIONS, RESPONSES, MESSAGES)),
    Recording("Gemini's thought signatures", "openai",
              [calls(call(0, "c1", "f", '{"a":1}', extra_content={"google": {"thought_signature": "TS=="}})),
               calls(call(1, "c2", "g", '{"b":"x y"}')), *END],
              completion("tool_calls", tool_calls=called(
                  ("c1", "f", '{"a":1}', {"extra_content": {"google": {"thought_signature": "TS=="}}}),
                  ("c2", "g", '{"b":"x y"}', {}))), fronts=(CHAT, RESPONSES, MESSAGES)),
]

START = {"type": "message_start", "message": {
    "id": "msg_1", "type": "message", "role": "assistant", "model": "c-1", "content": [], "stop_reason": None,
    "stop_sequence": None, "usage": {"input_tokens": 80, "cache_read_input_tokens": 20, "cache_creation_input_tokens": 0,
                                     "output_tokens": 1}}}
COUNTS = {"input_tokens": 80, "cache_read_input_tokens": 20, "cache_creation_input_tokens": 0, "output_tokens": 50}


def block(index, begun, *deltas):
    return [{"type": "content_block_start", "index": index, "content_block": begun}] + [
        {"type": "content_block_delta", "index": index, "delta": d} for d in deltas] + [
        {"type": "content_block_stop", "index": index}]


def text_delta(text):
    return {"type": "text_delta", "text": text}


def input_delta(text):
    return {"type": "input_json_delta", "partial_json": text}


def finish(reason, sequence=None):
    return [{"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": sequence},
             "usage": {"output_tokens": 50}}, {"type": "message_stop"}]


def message(reason, *content, sequence=None):
    return {**START["message"], "content": list(content), "stop_reason": reason, "stop_sequence": sequence, "usage": COUNTS}


TEXT = {"type": "text", "text": ""}
THINKING = {"type": "thinking", "thinking": "", "signature": ""}
CITED = [{"type": "char_location", "cited_text": "x", "document_index": i} for i in (0, 1)]


def thinking(index, *pieces, signature="SIG=="):
    return block(index, THINKING, *({"type": "thinking_delta", "thinking": p} for p in pieces),
                 {"type": "signature_delta", "signature": signature})


ANTHROPIC = [
    Recording("text", "anthropic",
              [START, {"type": "ping"}, *block(0, TEXT, text_delta("Hello"), text_delta(' "wörld"\n😀')), *finish("end_turn")],
              message("end_turn", {"type": "text", "text": 'Hello "wörld"\n😀'})),
    Recording("cut off by a limit", "anthropic", [START, *block(0, TEXT, text_delta("Hel")), *finish("max_tokens")],
              message("max_tokens", {"type": "text", "text": "Hel"})),
    Recording("ended by a sequence", "anthropic",
              [START, *block(0, TEXT, text_delta("Hel")), *finish("stop_sequence", "lo")],
              message("stop_sequence", {"type": "text", "text": "Hel"}, sequence="lo")),
    Recording("an empty answer", "anthropic", [START, *finish("end_turn")], message("end_turn")),
    Recording("signed thinking", "anthropic",
              [START, *thinking(0, "First, ", "then"), *block(1, TEXT, text_delta("Hello")), *finish("end_turn")],
              message("end_turn", {"type": "thinking", "thinking": "First, then", "signature": "SIG=="},
                      {"type": "text", "text": "Hello"})),
    Recording("thinking twice, and in secret", "anthropic",
              [START, *thinking(0, "One", signature="S1"), *block(1, {"type": "redacted_thinking", "data": "DATA"}),
               *thinking(2, "T", "wo", signature="S2"),
               *block(3, {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}, input_delta('{"a"'),
                      input_delta(":1}")), *finish("tool_use")],
              message("tool_use", {"type": "thinking", "thinking": "One", "signature": "S1"},
                      {"type": "redacted_thinking", "data": "DATA"},
                      {"type": "thinking", "thinking": "Two", "signature": "S2"},
                      {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}}),
              fronts=(CHAT, RESPONSES, MESSAGES)),
    Recording("thinking that is not shown", "anthropic",
              [START, *thinking(0), *block(1, TEXT, text_delta("Hello")), *finish("end_turn")],
              message("end_turn", {"type": "thinking", "thinking": "", "signature": "SIG=="},
                      {"type": "text", "text": "Hello"})),
    Recording("parallel calls, one without arguments", "anthropic",
              [START, *block(0, TEXT, text_delta("I look")),
               *block(1, {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}),
               *block(2, {"type": "tool_use", "id": "toolu_2", "name": "g", "input": {}}, input_delta(""),
                      input_delta('{"b": "x y"}')), *finish("tool_use")],
              message("tool_use", {"type": "text", "text": "I look"},
                      {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}},
                      {"type": "tool_use", "id": "toolu_2", "name": "g", "input": {"b": "x y"}}),
              fronts=(CHAT, RESPONSES, MESSAGES)),
    Recording("input that comes at once", "anthropic",
              [START, *block(0, {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}}), *finish("tool_use")],
              message("tool_use", {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}}),
              fronts=(CHAT, RESPONSES, MESSAGES)),
    Recording("no last event", "anthropic",
              [START, *block(0, TEXT, text_delta("Hello")), finish("end_turn")[0]],
              message("end_turn", {"type": "text", "text": "Hello"})),
    Recording("thinking in two blocks that nobody signed", "anthropic",
              [START, *block(0, {"type": "thinking", "thinking": ""}, {"type": "thinking_delta", "thinking": "One"}),
               *block(1, TEXT, text_delta("Hello")), *finish("end_turn")],
              message("end_turn", {"type": "thinking", "thinking": "One"}, {"type": "text", "text": "Hello"})),
    Recording("citations", "anthropic",
              [START, *block(0, {**TEXT, "citations": []}, text_delta("Hel"), {"type": "citations_delta", "citation": CITED[0]},
                             text_delta("lo"), {"type": "citations_delta", "citation": CITED[1]}), *finish("end_turn")],
              message("end_turn", {"type": "text", "text": "Hello", "citations": CITED})),
    Recording("a search of its own", "anthropic",
              [START, *block(0, {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}},
                             input_delta('{"query":'), input_delta('"q"}')),
               *block(1, {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [{"url": "u"}]}),
               *block(2, TEXT, text_delta("Found")), *finish("end_turn")],
              message("end_turn", {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search",
                                   "input": {"query": "q"}},
                      {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [{"url": "u"}]},
                      {"type": "text", "text": "Found"})),
]

RECORDINGS = OPENAI + ANTHROPIC
