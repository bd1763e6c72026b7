"""A question, the decision as lambda moves, and answers side by side."""

import pytest


@pytest.fixture(name="page")
def asked(visit):
    page = visit.open("playground")
    page.get_by_label("Question", exact=True).fill("What is 17 * 23?")
    page.wait_for_selector("text=would be asked")
    return page


def chosen(page):
    return page.locator("#view section p.lede[role=status] b").first.inner_text()


@pytest.mark.quick
def test_lambda_moves_the_decision(page, mock):
    assert chosen(page) == "almanac → sage"
    slider = page.get_by_role("slider", name="Lambda, what a dollar must buy")
    assert "100 (the policy’s own)" in page.locator("output").inner_text()
    slider.fill("0")
    page.wait_for_selector("p.lede:has-text('sage would be asked'):has-text('95.0 %')")
    assert mock.world.calls[-1][2]["leeroo"] == {"lambda": 0}
    assert "Quality alone counts" in slider.get_attribute("aria-valuetext")
    slider.fill("140")
    page.wait_for_selector("p.lede:has-text('abacus would be asked')")
    assert mock.world.calls[-1][2]["leeroo"] == {"lambda": 1000000}
    page.get_by_role("button", name="Back to the policy’s own").click()
    page.wait_for_selector("p.lede:has-text('almanac → sage would be asked')")
    assert "leeroo" not in mock.world.calls[-1][2]
    assert all(call[1] == "/v1/route" for call in mock.world.calls), "nothing was asked or paid"


@pytest.mark.quick
def test_two_answers_side_by_side(page, mock):
    page.get_by_label("and beside it").select_option("sage")
    page.get_by_role("button", name="Ask", exact=True).click()
    page.wait_for_function("() => document.querySelectorAll('.answer .facts').length === 2 && [...document.querySelectorAll('.answer .facts')].every(f => f.innerText.includes('in all'))")
    for card in page.locator(".answer").all():
        assert "The answer is 391." in card.inner_text() and "$0.000735" in card.inner_text()
    page.locator(".answer").nth(1).get_by_role("button", name="Wrong").click()
    page.wait_for_selector("text=Written down")
    assert mock.world.calls[-1] == ("POST", "/v1/feedback", {"request_id": "req_" + "0" * 24, "score": 0})
    assert {c[2]["model"] for c in mock.world.calls if c[1] == "/v1/chat/completions"} == {"leeroo", "sage"}


def test_an_expert_by_name_has_no_lambda(page, mock):
    page.get_by_label("Ask", exact=True).select_option("lexicon")
    page.wait_for_selector("p.lede:has-text('lexicon would be asked')")
    assert page.get_by_role("slider").count() == 0
    assert "leeroo" not in mock.world.calls[-1][2]


def test_a_stream_can_be_stopped(page, mock):
    mock.world.answer = "word " * 3000
    page.get_by_role("button", name="Ask", exact=True).click()
    page.wait_for_selector(".says:has-text('word')")
    page.get_by_role("button", name="Stop").click()
    page.wait_for_selector(".facts:has-text('stopped')")
    length = len(page.locator(".says").inner_text())
    assert 0 < length < 15000


def test_an_error_in_a_stream_is_told(page, mock):
    mock.world.stream_error = "sage went away: try another policy"
    page.get_by_role("button", name="Ask", exact=True).click()
    page.wait_for_selector(".answer >> text=sage went away: try another policy")
    assert "Let me think." in page.locator(".says").inner_text()


def test_a_refusal_is_told(page, mock):
    mock.world.route = None  # the mock breaks off
    page.get_by_role("button", name="Ask", exact=True).click()
    page.wait_for_selector(".answer >> text=The gateway does not answer")


def test_feedback_without_a_ledger_says_so(page, mock):
    mock.world.ledger = False
    page.get_by_role("button", name="Ask", exact=True).click()
    page.get_by_role("button", name="Right").click()
    page.wait_for_selector("text=no ledger is kept")


def test_the_question_stays_when_one_comes_back(page):
    page.get_by_role("link", name="Now").click()
    page.wait_for_selector("h1:has-text('Today')")
    page.get_by_role("link", name="Playground").click()
    page.wait_for_selector("text=would be asked")
    assert page.get_by_label("Question", exact=True).input_value() == "What is 17 * 23?"


def test_what_is_typed_fast_is_decided_once(visit, mock):
    page = visit.open("playground")
    page.get_by_label("Question", exact=True).press_sequentially("how many is it", delay=15)
    page.wait_for_selector("text=would be asked")
    assert sum(call[1] == "/v1/route" for call in mock.world.calls) <= 3
