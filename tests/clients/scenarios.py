"""What agents are made to do, and what the experts behind the gateway say to them: played by the real clients in the
tests here, and recorded from them into tests/sessions by tests/sessions/record.py."""

import base64

RED_DOT = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")

PATCH = """apply_patch <<'EOF'
*** Begin Patch
*** Update File: greet.py
@@
-print("hi")
+print("hello")
*** End Patch
EOF
"""


# Where clients ask for models by names of their vendor's, which they know to have tools of other kinds.
ALIASES = 'aliases: {"gpt-*": leeroo, "claude-*": leeroo}'


def codex_runs(name, arguments, number):
    return {"id": f"call_{number}", "name": name, "arguments": arguments}


def shell(command, number):
    return codex_runs("exec_command", {"cmd": command}, number)


CODEX = {
    "edit": {
        "about": "It looks around, edits a file, looks at an image of its own accord, and runs the file.",
        "files": {"greet.py": b'print("hi")\n', "dot.png": RED_DOT},
        "script": [
            {"reasoning": "First I look at what there is.", "text": "I look at the files.", "calls": [shell("ls", 1)]},
            {"reasoning": "The greeting is in greet.py.", "calls": [shell(PATCH, 2)]},
            {"calls": [codex_runs("view_image", {"path": "dot.png"}, 3), shell("python3 greet.py", 4)]},
            {"text": "It greets now: \"hello\"."}],
        "runs": [{"arguments": ["-i", "dot.png", "--", "make the program greet as in the picture"]}],
        "after": {"greet.py": b'print("hello")\n'},
    },
    "patch": {
        "about": "The model is one of OpenAI's, for which Codex has a tool of free text: the patch is its input.",
        "model": "gpt-5.5",
        "files": {"greet.py": b'print("hi")\n'},
        "script": [
            {"reasoning": "Small enough to do at once.",
             "calls": [codex_runs("apply_patch", {"input": PATCH.split("\n", 1)[1].replace("EOF\n", "")}, 1)]},
            {"calls": [shell("python3 greet.py", 2)]},
            {"text": "It greets now."}],
        "runs": [{"arguments": ["let the program greet"]}],
        "after": {"greet.py": b'print("hello")\n'},
    },
    "code": {
        "about": "The model is one of OpenAI's that calls tools out of code: the only tools are in namespaces, and come in the input.",
        "model": "gpt-6.2-sol",
        "files": {"greet.py": b'print("hi")\n'},
        "script": [
            {"reasoning": "I read it by a program.", "calls": [codex_runs("functions__exec", {
                "input": "const r = await tools.exec_command({cmd: \"cat greet.py\"});\ntext(r.output);\n"}, 1)]},
            {"text": "It says hi."}],
        "runs": [{"arguments": ["what does the program say?"]}],
        "after": {},
    },
    "resumed": {
        "about": "The user interrupts an answer, then a command, and takes the conversation up again each time.",
        "files": {"notes.txt": b"one\n"},
        "script": [
            {"text": "I look.", "calls": [shell("cat notes.txt", 1)]},
            {"text": "There is one note, and it says", "stall": True},
            {"reasoning": "They want to go on.", "text": "I wait for a second note.", "calls": [shell("sleep 30", 2)]},
            {"text": "There is one note: \"one\"."}],
        "runs": [{"arguments": ["what do the notes say?"], "interrupt": 2},
                 {"arguments": ["go on"], "resume": True, "interrupt": 3},
                 {"arguments": ["no, just tell me"], "resume": True}],
        "after": {},
    },
}


def claude_runs(name, arguments, number):
    return {"id": f"toolu_{number:02}", "name": name, "arguments": arguments}


CLAUDE = {
    "edit": {
        "about": "It reads a file, edits it, looks at an image beside it, and runs the file.",
        "files": {"greet.py": b'print("hi")\n', "dot.png": RED_DOT},
        "script": [
            {"reasoning": "First I look at what there is.", "text": "I read the file.",
             "calls": [claude_runs("Read", {"file_path": "greet.py"}, 1)]},
            {"reasoning": "The greeting is in line 1.",
             "calls": [claude_runs("Edit", {"file_path": "greet.py", "old_string": "hi", "new_string": "hello"}, 2)]},
            {"reasoning": "Now the picture, and whether it runs.",
             "calls": [claude_runs("Read", {"file_path": "dot.png"}, 3),
                       claude_runs("Bash", {"command": "python3 greet.py", "description": "Runs the program"}, 4)]},
            {"reasoning": "It says hello.", "text": "It greets now: \"hello\"."}],
        "runs": [{"arguments": ["make the program greet as in the picture"]}],
        "after": {"greet.py": b'print("hello")\n'},
    },
    "resumed": {
        "about": "The user interrupts an answer, then a command, and takes the conversation up again each time.",
        "files": {"notes.txt": b"one\n"},
        "script": [
            {"text": "I look.", "calls": [claude_runs("Read", {"file_path": "notes.txt"}, 1)]},
            {"text": "There is one note, and it says", "stall": True},
            {"reasoning": "They want to go on.", "text": "I wait for a second note.",
             "calls": [claude_runs("Bash", {"command": "sleep 30", "description": "Waits"}, 2)]},
            {"text": "There is one note: \"one\"."}],
        "runs": [{"arguments": ["what do the notes say?"], "interrupt": 2},
                 {"arguments": ["go on"], "resume": True, "interrupt": 3},
                 {"arguments": ["no, just tell me"], "resume": True}],
        "after": {},
    },
}


def opencode_runs(name, arguments, number):
    return {"id": f"call_{number}", "name": name, "arguments": arguments}


OPENCODE = {
    "edit": {
        "about": "It reads a file, edits it, looks at an image beside it, and runs the file.",
        "files": {"greet.py": b'print("hi")\n', "dot.png": RED_DOT},
        "script": [
            {"text": "I read the file.", "calls": [opencode_runs("read", {"filePath": "greet.py"}, 1)]},
            {"calls": [opencode_runs("edit", {"filePath": "greet.py", "oldString": "hi", "newString": "hello"}, 2)]},
            {"calls": [opencode_runs("read", {"filePath": "dot.png"}, 3),
                       opencode_runs("bash", {"command": "python3 greet.py", "description": "Runs the program"}, 4)]},
            {"text": "It greets now: \"hello\"."}],
        "runs": [{"arguments": ["make the program greet as in the picture"]}],
        "after": {"greet.py": b'print("hello")\n'},
    },
    "resumed": {
        "about": "The user interrupts an answer, then a command, and takes the conversation up again each time.",
        "files": {"notes.txt": b"one\n"},
        "script": [
            {"text": "I look.", "calls": [opencode_runs("read", {"filePath": "notes.txt"}, 1)]},
            {"text": "There is one note, and it says", "stall": True},
            {"text": "I wait for a second note.", "calls": [opencode_runs("bash", {"command": "sleep 30", "description": "Waits"}, 2)]},
            {"text": "There is one note: \"one\"."}],
        "runs": [{"arguments": ["what do the notes say?"], "interrupt": 2},
                 {"arguments": ["go on"], "resume": True, "interrupt": 3},
                 {"arguments": ["no, just tell me"], "resume": True}],
        "after": {},
    },
}
