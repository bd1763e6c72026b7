"""Every view, at every width, light and dark, as anybody can read it; and states in which there is nothing to show."""

import pytest

from mock import COSTS

VIEWS = {"now": "Today", "requests": "Requests", "requests/req_000000000000000000000004": "answered", "playground": "Playground",
         "orchestrator": "Policy default", "keys": "keys in force"}


def open_view(visit, view):
    page = visit.open(view)
    page.wait_for_selector("header.top >> text=Live")
    if view == "playground":
        page.get_by_label("Question", exact=True).fill("What is 17 * 23?")
        page.wait_for_selector("text=would be asked")
        page.get_by_role("button", name="Ask", exact=True).click()
        page.wait_for_selector("text=All that led to this answer")
    page.wait_for_function("() => !document.querySelector('#loading')")
    page.wait_for_timeout(150)  # the charts' sizes are known a frame later
    return page


@pytest.mark.quick
@pytest.mark.parametrize("view", VIEWS)
def test_every_view_says_what_it_shows(visit, view):
    page = open_view(visit, view)
    page.wait_for_function("text => document.querySelector('main h1').innerText.includes(text)", arg=VIEWS[view])
    assert page.title().endswith("· Leeroo")
    assert page.locator("nav a[aria-current=page]").count() == 1
    assert page.locator("main h1").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 768, 1440])
@pytest.mark.parametrize("view", VIEWS)
def test_everybody_can_read_it(visits, mock, view, width, scheme):
    visit = visits(mock.url, width=width, scheme=scheme)
    open_view(visit, view)
    assert visit.sideways() <= 0
    assert not visit.axe()


@pytest.mark.quick
def test_a_narrow_view_in_the_dark(visits, mock):
    visit = visits(mock.url, width=390, scheme="dark")
    open_view(visit, "now")
    assert visit.sideways() <= 0 and not visit.axe()


def test_dark_is_dark(visits, mock):
    background = "getComputedStyle(document.body).backgroundColor"
    light, dark = visits(mock.url), visits(mock.url, scheme="dark")
    assert light.open("now").evaluate(background) == "rgb(252, 252, 251)"
    assert dark.open("now").evaluate(background) == "rgb(19, 20, 22)"


@pytest.mark.parametrize("view,words", [
    ("now", ["No requests today", "curl -s http://127.0.0.1:", "leeroo train", "state_dir: state"]),
    ("requests", ["No ledger is kept", "state_dir: state"]), ("orchestrator", ["No model is in force", "leeroo train", "runs: runs"]),
    ("keys", ["Nobody is asked for a key", "There is no key, yet", "Create the first key"])])
@pytest.mark.parametrize("width", [390, 1280])
def test_where_there_is_nothing_the_page_says_what_to_do(visits, mocks, view, words, width):
    mock = mocks("empty")
    visit = visits(mock.url, width=width)
    page = visit.open(view)
    for word in words:
        page.wait_for_selector(f"main >> text={word}")
    assert visit.sideways() <= 0 and not visit.axe()


def test_a_ledger_without_requests_shows_the_line_for_the_shell(visits, mock):
    mock.world.requests = []
    page = visits(mock.url).open("requests")
    page.wait_for_selector("text=The ledger holds no request, yet")
    page.get_by_role("button", name="Copy").first.click()
    page.wait_for_selector("text=Copied.")
    assert f"curl -s {mock.url}/v1/chat/completions" in page.evaluate("navigator.clipboard.readText()")


def test_thirty_experts_fit(visits, mock):
    mock.world.experts = [f"expert-with-a-long-name-{i:02}-of-a-large-pool" for i in range(33)]
    COSTS.update({name: 1e-6 * 1.4 ** i for i, name in enumerate(mock.world.experts)})
    mock.world.requests = [mock.world.make_request(i) for i in range(60)]
    for width in (390, 1280):
        visit = visits(mock.url, width=width)
        for view in VIEWS:
            open_view(visit, view)
            assert visit.sideways() <= 0, (view, width)
    page = visits(mock.url).open("now")
    page.wait_for_selector("li:has-text('26 others')")


def test_charts_speak_to_those_who_cannot_see_them(visit):
    page = open_view(visit, "now")
    charts = page.locator("main figure svg[role=img]")
    assert charts.count() == 4
    for i in range(4):
        title, description = charts.nth(i).evaluate("s => [s.querySelector('title').textContent, s.querySelector('desc').textContent]")
        assert title and "last" in description
    page.locator("summary").first.click()
    table = page.get_by_role("table", name="Requests answered a second, by expert")
    assert table.locator("tbody tr").count() == 23 and "abacus" in table.locator("thead").inner_text()


def test_an_error_of_the_gateway_is_told_in_its_words(visits, mock):
    mock.world.model_page = lambda: {"nonsense": 1}
    visit = visits(mock.url)
    page = visit.open("requests/req_ffffffffffffffffffffffff")
    page.wait_for_selector("text=No such request")
    page.goto(f"{mock.url}/#/nothing-like-this")
    page.wait_for_selector("h1:has-text('Today')")


def test_the_address_holds_the_view(visit):
    page = visit.open("keys")
    page.get_by_role("link", name="Orchestrator").click()
    page.wait_for_selector("h1:has-text('Policy')")
    assert page.url.endswith("#/orchestrator")
    page.go_back()
    page.wait_for_selector("h1:has-text('keys in force')")
    page.reload()
    page.wait_for_selector("h1:has-text('keys in force')")
