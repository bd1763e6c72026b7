"""The page in Chromium. A test gets a `visit`: a browser's tab on a gateway, the mock's or a real one, which fails the
test by itself when a script throws, something breaks the page's policy, or a dialog opens.
"""

import os
import shutil
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from mock import Mock  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
AXE = ROOT / "build" / "browser" / "node_modules" / "axe-core" / "axe.min.js"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]
# Chromium tells these in its console by itself; the page shows what they mean.
EXPECTED = ("Failed to load resource", "net::ERR_")
WATCH = """
window.brokenPolicies = [];
document.addEventListener("securitypolicyviolation", (e) => window.brokenPolicies.push(`${e.violatedDirective} ${e.blockedURI} ${e.sample}`));
"""


def pytest_configure(config):
    config.addinivalue_line("markers", "quick: what `make check` runs of these, where a browser is there")


def wait_for(check, what="it did not happen", seconds=15):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = check()
        if found:
            return found
        time.sleep(0.03)
    raise AssertionError(what)


@pytest.fixture(scope="session")
def browser():
    if not CHROMIUM:
        pytest.skip("skipped: no chromium (scripts/install-deps browser)")
    from playwright.sync_api import sync_playwright
    with sync_playwright() as play:
        found = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield found
        found.close()


class Visit:
    """A tab, and what went wrong in it."""

    def __init__(self, browser, url, width=1280, scheme="light", height=900):
        self.url = url
        self.context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme,
                                           permissions=["clipboard-read", "clipboard-write"], reduced_motion="reduce")
        self.context.add_init_script(WATCH)
        self.page = self.context.new_page()
        self.page.set_default_timeout(15000)
        self.problems = []
        self.page.on("pageerror", lambda e: self.problems.append(f"script: {e}"))
        self.page.on("dialog", self.close_dialog)
        self.page.on("console", self.hear)

    def close_dialog(self, dialog):
        self.problems.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def hear(self, message):
        if message.type in ("error", "warning") and not any(word in message.text for word in EXPECTED):
            self.problems.append(f"console: {message.text}")

    def open(self, view, wait="h1"):
        self.page.goto(f"{self.url}/#/{view}")
        self.page.wait_for_selector(f"main {wait}")
        return self.page

    def heading(self):
        return self.page.locator("main h1").inner_text()

    def sideways(self):
        return self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")

    def axe(self):
        """What axe-core finds serious or worse."""
        self.page.evaluate(AXE.read_text())
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [f"{v['id']}: {v['nodes'][0]['html'][:200]} {v['nodes'][0]['failureSummary'][:200]}" for v in found["violations"]
                if v["impact"] in ("serious", "critical")]

    def check(self):
        self.problems += [f"policy: {p}" for p in self.page.evaluate("window.brokenPolicies || []")]
        assert not self.problems, self.problems

    def close(self):
        self.context.close()


@pytest.fixture
def visits(browser):
    """visits(url, width=, scheme=): any number of tabs, looked at for problems when the test is over."""
    opened = []

    def start(url, **options):
        opened.append(Visit(browser, url, **options))
        return opened[-1]
    yield start
    try:
        for visit in opened:
            visit.check()
    finally:
        for visit in opened:
            visit.close()


@pytest.fixture
def mocks():
    """mocks(scenario): a gateway that is none."""
    started = []

    def start(scenario="busy", **options):
        started.append(Mock(scenario, **options))
        return started[-1]
    yield start
    for mock in started:
        mock.close()


@pytest.fixture
def mock(mocks):
    return mocks()


@pytest.fixture
def visit(visits, mock):
    return visits(mock.url)


@pytest.fixture(scope="session")
def leeroo():
    path = Path(os.environ.get("LEEROO_BIN", ROOT / "build" / "leeroo")).resolve()
    assert path.exists(), f"{path} is not built"
    return str(path)
