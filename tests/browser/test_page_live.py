"""Figures that move by themselves, a loss of connection that is seen, and a tab that costs nothing while it is hidden."""

import pytest

from conftest import wait_for

HIDE = """hidden => {
  Object.defineProperty(document, "hidden", {configurable: true, get: () => hidden});
  document.dispatchEvent(new Event("visibilitychange"));
}"""


@pytest.mark.quick
def test_figures_move_without_a_click(visit, mock):
    page = visit.open("now")
    page.wait_for_selector("h1:has-text('12,480 requests')")
    told = mock.world.now

    def later():
        return {**told(), "today": {"requests": 999, "usd": 3.5, "reference_usd": 7.0, "errors": 0}, "in_flight": 41,
                "errors": [{"at_ms": 1796138435000, "id": "req_00", "expert": "sage", "status": 502, "message": "it broke"}]}
    mock.world.now = later
    page.wait_for_selector("h1:has-text('999 requests')")
    page.wait_for_selector("h1:has-text('50 % less')")
    page.wait_for_selector(".tile:has-text('In flight') >> text=41")
    page.wait_for_selector("text=it broke")


@pytest.mark.quick
def test_a_lost_gateway_is_seen_and_found_again(visit, mock):
    page = visit.open("now")
    page.wait_for_selector("#live.on")
    mock.world.events_refused = True
    page.wait_for_selector("#live.off:has-text('Not live, trying again')")
    page.wait_for_selector("#live:has-text('figures of')")
    mock.world.events_refused = False
    page.wait_for_selector("#live.on")
    assert page.locator("#live").inner_text().strip() == "Live"


def test_a_gateway_that_falls_silent_is_not_live(visit, mock):
    page = visit.open("now")
    page.wait_for_selector("#live.on")
    mock.world.quiet = True
    page.wait_for_selector("#live.off")
    mock.world.quiet = False
    page.wait_for_selector("#live.on")


def test_a_hidden_tab_listens_to_nothing(visit, mock):
    page = visit.open("now")
    page.wait_for_selector("#live.on")
    assert mock.server.listeners == 1
    page.evaluate(HIDE, True)
    wait_for(lambda: mock.server.listeners == 0, "a hidden tab still listens")
    assert page.locator("#live").inner_text().strip() == "Paused"
    page.evaluate(HIDE, False)
    page.wait_for_selector("#live.on")
    assert mock.server.listeners == 1


def test_one_listener_whatever_is_opened(visit, mock):
    page = visit.open("now")
    for view in ("Requests", "Playground", "Orchestrator", "Keys", "Now") * 3:
        page.get_by_role("link", name=view, exact=True).click()
        page.wait_for_selector(f"nav a[aria-current=page]:has-text('{view}')")
    page.wait_for_selector("#live.on")
    wait_for(lambda: mock.server.listeners == 1, "listeners pile up")


def test_a_page_that_stays_open_does_not_grow(visits, mocks):
    mock = mocks(pace_s=0.01)
    page = visits(mock.url).open("now")
    page.wait_for_selector("#live.on")

    def nodes():
        page.evaluate("window.gc && gc()")
        return page.evaluate("[document.querySelectorAll('*').length, document.querySelectorAll('svg path').length]")
    page.wait_for_timeout(1500)
    before = nodes()
    page.wait_for_timeout(6500)  # some hundred events, and history once
    after = nodes()
    assert after[0] <= before[0] + 60, (before, after)


def test_history_goes_back_as_far_as_is_wanted(visit, mock):
    asked = []
    real = mock.world.history

    def history(step_s, points):
        asked.append((step_s, points))
        return real(step_s, points)
    mock.world.history = history
    page = visit.open("now")
    page.wait_for_selector("#live.on")
    page.get_by_role("button", name="24 h").click()
    wait_for(lambda: (60, 1440) in asked, "24 hours were not asked for")
    assert page.get_by_role("button", name="24 h").get_attribute("aria-pressed") == "true"
    asked.clear()
    wait_for(lambda: asked, "history is not followed")
    assert all(points <= 10 for _, points in asked), asked
    longest = page.evaluate("Math.max(...[...document.querySelectorAll('figure path.line')].map(p => p.getAttribute('d').split('L').length))")
    assert longest <= 240


def test_streams_that_end_in_good_order_are_followed_by_the_next(visit, mock):
    mock.world.stream_s = 0.6
    page = visit.open("now")
    page.wait_for_selector("#live.on")
    page.evaluate("""() => {
      window.states = [];
      new MutationObserver(() => window.states.push(document.getElementById("live").className.trim()))
        .observe(document.getElementById("live"), {attributes: true});
    }""")
    page.wait_for_timeout(4000)
    assert "live off" not in page.evaluate("() => window.states") and page.locator("#live.on").count() == 1


def test_an_expert_that_begins_to_answer_joins_the_chart(visit, mock):
    told = mock.world.history
    only = {"name": "abacus"}

    def history(step_s, points):
        found = told(step_s, points)
        i = found["experts"].index(only["name"])
        return {**found, "experts": [only["name"]], "answered": [[row[i]] for row in found["answered"]]}
    mock.world.history = history
    page = visit.open("now")
    page.wait_for_selector("figure li:has-text('abacus')")
    assert page.locator("figure li:has-text('sage')").count() == 0
    before = page.locator("figure >> nth=0 >> path.b0").get_attribute("d")
    only["name"] = "sage"
    page.wait_for_selector("figure li:has-text('sage')")
    assert page.locator("figure >> nth=0 >> path.b0").count() == 1 and len(before) > 1000
    assert len(page.locator("figure >> nth=0 >> path.b0").get_attribute("d")) > 1000, "what was before is forgotten"
