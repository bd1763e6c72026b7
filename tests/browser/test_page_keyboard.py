"""Everything without a mouse."""

import pytest


def focused(page):
    return page.evaluate("(document.activeElement.innerText || document.activeElement.getAttribute('aria-label') || document.activeElement.id || document.activeElement.tagName).trim()")


def tab_to(page, text, most=60):
    for _ in range(most):
        page.keyboard.press("Tab")
        if focused(page).startswith(text):
            return
    raise AssertionError(f"no Tab leads to {text}")


@pytest.mark.quick
def test_a_question_is_asked_by_keyboard_alone(visit):
    page = visit.open("now")
    page.wait_for_selector("#live.on")
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to the content"
    tab_to(page, "Playground")
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:has-text('Playground')")
    page.wait_for_function("() => document.activeElement.tagName === 'H1'")
    page.keyboard.press("Tab")
    page.keyboard.type("What is 17 * 23?")
    page.wait_for_selector("text=would be asked")
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.type") == "range":
            break
    page.keyboard.press("Home")
    page.wait_for_selector("p.lede:has-text('sage would be asked'):has-text('95.0 %')")
    tab_to(page, "Ask")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=The answer is 391.")


def test_the_skip_link_skips(visit):
    page = visit.open("requests")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "view"
    assert page.url.endswith("#/requests")


def test_a_dialog_keeps_the_focus_and_gives_it_back(visit):
    page = visit.open("keys")
    page.get_by_role("button", name="Revoke ci-bot").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog")
    for _ in range(6):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('dialog')")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")
    assert focused(page).startswith("Revoke")


def test_news_do_not_take_the_focus(visit, mock):
    told = mock.world.now
    mock.world.errors = [{"at_ms": 1796138435000, "id": "req_a", "expert": "sage", "status": 502, "message": "one"}]
    page = visit.open("now")
    page.wait_for_selector("text=one")
    link = page.locator("main a[href='#/requests/req_a']")
    link.focus()
    mock.world.now = lambda: {**told(), "in_flight": 77}
    page.wait_for_selector(".tile >> text=77")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#/requests/req_a"


def test_focus_is_seen(visit):
    page = visit.open("now")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
