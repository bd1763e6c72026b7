"""Signing in and out, keys made, changed and revoked."""

import pytest

from mock import KEY


@pytest.fixture(name="door")
def a_gateway_with_keys(visits, mocks):
    mock = mocks("keys")
    return visits(mock.url), mock


def sign_in(page, key=KEY):
    page.get_by_label("Admin key").fill(key)
    page.get_by_role("button", name="Sign in").click()


@pytest.mark.quick
def test_one_signs_in_once_and_out(door):
    visit, mock = door
    page = visit.open("keys")
    assert visit.heading() == "Sign in to this gateway"
    assert "leeroo keys create --role admin" in page.locator("main").inner_text()
    assert page.locator("header.top").is_hidden()
    sign_in(page, "lr-wrong")
    page.wait_for_selector("text=No admin key that is in force")
    assert page.evaluate("document.activeElement.name") == "key"
    sign_in(page)
    page.wait_for_selector("h1:has-text('keys in force')")
    page.wait_for_selector("#live.on")
    assert KEY not in page.content() and "leeroo_session" not in page.evaluate("document.cookie")
    page.reload()
    page.wait_for_selector("h1:has-text('keys in force')")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_selector("text=You have signed out.")
    assert ("DELETE", "/v1/admin/session", None) in mock.world.calls
    page.reload()
    page.wait_for_selector("h1:has-text('Sign in')")


def test_what_changes_something_has_the_token(door):
    visit, mock = door
    page = visit.open("playground")
    sign_in(page)
    page.wait_for_selector("h1:has-text('Playground')")
    page.get_by_label("Question", exact=True).fill("What is 17 * 23?")
    page.wait_for_selector("text=would be asked")
    page.get_by_role("button", name="Ask", exact=True).click()
    page.wait_for_selector("text=The answer is 391.")
    page.reload()  # the token comes again with the session
    page.get_by_label("Question", exact=True).fill("What is 17 * 23?")
    page.wait_for_selector("text=would be asked")


def test_a_session_that_ends_leads_to_the_door(door):
    visit, mock = door
    page = visit.open("now")
    sign_in(page)
    page.wait_for_selector("#live.on")
    mock.world.sessions.clear()
    page.get_by_role("link", name="Keys").click()
    page.wait_for_selector("text=Your session has ended")
    sign_in(page)
    page.wait_for_selector("h1:has-text('keys in force')")


def test_the_door_can_be_read_by_everybody(door):
    visit, _ = door
    visit.open("now")
    assert not visit.axe()


@pytest.mark.quick
def test_a_key_is_shown_once(visit, mock):
    page = visit.open("keys")
    page.get_by_role("button", name="Create a key").click()
    page.get_by_label("Name").fill("night-job")
    page.get_by_label("Budget a day, USD").fill("2.5")
    page.get_by_label("Experts").fill("abacus, sage")
    assert not visit.axe()
    page.get_by_role("dialog").get_by_role("button", name="Create").click()
    page.wait_for_selector(f"dialog >> text={KEY}")
    assert not visit.axe()
    page.get_by_role("button", name="Copy the key").click()
    page.wait_for_selector("text=Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == KEY
    page.get_by_role("button", name="Done").click()
    page.wait_for_selector("tr:has-text('night-job')")
    assert KEY not in page.content() and page.locator("dialog").count() == 0
    assert mock.world.calls[-1] == ("POST", "/v1/admin/keys", {"name": "night-job", "role": "user", "budget_day_usd": 2.5,
                                                              "experts": ["abacus", "sage"]})


def test_the_first_key_is_an_admin_key(visits, mocks):
    mock = mocks("fresh")
    page = visits(mock.url).open("keys")
    page.get_by_role("button", name="Create the first key").click()
    page.wait_for_selector("dialog >> text=it must be an admin key")
    assert page.get_by_label("Role").input_value() == "admin"
    page.get_by_label("Name").fill("me")
    page.get_by_label("Role").select_option("user")
    page.get_by_role("dialog").get_by_role("button", name="Create").click()
    page.wait_for_selector("dialog >> text=the first key turns asking on")
    page.get_by_label("Role").select_option("admin")
    page.get_by_role("dialog").get_by_role("button", name="Create").click()
    page.wait_for_selector(f"dialog >> text={KEY}")


def test_limits_are_changed_and_lifted(visit, mock):
    page = visit.open("keys")
    page.get_by_role("button", name="Change ci-bot").click()
    assert page.get_by_label("Budget a day, USD").input_value() == "5"
    page.get_by_label("Budget a day, USD").fill("")
    page.get_by_label("Budget in all, USD").fill("50")
    page.get_by_role("button", name="Save").click()
    page.wait_for_selector("tr:has-text('ci-bot') >> text=of $50.00")
    body = mock.world.calls[-1][2]
    assert body["budget_day_usd"] is None and body["budget_total_usd"] == 50 and body["requests_per_minute"] == 60


def test_revoking_is_asked_about(visit, mock):
    page = visit.open("keys")
    page.get_by_role("button", name="Revoke ci-bot").click()
    page.get_by_role("button", name="Cancel").click()
    assert not mock.world.calls
    page.get_by_role("button", name="Revoke ci-bot").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    page.wait_for_selector("tr:has-text('ci-bot') >> text=revoked")
    page.get_by_role("button", name="Revoke ada").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    page.wait_for_selector("text=this is the last admin key")


def test_spending_that_was_lost_is_forgiven(visit, mock):
    mock.world.keys[0]["spent_lost"] = True
    page = visit.open("keys")
    page.wait_for_selector("tr:has-text('ci-bot') >> text=spending unknown")
    page.get_by_role("button", name="Change ci-bot").click()
    page.get_by_label("count anew from zero").check()
    page.get_by_role("button", name="Save").click()
    page.wait_for_selector("text=Saved")
    assert mock.world.calls[-1][2]["spent_anew"] is True
