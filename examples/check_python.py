"""A check of answers for `verify: {command: [python3, check_python.py]}`: does the Python of an answer pass its tests?

The question brings the tests in a fence called `tests`; the answer has its code in a fence called `python`. Both run in
a process of their own, because code of an answer that ran in this one could end it with any exit code. What is printed
first is why; exit code 0 passes, 1 rejects, and 2 says that this check has nothing to say.
"""

import json
import re
import secrets
import subprocess
import sys


def say(code, why):
    print(why)
    sys.exit(code)


def fences(name, text):
    return "\n".join(re.findall(rf"^```{name}\n(.*?)^```", text, re.S | re.M))


def main():
    said = json.load(sys.stdin)
    tests, code = fences("tests", said["question"]), fences("python", said["answer"])
    if not tests:
        say(2, "the question brings no tests")
    if not code:
        say(1, "the answer has no code")
    end = secrets.token_hex(16)  # so that code which ends early has not passed
    with open("answer.py", "w") as file:
        file.write(f"{code}\n{tests}\nprint('{end}')\n")
    run = subprocess.run([sys.executable, "-I", "answer.py"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if run.returncode == 0 and run.stdout.endswith(f"{end}\n"):
        say(0, "all tests pass")
    say(1, (run.stderr.strip().splitlines() or ["it ended before its tests did"])[-1])


if __name__ == "__main__":
    try:
        main()
    except (KeyError, ValueError, OSError) as error:  # of this check, not of the answer
        say(2, repr(error))
