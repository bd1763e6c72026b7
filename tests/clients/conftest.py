"""The fixtures of the end-to-end tests, for clients that are programs of their own."""

import importlib.util
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
for folder in (TESTS / "clients", TESTS / "sessions", TESTS / "e2e"):
    sys.path.insert(0, str(folder))

spec = importlib.util.spec_from_file_location("e2e_conftest", TESTS / "e2e" / "conftest.py")
e2e = importlib.util.module_from_spec(spec)
sys.modules["e2e_conftest"] = e2e
spec.loader.exec_module(e2e)

leeroo, model_file, upstream, start_gateway, gateway = e2e.leeroo, e2e.model_file, e2e.upstream, e2e.start_gateway, e2e.gateway
