"""Requests are found, followed and opened."""

import pytest


def rows(page):
    return page.locator("main tbody tr")


@pytest.mark.quick
def test_requests_are_found_and_one_is_opened(visit, mock):
    page = visit.open("requests")
    page.wait_for_selector("text=50 requests, and older ones")
    page.get_by_label("Outcome").select_option("failed")
    failed = sum(r["outcome"] == "failed" for r in mock.world.requests)
    page.wait_for_selector(f"text={failed} request")
    assert rows(page).count() == failed
    rows(page).first.get_by_role("link").click()
    page.wait_for_selector("h1:has-text('No answer')")
    page.wait_for_selector("text=500 Internal Server Error")


def test_pages_go_back_and_forth(visit, mock):
    page = visit.open("requests")
    page.wait_for_selector("text=50 requests, and older ones")
    first = rows(page).first.inner_text()
    page.get_by_role("button", name="Older").click()
    page.get_by_role("button", name="Older").click()
    page.wait_for_selector("text=30 requests, which are all")
    assert page.get_by_role("button", name="Older").is_disabled()
    page.get_by_role("button", name="Newer").click()
    page.get_by_role("button", name="Newer").click()
    page.wait_for_function("text => document.querySelector('main tbody tr').innerText === text", arg=first)
    assert rows(page).count() == 50


def test_an_id_is_looked_for_as_an_id(visit, mock):
    page = visit.open("requests")
    page.get_by_label("Search").fill("req_000000000000000000000007")
    page.get_by_role("button", name="Find").click()
    page.wait_for_selector("text=1 request, which are all")
    page.get_by_label("Search").fill("never said")
    page.get_by_role("button", name="Find").click()
    page.wait_for_selector("text=No request is like that")
    page.get_by_role("button", name="Clear").click()
    page.wait_for_selector("text=50 requests, and older ones")


def test_new_ones_are_followed(visit, mock):
    page = visit.open("requests")
    page.wait_for_selector("text=50 requests")
    new = {**mock.world.requests[0], "id": "req_new", "expert": "sage", "policy": "brand-new"}
    mock.world.requests.insert(0, new)
    page.wait_for_selector("tr:has-text('brand-new')")
    page.get_by_label("Follow new ones").uncheck()
    mock.world.requests.insert(0, {**new, "id": "req_newer", "policy": "newer-still"})
    page.wait_for_timeout(4000)
    assert page.locator("tr:has-text('newer-still')").count() == 0


def test_one_tells_all_that_led_to_it(visit, mock):
    row = next(r for r in mock.world.requests if r["outcome"] == "answered" and r["expert"] == "almanac")
    page = visit.open(f"requests/{row['id']}", "h2:has-text('What it cost')")
    text = page.locator("main").inner_text()
    for word in ("almanac", "ruled out: circuit open", "4bf92f3577b34da6a3ce929d0e0e4736", row["id"], "chosen", "Next would have been",
                 "12 % unlike", "all that was paid", "predicted before", "the reference alone", "441fea11aa72"):
        assert word in text, word
    assert f"{row['cost_usd']:.9f}".rstrip("0") in text
    calls = page.get_by_role("table", name="Calls", exact=True)
    assert "failed" in calls.inner_text() and "answered" in calls.inner_text()
    assert "What was said" not in text
    page.get_by_role("button", name="Right").click()
    page.wait_for_selector("text=Feedback is written down.")
    assert mock.world.calls[-1] == ("POST", "/v1/feedback", {"request_id": row["id"], "score": 1})


def test_prompts_are_shown_only_where_they_are_kept(visit, mock):
    row = mock.world.requests[4]
    told = mock.world.one
    mock.world.one = lambda r: {**told(r), "prompt": "What is\n17 * 23?", "answer": "391"}
    page = visit.open(f"requests/{row['id']}", "h2:has-text('What was said')")
    assert page.locator("pre.text").first.inner_text() == "What is\n17 * 23?"
