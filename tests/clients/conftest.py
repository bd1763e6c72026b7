"""The fixtures of the end-to-end tests, for clients that are programs of their own."""

import importlib.util
import os
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
for folder in (TESTS / "clients", TESTS / "sessions", TESTS / "e2e"):
    sys.path.insert(0, str(folder))

spec = importlib.util.spec_from_file_location("e2e_conftest", TESTS / "e2e" / "conftest.py")
e2e = importlib.util.module_from_spec(spec)
sys.modules["e2e_conftest"] = e2e
spec.loader.exec_module(e2e)

from helpful import helpful  # noqa: E402
from upstream import Upstream  # noqa: E402

leeroo, model_file, upstream, start_gateway, gateway = e2e.leeroo, e2e.model_file, e2e.upstream, e2e.start_gateway, e2e.gateway


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Where all clients are demanded, one that is not installed is a failure."""
    report = yield
    if report.skipped and os.environ.get("LEEROO_REQUIRE_CLIENTS"):
        report.outcome, report.longrepr = "failed", f"skipped, but LEEROO_REQUIRE_CLIENTS is set: {report.longrepr[-1]}"
    return report


@pytest.fixture(scope="module", params=["openai", "anthropic"])
def stage(request, leeroo, model_file, tmp_path_factory):
    """A gateway in front of helpful experts of one dialect, for all tests of a file."""
    up = Upstream()
    for name in e2e.EXPERTS:
        up.on(name, helpful)
    g = e2e.Gateway(leeroo, e2e.write_config(tmp_path_factory.mktemp("clients"), model_file, up.url,
                                             expert=f"dialect: {request.param}\nretries: 0\nbreaker: off\n"))
    yield g, up
    g.client.close()
    assert g.stop() == 0 and "ERROR: " not in g.text and "runtime error" not in g.text, g.text
    up.close()


@pytest.fixture
def url(stage):
    return stage[0].url + "/v1"


@pytest.fixture
def cancelled(stage):
    """That the expert's call ends when the client leaves."""
    upstream = stage[1]
    upstream.requests.clear()

    def check():
        stalled = [r for r in upstream.requests if "please stall" in str(r.json)]
        assert stalled and all(r.cancelled.wait(10) for r in stalled)
    return check
