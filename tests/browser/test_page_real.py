"""The page on a real gateway of this build, over the demo's experts: what it asks is there, and is understood."""

import re
import shutil
import subprocess
import threading
import time
import urllib.error
import urllib.request
import json

import pytest

from conftest import wait_for

ASKED = "What is 17 * 23?"
VIEWS = ["now", "requests", "playground", "orchestrator", "keys"]


class Program:
    def __init__(self, *argv, cwd):
        self.lines = []
        self.process = subprocess.Popen([str(a) for a in argv], cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        threading.Thread(target=lambda: self.lines.extend(self.process.stdout), daemon=True).start()

    def line(self, pattern, seconds=40):
        def found():
            return next((m for m in (re.search(pattern, line) for line in list(self.lines)) if m), None)
        try:
            return wait_for(found, seconds=seconds)
        except AssertionError:
            raise AssertionError(f"never printed {pattern}: {self.lines[-5:]}") from None

    def end(self):
        self.process.terminate()
        self.process.wait(30)


@pytest.fixture(scope="module", name="world")
def demo(leeroo, tmp_path_factory):
    """The demo's experts, its model and its run of self-play."""
    folder = tmp_path_factory.mktemp("page")
    program = Program(leeroo, "demo", "--keep", "--dir", folder / "demo", "--queries", "300", cwd=folder)
    program.line("/v1/chat/completions")
    shutil.copytree(folder / "demo" / "play", folder / "runs" / "first")
    yield folder
    program.end()


@pytest.fixture
def gateways(world, leeroo):
    started = []

    def start(name, top="", model=True):
        experts = re.findall(r"- name: (\S+)\n    url: (\S+)", (world / "demo" / "leeroo.yaml").read_text())
        assert len(experts) == 4, experts
        price = "" if model else "\n    price: {input: 0.1, output: 0.2}"
        lines = ["listen: 127.0.0.1:0", "model: demo/orchestrator.safetensors" if model else "", top, "policies:", "  default: {lambda: 100}",
                 "  thrifty: {budget: 0.10}", "experts:"] + [f"  - name: {n}\n    url: {url}{price}" for n, url in experts]
        (world / f"{name}.yaml").write_text("\n".join(lines) + "\n")
        gateway = Program(leeroo, "serve", "-c", f"{name}.yaml", cwd=world)
        started.append(gateway)
        gateway.url = "http://" + gateway.line(r"(127\.0\.0\.1:\d+)")[1]
        return gateway
    yield start
    for gateway in started:
        gateway.end()


def ask(url, question=ASKED, model="leeroo", **headers):
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": question}]}).encode()
    request = urllib.request.Request(url + "/v1/chat/completions", body, {"content-type": "application/json", **headers})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.headers["x-leeroo-request-id"]


def test_all_views_of_a_gateway_that_works(visits, gateways):
    gateway = gateways("works", "state_dir: works-state\nreference: sage\nruns: runs\nkeep: {share: 1, days: 1}\n")
    ids = [ask(gateway.url, f"What is {i} * 23?") for i in range(12)]
    visit = visits(gateway.url)
    page = visit.open("now")
    page.wait_for_selector("#live.on")
    page.wait_for_selector("h1:has-text('Today 12 requests')")
    ask(gateway.url)
    page.wait_for_selector("h1:has-text('Today 13 requests')")
    assert not visit.axe()
    visit.open("requests")
    page.wait_for_selector("text=13 requests, which are all")
    page.get_by_label("Search").fill(ids[3])
    page.get_by_role("button", name="Find").click()
    page.wait_for_selector("text=1 request, which are all")
    page.locator("main tbody a").first.click()
    page.wait_for_selector("h2:has-text('What it cost')")
    text = page.locator("main").inner_text()
    for word in (ids[3], "chosen", "all that was paid", "What is 3 * 23?"):
        assert word in text, word
    visit.open("orchestrator")
    page.wait_for_selector("figure path.curve")
    page.wait_for_selector("tr:has-text('first') >> text=Publish")
    assert not visit.axe()
    visit.open("keys")
    page.wait_for_selector("text=There is no key, yet")


def test_the_playground_of_a_gateway_that_works(visits, gateways):
    gateway = gateways("plays", "state_dir: plays-state\n")
    visit = visits(gateway.url)
    page = visit.open("playground")
    page.get_by_label("Question", exact=True).fill(ASKED)
    page.wait_for_selector("p.lede:has-text('abacus would be asked')")
    page.get_by_role("slider").fill("0")
    page.wait_for_selector("p.lede:has-text('sage would be asked')")
    page.get_by_label("and beside it").select_option("lexicon")
    page.get_by_role("button", name="Ask", exact=True).click()
    page.wait_for_selector(".answer >> nth=1 >> text=in all")
    page.wait_for_selector(".answer >> nth=0 >> text=391")
    page.locator(".answer").first.get_by_role("button", name="Right").click()
    page.wait_for_selector("text=Written down")
    page.locator(".answer").first.get_by_role("link").click()
    page.wait_for_selector("text=Score 1")


def test_without_model_and_ledger_it_says_how_to_get_them(visits, gateways):
    gateway = gateways("bare", model=False)
    page = visits(gateway.url).open("now")
    for word in ("No request has come yet", "No model is in force", "No ledger is kept"):
        page.wait_for_selector(f"text={word}")
    page.goto(f"{gateway.url}/#/requests")
    page.wait_for_selector("h2:has-text('No ledger is kept')")
    page.goto(f"{gateway.url}/#/orchestrator")
    page.wait_for_selector("h1:has-text('No model is in force')")


def test_the_first_key_shuts_the_door_and_opens_it(visits, gateways):
    gateway = gateways("keys", "state_dir: keys-state\n")
    visit = visits(gateway.url)
    page = visit.open("keys")
    page.get_by_role("button", name="Create the first key").click()
    page.get_by_label("Name").fill("me")
    page.get_by_role("dialog").get_by_role("button", name="Create").click()
    page.wait_for_selector("dialog .secret")
    key = page.locator("dialog .secret").inner_text()
    assert key.startswith("lr-")
    page.get_by_role("button", name="Done").click()
    page.wait_for_selector("h1:has-text('Sign in')")
    page.get_by_label("Admin key").fill("lr-" + "x" * 43)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_selector("text=No admin key that is in force")
    page.get_by_label("Admin key").fill(key)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_selector("h1:has-text('1 key')")
    page.wait_for_selector("#live.on")
    page.get_by_role("button", name="Create a key").click()
    page.get_by_label("Name").fill("ci-bot")
    page.get_by_label("Budget a day, USD").fill("0.5")
    page.get_by_role("dialog").get_by_role("button", name="Create").click()
    user = page.locator("dialog .secret").inner_text()
    page.get_by_role("button", name="Done").click()
    page.wait_for_selector("tr:has-text('ci-bot'):has-text('of $0.500')")
    ask(gateway.url, authorization=f"Bearer {user}")
    page.get_by_role("link", name="Playground").click()  # a cookie and its token do what a key does
    page.get_by_label("Question", exact=True).fill(ASKED)
    page.wait_for_selector("text=would be asked")
    page.get_by_role("button", name="Ask", exact=True).click()
    page.wait_for_selector(".answer >> text=391")
    page.get_by_role("link", name="Keys").click()
    page.get_by_role("button", name="Revoke ci-bot").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    page.wait_for_selector("tr:has-text('ci-bot') >> text=revoked")
    page.get_by_role("button", name="Revoke me").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    page.wait_for_selector("main .error")
    with pytest.raises(urllib.error.HTTPError) as refused:
        wait_for(lambda: ask(gateway.url, authorization=f"Bearer {user}") and time.sleep(0.3), "the key still works", 10)
    assert refused.value.code == 401
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_selector("text=You have signed out.")


def test_a_gateway_that_ends_is_not_live(visits, gateways):
    gateway = gateways("ends")
    page = visits(gateway.url).open("now")
    page.wait_for_selector("#live.on")
    gateway.end()
    page.wait_for_selector("#live.off")
