"""scripts/prices: what becomes of data/prices.csv when a newer file of prices comes."""

import csv
import json
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SCRIPT = ROOT / "scripts" / "prices"
TABLE = ROOT / "data" / "prices.csv"

LLM_PRICES = {"updated_at": "2030-01-01", "prices": [
    {"id": "gpt-4o", "vendor": "openai", "name": "GPT-4o", "input": 1.5, "output": 6, "input_cached": 0.75},
    {"id": "gpt-9", "vendor": "openai", "name": "GPT-9", "input": 0.1, "output": 0.4, "input_cached": None},
    {"id": "gpt-9-tts", "vendor": "openai", "name": "GPT-9 TTS", "input": 0.1, "output": 0.4, "input_cached": None},
    {"id": "it-1", "vendor": "nobody", "name": "It", "input": 1, "output": 1, "input_cached": None}]}
MODELS_DEV = {
    "openai": {"models": {
        "gpt-4o": {"id": "gpt-4o", "cost": {"input": 1.5, "output": 6, "cache_read": 0.75},
                   "limit": {"context": 128000, "output": 16384}, "tool_call": True, "attachment": True, "reasoning": False},
        "gpt-4o-2024-08-06": {"id": "gpt-4o-2024-08-06", "cost": {"input": 2, "output": 8},
                              "limit": {"context": 128000, "output": 16384}, "tool_call": True}}},
    "google": {"models": {
        "gemini-9": {"id": "gemini-9", "cost": {"input": 2, "output": 8, "cache_read": 0.5, "cache_write": 2.5, "reasoning": 9},
                     "limit": {"context": 1000, "output": 100}, "tool_call": True, "reasoning": True},
        "gemini-9-preview-09-2030": {"id": "x", "cost": {"input": 2, "output": 8}, "limit": {}}}}}
LITELLM = {"sample_spec": {"mode": "x"}, "xai/grok-9": {
    "litellm_provider": "xai", "mode": "chat", "input_cost_per_token": 3e-06, "output_cost_per_token": 1.5e-05,
    "input_cost_per_token_batches": 1.5e-06, "output_cost_per_token_batches": 7.5e-06, "max_input_tokens": 5,
    "supports_vision": True, "supports_reasoning": True}}


def read(path):
    with open(path, newline="") as f:
        return list(csv.DictReader(f))


def find(rows, provider, model):
    found = [row for row in rows if (row["provider"], row["model"]) == (provider, model)]
    assert len(found) == 1, f"{provider} {model}: {len(found)} rows"
    return found[0]


def update(folder, data, *options):
    """The table after an update from `data`, and what was there before."""
    table, file = folder / "prices.csv", folder / "new.json"
    if not table.exists():
        table.write_bytes(TABLE.read_bytes())
    before = read(table)
    file.write_text(json.dumps(data))
    done = subprocess.run([SCRIPT, file, "--table", table, "--date", "2030-01-02", *options], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return read(table), before


def test_known_models_get_new_prices(tmp_path):
    rows, before = update(tmp_path, LLM_PRICES, "--source", "llm-prices")
    old, new = find(before, "openai", "gpt-4o"), find(rows, "openai", "gpt-4o")
    assert (new["input"], new["output"], new["cached_input"]) == ("1.5", "6", "0.75")
    assert (new["date"], new["source"]) == ("2030-01-02", "llm-prices")
    for kept in ("aliases", "context", "abilities", "max_output"):
        assert new[kept] == old[kept] != ""
    assert len(rows) == len(before) + 1
    assert find(rows, "openai", "gpt-9")["source"] == "llm-prices"
    gone = {(row["provider"], row["model"]) for row in before} - {(row["provider"], row["model"]) for row in rows}
    assert not gone
    assert [row for row in rows if row["source"] != "llm-prices"] == [row for row in before if row["model"] != "gpt-4o"
                                                                      or row["provider"] != "openai"]


def test_only_known(tmp_path):
    rows, before = update(tmp_path, LLM_PRICES, "--only-known")
    assert len(rows) == len(before)
    assert find(rows, "openai", "gpt-4o")["input"] == "1.5"


def test_models_dev(tmp_path):
    rows, _ = update(tmp_path, MODELS_DEV)
    new = find(rows, "google", "gemini-9")
    assert (new["cached_input"], new["cache_write"], new["reasoning"], new["context"]) == ("0.5", "2.5", "9", "1000")
    assert new["abilities"] == "tools|json|reasoning"


def test_a_dated_model_leaves_its_family_when_its_price_does(tmp_path):
    rows, before = update(tmp_path, MODELS_DEV)
    assert "gpt-4o-2024-08-06" in find(before, "openai", "gpt-4o")["aliases"].split("|")
    assert "gpt-4o-2024-08-06" not in find(rows, "openai", "gpt-4o")["aliases"].split("|")
    assert find(rows, "openai", "gpt-4o-2024-08-06")["input"] == "2"


def test_litellm(tmp_path):
    rows, _ = update(tmp_path, LITELLM)
    new = find(rows, "xai", "grok-9")
    assert (new["input"], new["output"], new["batch_input"], new["batch_output"]) == ("3", "15", "1.5", "7.5")
    assert new["abilities"] == "images|reasoning"


def test_older_files_change_nothing(tmp_path):
    rows, before = update(tmp_path, LLM_PRICES, "--date", "2020-01-01", "--only-known")
    assert rows == before


def test_odd_amounts_are_passed_over(tmp_path):
    odd = [{"id": f"gpt-9{chr(97 + i)}", "vendor": "openai", "input": price, "output": 1} for i, price in
           enumerate([-1, "n/a", float("nan"), float("inf"), 1e300, [], True])]
    rows, before = update(tmp_path, {"prices": [*odd, *LLM_PRICES["prices"]]})
    assert len(rows) == len(before) + 1
    assert find(rows, "openai", "gpt-4o")["input"] == "1.5"


def test_a_cached_price_above_a_new_one_is_no_longer_known(tmp_path):
    rows, before = update(tmp_path, {"prices": [{"id": "gpt-4o", "vendor": "openai", "input": 0.5, "output": 1}]})
    assert float(find(before, "openai", "gpt-4o")["cached_input"]) > 0.5
    assert find(rows, "openai", "gpt-4o")["cached_input"] == ""


@pytest.mark.parametrize("text, complaint", [
    ('{"a": 1}', "none of llm-prices, models.dev and LiteLLM"), ("[]", "none of llm-prices, models.dev and LiteLLM"),
    ("<html>", "x.json: Expecting value"), (None, "No such file")])
def test_what_is_no_file_of_prices(tmp_path, text, complaint):
    if text:
        (tmp_path / "x.json").write_text(text)
    done = subprocess.run([SCRIPT, tmp_path / "x.json"], capture_output=True, text=True)
    assert done.returncode != 0
    assert complaint in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize("column, value, complaint", [
    ("input", "-1", "input is no amount"), ("output", "", "a price is missing"), ("date", "soon", "no date"),
    ("abilities", "flight", "unknown ability flight"), ("context", "0", "context is no count"),
    ("cached_input", "99", "cached_input is above input"),
    ("aliases", "gpt-4o-mini", "'gpt-4o-mini' is also")])
def test_the_build_refuses_a_broken_table(tmp_path, column, value, complaint):
    rows = read(TABLE)
    find(rows, "openai", "gpt-4o")[column] = value
    with open(tmp_path / "t.csv", "w", newline="") as f:
        out = csv.DictWriter(f, rows[0].keys())
        out.writeheader()
        out.writerows(rows)
    done = subprocess.run([SCRIPT, "--compile", tmp_path / "t.csv", tmp_path / "t.c"], capture_output=True, text=True)
    assert done.returncode != 0
    assert complaint in done.stderr
    assert not (tmp_path / "t.c").exists()
