"""Plans in the gateway: asked in parallel, cancelled when no longer needed, every call paid. The upstreams are mocks
whose answers are a letter each; the model is trained on a data set where a panel of the two cheap experts pays."""

import concurrent.futures
import json
import random
import re
import socket
import subprocess
import time
from decimal import ROUND_HALF_UP, Decimal

import httpx
import pytest

from conftest import Gateway, write_config
from upstream import answer, cut_mid_stream, stall, stall_mid_stream, status

EXPERTS = {"cheap": ("1", "1"), "mid": ("2", "2"), "dear": ("50", "100")}
PANEL = "panel(cheap,mid→dear)"
LABEL = PANEL.replace("→", "->")
LEARNT = LABEL + ";cascade(cheap->dear)"
QUESTION = "which animal is it, hello?\nA. a cat\nB. a dog\nC. a cow\nD. a horse"
POLICIES = f"""
policies:
  default: {{lambda: AGREE, plans: ["{LABEL}"]}}
  trust: {{lambda: TRUST, plans: ["ESCALATED"]}}
  off: {{lambda: AGREE, plans: none}}
  cascades: {{lambda: CASCADE, plans: cascade}}
  two: {{lambda: AGREE, experts: [cheap, mid]}}
"""
LAMBDAS = [round(10 ** (k / 8), 3) for k in range(-8, 28)]
NANO = Decimal("0.000000001")


def write_dataset(folder):
    """The cheap ones err now and then, each in its own way; who agree are right. The dear one errs, too."""
    rng = random.Random(11)
    words = "hello sum two colour cat king empire treaty matrix ring".split()
    queries, outcomes = [], ["id,model,score,cost_usd,input_tokens,output_tokens"]
    responses = {name: [] for name in EXPERTS}
    for i in range(900):
        text = " ".join(rng.choices(words, k=6)) + f" {rng.randrange(10 ** 6)}?"
        queries.append({"id": f"q{i}", "text": text, "choices": ["a", "b", "c", "d"], "answer": rng.choice("ABCD")})
        right = queries[-1]["answer"]
        for name in EXPERTS:
            good = rng.random() < {"cheap": 0.75, "mid": 0.75, "dear": 0.85}[name]
            says = right if good else rng.choice([c for c in "ABCD" if c != right])
            cost = sum(t * Decimal(p) for t, p in zip((30, 40), EXPERTS[name])) / 1_000_000
            outcomes.append(f"q{i},{name},{int(good)},{cost:.9f},30,40")
            responses[name].append(json.dumps({"id": f"q{i}", "text": f"Well, think. The answer is ({says})."}))
    (folder / "responses").mkdir(parents=True)
    for name, lines in responses.items():
        (folder / "responses" / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "queries.jsonl").write_text("".join(json.dumps(q) + "\n" for q in queries))
    (folder / "outcomes.csv").write_text("\n".join(outcomes) + "\n")
    rows = [f"{n},{i},{o}" for n, (i, o) in EXPERTS.items()]
    (folder / "experts.csv").write_text("model,usd_per_m_input,usd_per_m_output\n" + "\n".join(rows) + "\n")
    return folder


def share_of(name):
    """"panel(cheap,mid→dear ~30%)": 30; 0 of a plan that goes by agreement"""
    found = re.search(r"~(\d+)%", name)
    return int(found.group(1)) if found else 0


@pytest.fixture(scope="session")
def plan_model(leeroo, tmp_path_factory):
    folder = tmp_path_factory.mktemp("plans")
    path = folder / "m.leeroo"
    subprocess.run([leeroo, "train", str(write_dataset(folder / "data")), "-o", str(path), "--plans", LEARNT],
                   check=True, capture_output=True, timeout=300)
    return path


@pytest.fixture(scope="session")
def lambdas(leeroo, plan_model, tmp_path_factory):
    """What stands for itself in POLICIES: a panel with an escalation, and lambdas in the middle of those at which QUESTION
    goes to that, to the panel that goes by agreement, and to a cascade."""
    none = subprocess.run([leeroo, "route", str(plan_model), "--plans", "panel(dear,mid->cheap)"], input="",
                          capture_output=True, text=True, timeout=60).stderr
    escalated = next(name for name in none.split("; ") if name.startswith("panel") and 25 <= share_of(name) <= 45)
    rows = [f"  l{k}: {{lambda: {x}, plans: [\"{LABEL}\"]}}\n"
            f"  t{k}: {{lambda: {x}, plans: [\"{escalated}\"], experts: [cheap, mid, dear]}}\n"
            f"  c{k}: {{lambda: {x}, plans: cascade, experts: [cheap, dear]}}\n" for k, x in enumerate(LAMBDAS)]
    folder = tmp_path_factory.mktemp("lambdas")
    g = Gateway(leeroo, write_config(folder, plan_model, "http://127.0.0.1:1", policies="policies:\n" + "".join(rows),
                                     names=EXPERTS))
    chosen = {}
    for kind in "ltc":
        for k, x in enumerate(LAMBDAS):
            chosen.setdefault(g.route(QUESTION, f"leeroo/{kind}{k}")["plan"], []).append(x)
    g.client.close()
    assert g.stop() == 0
    middle = {plan: found[len(found) // 2] for plan, found in chosen.items()}
    trust = [plan for plan in middle if plan.startswith("panel") and "~" in plan]
    cascade = [plan for plan in middle if plan.startswith("cascade")]
    assert PANEL in middle and trust and cascade, middle
    return {"ESCALATED": escalated, "AGREE": middle[PANEL], "TRUST": middle[trust[0]], "CASCADE": middle[cascade[0]]}


@pytest.fixture
def start(leeroo, plan_model, lambdas, upstream, tmp_path):
    running = []

    def begin(policies=POLICIES, expert="retries: 0", **options):
        for name, value in lambdas.items():
            policies = policies.replace(name, str(value))
        g = Gateway(leeroo, write_config(tmp_path, plan_model, upstream.url, policies=policies, expert=expert,
                                         names=EXPERTS, **options))
        running.append(g)
        return g
    yield begin
    for g in running:
        g.client.close()
        code = g.stop()
        assert code == 0, f"exit status {code}\n{g.text}"
        assert "ERROR: " not in g.text and "runtime error" not in g.text, g.text


@pytest.fixture
def gateway(start):
    return start()


def says(letter, usage=(30, 40), **more):
    return answer(f"Let me think. The answer is ({letter}).", usage, **more)


def price(name, usage):
    inp, out = (Decimal(p) for p in EXPERTS[name])
    return ((inp * usage[0] + out * usage[1]) / 1_000_000).quantize(NANO, ROUND_HALF_UP)


def text_of(r):
    """The answer's text, whole or streamed."""
    if not r.headers["content-type"].startswith("text/event-stream"):
        return r.json()["choices"][0]["message"]["content"]
    events = [line[6:] for line in r.text.splitlines() if line.startswith("data: ")]
    assert events[-1] == "[DONE]"
    return "".join((c["delta"].get("content") or "") for e in events[:-1] for c in json.loads(e)["choices"])


def told(r):
    """The "leeroo" of a whole answer or of the usage chunk, with exact numbers."""
    if not r.headers["content-type"].startswith("text/event-stream"):
        return json.loads(r.text, parse_float=Decimal)["leeroo"]
    return json.loads([line[6:] for line in r.text.splitlines() if line.startswith("data: ")][-2],
                      parse_float=Decimal)["leeroo"]


def ask(gateway, stream=False, **more):
    if stream:
        more |= {"stream": True, "stream_options": {"include_usage": True}}
    return gateway.chat(QUESTION, **more)


def calls(r):
    return [(c["expert"], c["outcome"]) for c in told(r)["calls"]]


def gone(upstream, name, count=1, seconds=5):
    """Waits until the calls to the expert were given up."""
    deadline = time.monotonic() + seconds
    while len(upstream.of(name)) < count and time.monotonic() < deadline:
        time.sleep(0.01)
    found = upstream.of(name)
    return len(found) == count and all(r.cancelled.wait(max(0, deadline - time.monotonic())) for r in found)


both = pytest.mark.parametrize("stream", [False, True])


@both
def test_who_agree_answer(gateway, upstream, stream):
    upstream.on("cheap", says("B", (30, 41), delay=0.4))
    upstream.on("mid", says("B", (31, 40), delay=0.4))
    begin = time.monotonic()
    r = ask(gateway, stream)
    took = time.monotonic() - begin
    assert r.status_code == 200, r.text
    assert "The answer is (B)." in text_of(r)
    assert took < 0.75, "they were not asked in parallel"
    assert not upstream.of("dear")
    cost = price("cheap", (30, 41)) + price("mid", (31, 40))
    assert r.headers["x-leeroo-plan"] == LABEL and r.headers["x-leeroo-expert"] == "cheap"
    assert Decimal(r.headers["x-leeroo-cost-usd"]) == cost and r.headers["x-leeroo-cost-basis"] == "usage"
    assert told(r)["plan"] == PANEL and told(r)["expert"] == "cheap" and told(r)["cost_usd"] == cost
    assert calls(r) == [("cheap", "answered"), ("mid", "answered")] or \
        calls(r) == [("mid", "answered"), ("cheap", "answered")]
    for c in told(r)["calls"]:
        assert c["cost_basis"] == "usage" and 390 <= c["latency_ms"] < 750
        assert c["cost_usd"] == price(c["expert"], (30, 41) if c["expert"] == "cheap" else (31, 40))
    line = gateway.access(r.headers["x-leeroo-request-id"])
    assert Decimal(line["cost_usd"]) == cost and line["basis"] == "usage" and line["attempts"] == "2"
    assert line["plan"] in (LABEL, f'"{LABEL}"')
    assert "cheap answered" in line["calls"] and "mid answered" in line["calls"]
    assert (line["input_tokens"], line["output_tokens"]) == ("61", "81")


@both
def test_who_disagree_go_to_the_last(gateway, upstream, stream):
    upstream.on("cheap", says("B"))
    upstream.on("mid", says("C", (30, 44)))
    upstream.on("dear", says("D", (33, 7)))
    r = ask(gateway, stream)
    assert "(D)" in text_of(r)
    cost = price("cheap", (30, 40)) + price("mid", (30, 44)) + price("dear", (33, 7))
    assert told(r)["cost_usd"] == cost and told(r)["expert"] == "dear"
    assert r.headers["x-leeroo-expert"] == "dear"
    assert calls(r)[-1] == ("dear", "answered") and len(calls(r)) == 3
    assert Decimal(gateway.access(r.headers["x-leeroo-request-id"])["cost_usd"]) == cost
    if not stream:
        assert Decimal(r.headers["x-leeroo-cost-usd"]) == cost


def test_the_last_streams_as_it_comes(gateway, upstream):
    upstream.on("cheap", says("B"))
    upstream.on("mid", says("C"))
    upstream.on("dear", answer("one two three four five", (1, 1), pause=0.2))
    times = []
    with gateway.client.stream("POST", "/v1/chat/completions",
                               json={"model": "leeroo", "stream": True,
                                     "messages": [{"role": "user", "content": QUESTION}]}) as r:
        assert r.headers["x-leeroo-cost-basis"] == "predicted"
        for line in r.iter_lines():
            if '"content": "' in line and '"content": ""' not in line:
                times.append(time.monotonic())
    assert len(times) == 5 and times[-1] - times[0] > 0.6


@both
def test_what_cannot_be_told_cancels_the_other(gateway, upstream, stream):
    upstream.on("cheap", answer("I really do not know.", (30, 9), delay=0.3))
    upstream.on("mid", stall_mid_stream() if stream else stall())
    upstream.on("dear", says("A"))
    r = ask(gateway, stream)
    assert "(A)" in text_of(r)
    assert gone(upstream, "mid")
    assert calls(r) == [("cheap", "answered"), ("mid", "cancelled"), ("dear", "answered")]
    cancelled = told(r)["calls"][1]
    assert cancelled["cost_basis"] == "estimated" and cancelled["cost_usd"] > 0
    assert told(r)["cost_basis"] == "estimated"
    assert told(r)["cost_usd"] == sum(c["cost_usd"] for c in told(r)["calls"])
    tokens = (-(-len(QUESTION) // 4), 1 if stream else 0)  # "one " came
    assert cancelled["cost_usd"] == price("mid", tokens)


@both
def test_a_first_member_that_fails_counts_as_disagreement(gateway, upstream, stream):
    upstream.on("cheap", stall())
    upstream.on("mid", status(500))
    upstream.on("dear", says("A"))
    r = ask(gateway, stream)
    assert "(A)" in text_of(r)
    assert gone(upstream, "cheap")
    assert calls(r) == [("mid", "failed"), ("cheap", "cancelled"), ("dear", "answered")]
    assert told(r)["calls"][0]["cost_usd"] == 0


@both
def test_members_are_tried_again(start, upstream, stream):
    gateway = start(expert="retries: 1")
    upstream.on("cheap", status(503), says("B"))
    upstream.on("mid", says("B"))
    r = ask(gateway, stream)
    assert "(B)" in text_of(r) and len(upstream.of("cheap")) == 2 and not upstream.of("dear")
    assert told(r)["cost_usd"] == price("cheap", (30, 40)) + price("mid", (30, 40))
    assert gateway.access(r.headers["x-leeroo-request-id"])["attempts"] == "3"


def test_a_slow_one_is_waited_for_until_its_timeout(start, upstream):
    gateway = start(expert="retries: 0\ntimeouts: {first_token: 500ms}")
    upstream.on("cheap", says("B"))
    upstream.on("mid", stall())
    upstream.on("dear", says("C"))
    r = ask(gateway, True)
    assert "(C)" in text_of(r) and gone(upstream, "mid")
    assert calls(r) == [("cheap", "answered"), ("mid", "failed"), ("dear", "answered")]


@both
@pytest.mark.parametrize("how", ["refused", "cut", "untold"])
def test_when_the_last_fails_a_first_answer_stands(gateway, upstream, stream, how):
    upstream.on("cheap", says("B"))
    upstream.on("mid", says("C"))
    upstream.on("dear", {"refused": status(500), "cut": stall(0), "untold": answer("No idea at all.", (5, 5))}[how])
    r = ask(gateway, stream)
    assert r.status_code == 200
    if how == "untold" and stream:  # it was on its way to the client before anybody could know
        assert "No idea" in text_of(r)
        return
    assert "(B)" in text_of(r) or "(C)" in text_of(r)
    assert r.headers["x-leeroo-expert"] in ("cheap", "mid") and told(r)["expert"] == r.headers["x-leeroo-expert"]
    assert len(calls(r)) == 3 and calls(r)[2] == ("dear", "answered" if how == "untold" else "failed")
    if how == "untold":
        assert r.headers["x-leeroo-expert"] == "cheap"


def test_a_last_that_breaks_off_ends_with_an_error(gateway, upstream):
    upstream.on("cheap", says("B"))
    upstream.on("mid", says("C"))
    upstream.on("dear", cut_mid_stream)
    r = ask(gateway, True)
    assert '"error"' in r.text and "one " in r.text
    line = gateway.access(r.headers["x-leeroo-request-id"])
    assert "dear failed" in line["calls"] and line["basis"] == "estimated"
    assert Decimal(line["cost_usd"]) > price("cheap", (30, 40)) + price("mid", (30, 40))


@both
def test_when_all_fail_the_error_is_the_usual_one(gateway, upstream, stream):
    upstream.on("cheap", status(500))
    upstream.on("mid", status(500))
    upstream.on("dear", status(429, "slow down", [("retry-after", "7")]))
    r = ask(gateway, stream)
    assert r.status_code == 429 and "dear: answered 429: slow down" in r.json()["error"]["message"] and r.headers["retry-after"] == "7"
    cost = Decimal(r.headers["x-leeroo-cost-usd"])  # the one that was cancelled had been asked
    assert cost in (0, price("cheap", (-(-len(QUESTION) // 4), 0)), price("mid", (-(-len(QUESTION) // 4), 0)))
    upstream.on("dear", status(500))
    assert ask(gateway, stream).status_code == 502


@both
def test_a_request_at_fault_is_told_so(gateway, upstream, stream):
    for name in EXPERTS:
        upstream.on(name, status(400, "bad temperature"))
    r = ask(gateway, stream)
    assert r.status_code == 400 and r.json()["error"]["message"] == "bad temperature"


def post(gateway, body):
    """A connection that has asked and can be hung up."""
    host, port = gateway.address.rsplit(":", 1)
    s = socket.create_connection((host, int(port)), timeout=10)
    data = json.dumps(body).encode()
    s.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
              b"content-length: %d\r\n\r\n%s" % (len(data), data))
    return s


LEAVING = {  # what each expert does, and whose calls must be given up
    "first": ({"cheap": stall(), "mid": stall()}, ["cheap", "mid"]),
    "one of the first": ({"cheap": says("B"), "mid": stall()}, ["mid"]),
    "last": ({"cheap": says("B"), "mid": says("C"), "dear": stall()}, ["dear"]),
    "last, mid stream": ({"cheap": says("B"), "mid": says("C"), "dear": stall_mid_stream()}, ["dear"]),
    "first, mid stream": ({"cheap": stall_mid_stream(), "mid": stall_mid_stream()}, ["cheap", "mid"]),
}


@both
@pytest.mark.parametrize("phase", LEAVING)
def test_a_client_that_leaves_cancels_all(gateway, upstream, stream, phase):
    does, left = LEAVING[phase]
    for name, behave in does.items():
        upstream.on(name, behave)
    with post(gateway, {"model": "leeroo", "stream": stream, "messages": [{"role": "user", "content": QUESTION}]}):
        deadline = time.monotonic() + 5
        while not all(upstream.of(name) for name in left) and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.2)
    for name in left:
        assert gone(upstream, name), name
    line = gateway.wait_line(r"msg=request .*").group(0)
    assert "status=499" in line and "basis=estimated" in line and 'error="client gone"' in line
    for name in left:
        assert f"{name} cancelled" in line, line
    assert len(upstream.of("dear")) == (1 if "dear" in left else 0)


def test_a_client_that_leaves_while_a_member_waits_to_try_again(start, upstream):
    gateway = start(expert="retries: 3")
    upstream.on("cheap", status(429, headers=[("retry-after", "4")]))
    upstream.on("mid", says("B"))
    with post(gateway, {"model": "leeroo", "messages": [{"role": "user", "content": QUESTION}]}):
        gateway.wait_line(r"msg=retry .*failed=cheap")
        time.sleep(0.2)
    line = gateway.wait_line(r"msg=request .*").group(0)
    assert "status=499" in line and "cheap cancelled 0.000000000" in line and "mid answered" in line
    assert len(upstream.of("cheap")) == 1


@both
def test_streamed_and_whole_are_the_same(gateway, upstream, stream):
    texts = {n: f"Thinking as {n}: \\u00e9 → \"x\"\n\nThe answer is (B)." for n in EXPERTS}
    for name, text in texts.items():
        upstream.on(name, answer(text))
    r = ask(gateway, stream)
    assert text_of(r).strip() == texts["cheap"]


def test_a_replayed_stream_is_the_upstreams(gateway, upstream):
    upstream.on("cheap", says("B"))
    upstream.on("mid", says("B"))
    direct = gateway.chat(QUESTION, model="cheap", stream=True).text
    assert gateway.chat(QUESTION, stream=True).text == direct, "no usage where none was asked for"
    asked = ask(gateway, True).text.splitlines()
    assert [line for line in asked if "usage" not in line and line] == [line for line in direct.splitlines() if line]


@pytest.mark.parametrize("request_says", [
    {"model": "leeroo/off"},
    {"leeroo": {"plans": "none"}},
    {"leeroo": {"plans": "cascade"}},
    {"leeroo": {"plans": ["none"]}},
    {"model": "cheap"},
    {"model": "leeroo/two"},
    {"tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}]},
    {"n": 2},
    {"logprobs": True},
    {"response_format": {"type": "json_object"}},
    {"messages": [{"role": "user", "content": [{"type": "text", "text": "what?"}, {
        "type": "image_url", "image_url": {"url": "http://127.0.0.1/x.png"}}]}]},
])
def test_plans_switched_off(gateway, upstream, request_says):
    r = ask(gateway, **request_says) if "messages" not in request_says else gateway.chat(**request_says)
    assert r.status_code == 200 and r.headers["x-leeroo-plan"] == "single"
    assert len(upstream.requests) == 1
    assert "leeroo" not in upstream.requests[0].json and "leeroo" not in r.json()


def test_plans_by_header(gateway, upstream):
    body = {"model": "leeroo", "messages": [{"role": "user", "content": QUESTION}]}
    plan = [gateway.client.post("/v1/chat/completions", json=body, headers=h).headers["x-leeroo-plan"]
            for h in ({"x-leeroo-plans": "none"}, {"x-leeroo-plans": "panel"}, {"x-leeroo-plans": LABEL}, {})]
    assert plan == ["single", LABEL, LABEL, LABEL]
    body["leeroo"] = {"plans": "panel"}
    r = gateway.client.post("/v1/chat/completions", json=body, headers={"x-leeroo-plans": "none"})
    assert r.headers["x-leeroo-plan"] == LABEL, "the body's word counts"


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/route"])
def test_unknown_plans_are_named(gateway, upstream, path):
    body = {"model": "leeroo", "messages": [{"role": "user", "content": QUESTION}],
            "leeroo": {"plans": "panel(x,y->z)"}}
    r = gateway.client.post(path, json=body)
    assert r.status_code == 400 and r.json()["error"]["param"] == "leeroo.plans"
    assert "panel(x,y->z)" in r.json()["error"]["message"] and PANEL in r.json()["error"]["message"]
    del body["leeroo"]
    r = gateway.client.post(path, json=body, headers={"x-leeroo-plans": "pannel"})
    assert r.status_code == 400 and r.json()["error"]["param"] == "x-leeroo-plans"
    r = gateway.client.post(path, json={**body, "leeroo": {"panels": "none"}})
    assert r.status_code == 400 and r.json()["error"]["param"] == "leeroo"
    assert not upstream.requests


def test_route_shows_plans(gateway):
    decision = gateway.route(QUESTION)
    assert decision["plan"] == PANEL and decision["members"] == ["cheap", "mid", "dear"]
    assert decision["fallbacks"] == []
    quality, cost = decision["estimates"][PANEL]
    assert 0 < quality < 1 and decision["cost_usd"] == cost
    about = decision["plans"][PANEL]
    assert 0 < about["escalation"] < 1
    assert about["cost_max_usd"] == pytest.approx(sum(decision["estimates"][e][1] for e in EXPERTS), rel=1e-6)
    assert cost <= about["cost_max_usd"]
    off = gateway.route(QUESTION, "leeroo/off")
    assert off["plan"] == "single" and off["ruled_out"][PANEL] == "off in this policy"
    assert gateway.route(QUESTION, "leeroo/two")["ruled_out"][PANEL] == "dear: not in this policy"
    by_name = gateway.route(QUESTION, "cheap")
    assert by_name["plan"] == "single" and by_name["ruled_out"][PANEL] == "an expert was asked for by name"


def test_max_cost_counts_every_call(start, upstream):
    cost_of_all = start().route(QUESTION)["plans"][PANEL]["cost_max_usd"]
    gateway = start(f"policies: {{default: {{lambda: AGREE, max_cost: {cost_of_all - 1e-9:.9f}}}}}\n")
    decision = gateway.route(QUESTION)
    assert decision["plan"] != PANEL and decision["ruled_out"][PANEL] == "over max_cost"


@pytest.mark.parametrize("policy, line, words", [
    ("plans: pannel", 3, "no plan 'pannel'"),
    ("plans: [none, \"panel(a,b->c)\"]", 3, "panel(a,b->c)"),
    (f"{{plans: \"{LABEL}\", experts: [cheap, dear]}}", 2, "not one of policy"),
    ("plans: []", 3, "the list is empty"),
    ("plans: {panel: yes}", 3, "plans must be"),
    ("plans: \"panel;cascade\"", 3, "plans must be"),
])
def test_wrong_plans_in_the_configuration(leeroo, plan_model, upstream, tmp_path, policy, line, words):
    text = f"policies:\n  default: {policy}\n" if policy[0] == "{" else f"policies:\n  default:\n    {policy}\n"
    path = write_config(tmp_path, plan_model, upstream.url, policies=text, names=EXPERTS)
    line += path.read_text().splitlines().index("policies:")
    done = subprocess.run([leeroo, "serve", "-c", str(path)], capture_output=True, text=True, timeout=20,
                          env={"UP_KEY": "x", "PATH": "/bin"})
    assert done.returncode != 0 and f"leeroo.yaml:{line}:" in done.stderr and words in done.stderr, done.stderr


def test_an_answer_that_is_too_long_to_hold_back(start, upstream):
    gateway = start(top="limits: {answer: 4KiB}")
    upstream.on("cheap", answer("word " * 3000))
    upstream.on("mid", answer("word " * 3000))
    upstream.on("dear", says("A"))
    for stream in (False, True):
        r = ask(gateway, stream)
        assert "(A)" in text_of(r)
        assert ("cheap", "failed") in calls(r) or ("mid", "failed") in calls(r)


def test_an_upstream_that_ignores_stream(gateway, upstream):
    def whole(r):
        r.json.pop("stream", None)
        says("B")(r)
    upstream.on("cheap", whole)
    upstream.on("mid", whole)
    r = ask(gateway, True)
    assert r.headers["content-type"].startswith("text/event-stream")  # the client asked for events, and gets them
    assert "(B)" in text_of(r) and told(r)["expert"] == "cheap"


def test_trailers_of_a_plan(gateway, upstream):
    for letters in ("BB", "BC"):
        upstream.on("cheap", says(letters[0]))
        upstream.on("mid", says(letters[1]))
        upstream.on("dear", says("D", (10, 1)))
        cost = price("cheap", (30, 40)) + price("mid", (30, 40))
        cost += price("dear", (10, 1)) if letters == "BC" else 0
        body = {"model": "leeroo", "stream": True, "messages": [{"role": "user", "content": QUESTION}]}
        with post(gateway, body) as s:
            data = b""
            while not data.endswith(b"\r\n\r\n") or b"\r\n0\r\n" not in data:
                data += s.recv(65536)
        assert f"x-leeroo-cost-usd: {cost:.9f}\r\nx-leeroo-cost-basis: usage\r\n\r\n".encode() in data[-120:]


def test_200_panels_at_once(start, upstream):
    gateway = start()
    rng = random.Random(3)
    wait = [says(c, (20 + i, 30 + i), delay=0.01 * i, pause=0.002) for i in range(9) for c in "BBC"]
    rng.shuffle(wait)
    for name in ("cheap", "mid", "dear"):
        upstream.on(name, *wait * 24)

    def one(i):  # a connection each: a pool of clients that is shared by threads closes some of its own
        body = {"model": "leeroo/trust" if i % 3 == 2 else "leeroo",
                "messages": [{"role": "user", "content": QUESTION}]}
        if i % 2:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        r = httpx.post(gateway.url + "/v1/chat/completions", json=body, timeout=60)
        assert r.status_code == 200, r.text
        return r
    with concurrent.futures.ThreadPoolExecutor(200) as threads:
        replies = list(threads.map(one, range(200)))
    for r in replies:
        line = gateway.access(r.headers["x-leeroo-request-id"])
        assert Decimal(line["cost_usd"]) == told(r)["cost_usd"] == sum(c["cost_usd"] for c in told(r)["calls"])
        assert "The answer is (" in text_of(r)
    assert {len(calls(r)) for r in replies} == {2, 3}


def test_200_panels_whose_clients_leave(gateway, upstream):
    for name in EXPERTS:
        upstream.on(name, stall_mid_stream())
    sockets = [post(gateway, {"model": "leeroo", "stream": i % 2 == 0,
                              "messages": [{"role": "user", "content": QUESTION}]}) for i in range(200)]
    deadline = time.monotonic() + 20
    while len(upstream.requests) < 400 and time.monotonic() < deadline:
        time.sleep(0.02)
    for s in sockets:
        s.close()
    assert gone(upstream, "cheap", 200, 20) and gone(upstream, "mid", 200, 20)
    deadline = time.monotonic() + 10
    while sum("status=499" in line for line in gateway.lines) < 200 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert sum("status=499" in line for line in gateway.lines) == 200


def test_other_experts_when_all_members_fail(start, upstream):
    """cascade(cheap→dear) leaves mid."""
    gateway = start()
    decision = gateway.route(QUESTION, "leeroo/cascades")
    assert decision["members"] == ["cheap", "dear"] and decision["fallbacks"] == ["mid"]
    for name in decision["members"]:
        upstream.on(name, status(500))
    others = decision["fallbacks"]
    for stream in (False, True):
        r = ask(gateway, stream, model="leeroo/cascades")
        assert r.status_code == 200 and r.headers["x-leeroo-expert"] == others[0]
        assert calls(r) == [(m, "failed") for m in decision["members"]] + [(others[0], "answered")]


LETTERS = {"cheap": "B", "mid": "C", "dear": "D"}


@both
@pytest.mark.parametrize("dies", [None, "cheap", "dear"])
def test_a_check_that_was_learnt_says_whose_answer_stands(gateway, upstream, stream, dies):
    """All of it is held back: whoever is named in the head is the one whose text came."""
    for name, letter in LETTERS.items():
        upstream.on(name, status(500) if name == dies else says(letter, (30, 40 + ord(letter))))
    r = ask(gateway, stream, model="leeroo/trust")
    assert r.headers["x-leeroo-plan"].startswith(LABEL[:-1] + " ~")
    who = r.headers["x-leeroo-expert"]
    assert who != dies and f"({LETTERS[who]})" in text_of(r) and told(r)["expert"] == who
    cost = sum((price(e, (30, 40 + ord(LETTERS[e]))) for e, came in calls(r) if came == "answered"), Decimal(0))
    assert Decimal(r.headers["x-leeroo-cost-usd"]) == cost == told(r)["cost_usd"]
    assert r.headers["x-leeroo-cost-basis"] == "usage"
    assert all((e == dies) == (came == "failed") for e, came in calls(r))


def test_a_cascade_asks_one_first(gateway, upstream):
    for name, letter in LETTERS.items():
        upstream.on(name, says(letter))
    r = ask(gateway, model="leeroo/cascades")
    assert r.headers["x-leeroo-plan"].startswith("cascade(cheap->dear ~")
    assert calls(r)[0] == ("cheap", "answered") and not upstream.of("mid")
    assert f"({LETTERS[told(r)['expert']]})" in text_of(r)


@pytest.fixture
def ask_command(leeroo, plan_model, lambdas, upstream, tmp_path):
    policies = POLICIES
    for name, value in lambdas.items():
        policies = policies.replace(name, str(value))
    path = write_config(tmp_path, plan_model, upstream.url, policies=policies, names=EXPERTS, expert="retries: 0")

    def run(*argv):
        return subprocess.run([leeroo, "ask", "-c", str(path), QUESTION, *argv], capture_output=True, text=True,
                              timeout=60, env={"UP_KEY": "x", "PATH": "/bin"})
    return run


def test_ask_explains_plans(ask_command, upstream):
    for name, letter in LETTERS.items():
        upstream.on(name, says(letter))
    done = ask_command("--explain")
    assert done.returncode == 0 and "The answer is (D)." in done.stdout
    table = done.stderr.splitlines()
    chosen = next(line for line in table if line.startswith("* "))
    assert chosen.startswith(f"* {PANEL} ") and chosen.endswith(" chosen") and "asks the last: " in chosen
    assert f"plan {PANEL}, policy default" in done.stderr
    cost = sum(price(e, (30, 40)) for e in EXPERTS)
    assert f"really {cost:.9f} USD\n" in done.stderr
    assert sum(line.startswith(f"  {e} answered in ") for line in table for e in EXPERTS) == 3
    out = json.loads(ask_command("--json").stdout, parse_float=Decimal)
    assert out["cost_usd"] == sum(c["cost_usd"] for c in out["calls"]) and out["expert"] == "dear"
    assert out["predicted_cost_usd"] == out["decision"]["cost_usd"]


def test_ask_without_plans(ask_command, upstream):
    done = ask_command("--json", "--plans", "none")
    out = json.loads(done.stdout)
    assert out["decision"]["plan"] == "single" and "calls" not in out and len(upstream.requests) == 1
    done = ask_command("--plans", "pannel")
    assert done.returncode == 1 and "no plan 'pannel'" in done.stderr


def test_a_policy_whose_plans_cannot_run_is_warned_of(start):
    gateway = start("policies:\n  default: {lambda: 1, plans: panel, experts: [cheap, dear]}\n"
                    "  well: {lambda: 1, plans: cascade, experts: [cheap, dear]}\n  silent: {lambda: 1, plans: none}\n")
    line = gateway.wait_line(r"level=warn .*no plan of the policy can run.*").group(0)
    assert "policy=default" in line and "plans=\"panel\"" in line
    assert gateway.text.count("no plan of the policy can run") == 1
