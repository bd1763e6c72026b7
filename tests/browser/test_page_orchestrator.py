"""The model is shown, exchanged with a question first, and put back."""

import pytest


@pytest.mark.quick
def test_publishing_is_asked_about(visit, mock):
    page = visit.open("orchestrator", "button:has-text('Publish')")
    page.get_by_role("button", name="Publish second").click()
    page.wait_for_selector("dialog >> text=Publish second?")
    page.keyboard.press("Escape")
    assert not mock.world.calls
    page.get_by_role("button", name="Publish second").click()
    page.get_by_role("dialog").get_by_role("button", name="Publish").click()
    page.wait_for_selector("text=In force now: model 99aa00bb11cc, before it was 441fea11aa72")
    assert mock.world.calls == [("POST", "/v1/admin/model/publish", {"run": "second"})]


def test_rolling_back_is_asked_about(visit, mock):
    page = visit.open("orchestrator", "button:has-text('Roll back')")
    page.get_by_role("button", name="Roll back").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    assert not mock.world.calls
    page.get_by_role("button", name="Roll back").click()
    page.get_by_role("dialog").get_by_role("button", name="Roll back").click()
    page.wait_for_selector("text=In force now")
    assert mock.world.calls[-1][1] == "/v1/admin/model/rollback"


def test_priors_and_outcomes_are_told_apart(visit):
    page = visit.open("orchestrator", "figure circle")
    assert page.locator("figure >> nth=0 >> circle.hollow").count() == 1 + 1  # almanac, and the legend's
    assert "prior" in page.get_by_role("table", name="Experts of the model").locator("tr:has-text('almanac')").inner_text()
    text = page.locator("main").inner_text()
    for word in ("learnt from outcomes", "agrees in 96 % (86 to 100)", "not trusted", "no better than chance"):
        assert word in text, word


def test_a_run_leads_to_its_page_of_this_gateway_only(visit, mock):
    told = mock.world.runs

    def runs():
        found = told()
        found["runs"][1]["page"] = "https://evil.example/x"
        found["runs"][0]["page"] = "javascript:alert(1)"
        return found
    page = visit.open("orchestrator", "table")
    assert page.get_by_role("link", name="open").get_attribute("href") == "/v1/admin/runs/first/page"
    mock.world.runs = runs
    page.reload()
    page.wait_for_selector("h2:has-text('Runs of self-play')")
    assert page.get_by_role("link", name="open").count() == 0
