"""Texts that are meant to become a script, in every place that others write: none does, and all are shown as they are."""

import pytest

from mock import COSTS

CORPUS = [
    "<script>window.hacked=1;alert(1)</script>", "<img src=x onerror=\"window.hacked=1;alert(1)\">", "\"><svg onload=window.hacked=1>",
    "javascript:window.hacked=1", "'-alert(1)-'", "</title><script>window.hacked=1</script>", "{{constructor.constructor('window.hacked=1')()}}",
    "<iframe srcdoc='<script>parent.hacked=1</script>'></iframe>", "<style>*{display:none}</style>", "<base href=https://evil.example/>",
    "<a href=javascript:window.hacked=1>x</a>", "\u202egnirts\u202c", "a" * 3000, "<math><mtext></form><form><mglyph><style></math><img src onerror=window.hacked=1>",
    "%3Cscript%3Ewindow.hacked=1%3C/script%3E", "--><script>window.hacked=1</script>", "${window.hacked=1}", "\x00\x1b[31mred",
    "<template><script>window.hacked=1</script></template>", "<form action=https://evil.example><input name=x>",
]
VIEWS = ["now", "requests", "playground", "orchestrator", "keys"]


def poison(world, text):
    world.experts = [text, "b" + text, "c", "d"]
    COSTS.update({name: 1e-5 * (i + 1) for i, name in enumerate(world.experts)})
    world.requests = [world.make_request(i) for i in range(8)]
    for row in world.requests:
        row.update(expert=text, policy=text, key=text, key_name=text, problem=text, outcome="failed", front=text, plan=f"{text}->{text}")
    world.keys = [{**world.make_key("x"), "id": text, "name": text, "role": text, "experts": [text], "policies": [text]}]
    world.errors = [{"at_ms": 1796138435000, "id": text, "expert": text, "status": 502, "message": text}]
    world.answer = world.stream_error = text
    world.reference = text
    world.model = {**world.model, "checksum": text, "file": text, "kind": text}
    one, runs, model, now = world.one, world.runs, world.model_page, world.now
    world.one = lambda r: {**one(r), "prompt": text, "answer": text, "trace_id": text, "instance": text, "error": text, "model": text,
                           "feedback": {"score": 0.5, "comment": text, "at_ms": 1796138435000}}
    world.now = lambda: {**now(), "budgets": [{"policy": text, "per_query_usd": 1, "spent_mean_usd": 1, "lambda": 1}], "version": text}
    world.model_page = lambda: {**model(), "policies": [{"name": text, "lambda": 1, "quality": 0.5, "cost_usd": 1e-4, "requests": 3}]}

    def hostile_runs():
        found = runs()
        for run in found["runs"]:
            run.update(name=text, page=text, judge={"name": text, "trusted": False, "reason": text})
        return found
    world.runs = hostile_runs


@pytest.mark.quick
def test_no_script_of_others_runs(visits, mocks):
    look_at(visits, mocks, CORPUS[1])


@pytest.mark.parametrize("text", CORPUS, ids=range(len(CORPUS)))
def test_nothing_of_others_is_read_as_more_than_text(visits, mocks, text):
    look_at(visits, mocks, text)


def look_at(visits, mocks, text):
    mock = mocks()
    poison(mock.world, text)
    visit = visits(mock.url)
    page = visit.page
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    for view in VIEWS + [f"requests/{mock.world.requests[0]['id']}"]:
        visit.open(view)
        page.wait_for_selector("#live.on")
        page.wait_for_timeout(60)
        assert visit.sideways() <= 0, (view, text[:40])
    visit.open("playground")
    page.get_by_label("Question", exact=True).fill(text.replace("\x00", ""))
    page.wait_for_selector("p.lede:has-text('would be asked')")
    page.get_by_role("button", name="Ask", exact=True).click()
    page.wait_for_selector(".answer .error")
    assert page.evaluate("window.hacked") is None, text
    assert page.locator("main iframe, main script, main style, main base, main math, main template").count() == 0
    assert all(url.startswith(mock.url) or url.startswith("data:") for url in asked), asked


def test_texts_are_shown_as_they_are(visits, mock):
    text = CORPUS[1]
    poison(mock.world, text)
    page = visits(mock.url).open("now", "table")
    page.wait_for_selector("#live.on")
    assert text in page.get_by_role("table", name="Experts now").inner_text()
    page.goto(f"{mock.url}/#/requests/{mock.world.requests[0]['id']}")
    page.wait_for_selector("pre.text")
    assert page.locator("pre.text").first.inner_text() == text
