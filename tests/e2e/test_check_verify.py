"""leeroo check tries the checks that policies hold answers to; and the check of examples/ does what it says."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from conftest import KEY, ROOT, write_config
from serving import JsonServer


class Judge(JsonServer):
    """A service that checks answers."""

    def __init__(self):
        self.seen = []
        super().__init__()

    def reply(self, method, path, headers, body):
        self.seen.append((path, headers, body))
        return (200, {"pass": body["answer"] == "4", "reason": "2 + 2 is 4"}) if path == "/check" else (503, {})


@pytest.fixture
def judge():
    service = Judge()
    yield service
    service.close()


@pytest.fixture
def folder():
    """One that anybody can reach: started by root, commands run as nobody."""
    with tempfile.TemporaryDirectory() as path:
        os.chmod(path, 0o755)
        yield Path(path)


@pytest.fixture
def check(leeroo, model_file, folder):
    def run(verify, *more):
        path = write_config(folder, model_file, "http://127.0.0.1:1/v1",
                            policies=f"policies:\n  code: {{lambda: 20, verify: {verify}}}\n  plain: {{lambda: 1}}\n")
        done = subprocess.run([leeroo, "check", "-c", str(path), *more], capture_output=True, text=True, timeout=60,
                              env={**os.environ, "UP_KEY": KEY, "CHECK_KEY": "sk-of-a-check"})
        assert "sk-of-a-check" not in done.stdout + done.stderr, "keys are never shown"
        return done
    return run


def line_of(done):
    (line,) = [line for line in done.stdout.split("its answers are checked by\n")[1].splitlines() if line.startswith("code")]
    return line


def test_a_command_runs_once_with_a_sample(check, folder):
    script = folder / "check.py"
    script.write_text("import json, sys\nd = json.load(sys.stdin)\nprint('said', d['answer'])\nsys.exit(d['answer'] != '4')\n")
    done = check("{command: [python3, check.py], strict: true}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "command:check.py, passes a sample in " in line_of(done) and line_of(done).endswith(" ms: said 4; strict")
    script.write_text("import sys\nsys.exit(1)\n")
    assert ", rejects a sample in " in line_of(check("{command: [python3, check.py]}"))
    found = json.loads(check("{command: [python3, check.py], name: mine}", "--json").stdout)
    code, plain = found["policies"]
    assert "verify" not in plain
    took = code["verify"].pop("took_ms")
    assert took >= 0 and code["verify"] == {"name": "mine", "kind": "command", "strict": False, "tried": True, "fine": True,
                                            "verdict": "reject", "why": "exit code 1"}


def test_a_command_that_has_nothing_to_say_is_fine(check, folder):
    (folder / "check.py").write_text((ROOT / "examples" / "check_python.py").read_text())
    done = check("{command: [python3, check.py]}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "says nothing of a sample in " in line_of(done)
    assert line_of(done).endswith("exit code 2: the question brings no tests")


@pytest.mark.parametrize("command, why", [
    ("[leeroo-no-such-program]", "there is no program 'leeroo-no-such-program'"),
    ("[./check]", "there is no program '"),
    ("[sh, -c, leeroo-no-such-program]", "exit code 127"),
])
def test_a_command_that_is_not_there_is_a_failure(check, command, why):
    done = check(f"{{command: {command}}}")
    assert done.returncode == 1 and ", cannot be asked: " in line_of(done) and why in line_of(done)
    assert done.stdout.endswith("2 policies, not all checks can be asked\n")
    found = json.loads(check(f"{{command: {command}}}", "--json").stdout)
    assert found["fine"] is False and found["policies"][0]["verify"]["fine"] is False


def test_a_service_is_asked_where_services_are(check, judge):
    verify = f"{{http: '{judge.url}/check', key: 'env:CHECK_KEY'}}"
    done = check(verify)
    assert done.returncode == 0 and line_of(done).endswith(f"http:{judge.host}, not asked (--connect asks it)")
    assert judge.seen == []
    assert "passes a sample in " in line_of(check(verify, "--connect")) and len(judge.seen) == 1
    _, headers, body = judge.seen[0]
    assert headers["authorization"] == "Bearer sk-of-a-check"
    assert body["question"] == "What is 2 + 2?" and body["request"]["messages"][0]["role"] == "user"
    done = check(f"{{http: '{judge.url}/other'}}", "--connect")
    assert done.returncode == 1 and ", cannot be asked: HTTP 503" in line_of(done)
    assert done.stdout.endswith("not all experts and checks can be asked\n")


def test_schemas_and_experts_need_no_trial(check):
    assert line_of(check("{schema: true}")).endswith("schema, of the request itself")
    assert line_of(check("{expert: mid}")).endswith("expert:mid, an expert")


def test_a_mistake_is_named_with_its_place(check):
    done = check("{schema: true, memory: 1MiB}")
    assert done.returncode == 1 and "leeroo.yaml:" in done.stderr and "memory must be between" in done.stderr


QUESTION = "Write f.\n```tests\nassert f(3) == 9, 'f of 3'\n```\n"


@pytest.mark.parametrize("question, answer, code, why", [
    (QUESTION, "```python\ndef f(x): return x * x\n```", 0, "all tests pass"),
    (QUESTION, "```python\ndef f(x): return x + x\n```", 1, "AssertionError: f of 3"),
    (QUESTION, "```python\nf = = 1\n```", 1, "SyntaxError: invalid syntax"),
    (QUESTION, "```python\nimport sys; sys.exit(0)\n```", 1, "it ended before its tests did"),
    (QUESTION, "nine", 1, "the answer has no code"),
    ("Write f.", "```python\n1\n```", 2, "the question brings no tests"),
    (None, "", 2, "KeyError('question')"),
])
def test_the_check_of_the_examples(tmp_path, question, answer, code, why):
    said = {"answer": answer} if question is None else {"question": question, "answer": answer}
    done = subprocess.run([sys.executable, str(ROOT / "examples" / "check_python.py")], input=json.dumps(said), cwd=tmp_path,
                          capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.strip()) == (code, why)


AWK_QUESTION = "Sum up column 1.\n```tests\n< 1 2\n< 3 4\n> 4\n\n> 0\n```\n"


@pytest.mark.parametrize("question, answer, code, why", [
    (AWK_QUESTION, 'Here is "it":\n```awk\n{ s += $1 }\nEND { print s + 0 }\n```', 0, "all 2 tests pass"),
    (AWK_QUESTION, "```awk\n{ s += $1 }\nEND { print s }\n```", 1, 'test 2 of 2: line 1 is "", not "0"'),
    (AWK_QUESTION, "```awk\n{ s += $1 }\n```", 1, 'test 1 of 2: line 1 is missing, "4"'),
    (AWK_QUESTION, "```awk\nEND { print 4; print 5 }\n```", 1, 'test 1 of 2: prints "5" beyond its end'),
    (AWK_QUESTION, "```awk\nBEGIN { while (1) i++ }\n```", 1, "test 1 of 2: no end after 1 s of processor time"),
    (AWK_QUESTION, "```awk\nBEGIN { while (1) print }\n```", 1, "test 1 of 2: prints more than 64 KiB"),
    (AWK_QUESTION, "```awk\n{ exit 7 }\n```", 1, "test 1 of 2: awk ends with exit code 7"),
    (AWK_QUESTION, "four", 1, "the answer has no fence called awk"),
    ("What is 2 + 2?", "4", 2, "the question brings no tests"),
    (None, "4", 2, "this is no document of a check"),
])
def test_the_check_of_the_examples_for_awk(tmp_path, question, answer, code, why):
    said = {"answer": answer} if question is None else {"question": question, "answer": answer}
    done = subprocess.run(["sh", str(ROOT / "examples" / "check_awk.sh")], input=json.dumps(said, separators=(",", ":")),
                          cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.strip()) == (code, why)
