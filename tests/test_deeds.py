from __future__ import annotations

from dataclasses import replace

import pytest

from qagent.qwen.habits.deeds import Deeds, came_out_well, deeds
from qagent.types import AssistantMessage, BadCall, Message, Risk, ToolCall, ToolResult, UserMessage

RISKS: dict[str, Risk] = {"read_file": "read", "edit_file": "write", "write_file": "write", "run": "command"}
TASK = UserMessage("Fix it.")
NUDGE = UserMessage("Go on.", "harness")
EDITED = ToolResult("1.1", "edited", changed=("a.py",))


def called(*names: str, command: str = "pytest") -> AssistantMessage:
    return AssistantMessage(
        "", tuple(ToolCall(f"1.{number}", name, {"command": command}) for number, name in enumerate(names, 1))
    )


EDIT = AssistantMessage("", (ToolCall("2.1", "edit_file", {}),))
FAILED = ToolResult("2.1", "no", ok=False, good=False)
ONE = Deeds(calls=1, edits=1, changed=frozenset({"a.py"}))
LOGS: dict[str, tuple[list[Message], Deeds]] = {
    "nothing": ([TASK], Deeds()),
    "a read": ([TASK, called("read_file"), ToolResult("1.1", "x")], Deeds(calls=1)),
    "an edit": ([TASK, called("edit_file"), EDITED], ONE),
    "a failed edit": ([TASK, called("edit_file"), ToolResult("1.1", "no", ok=False)], Deeds(calls=1)),
    "an edit that changed nothing": ([TASK, called("write_file"), ToolResult("1.1", "as before")], Deeds(calls=1)),
    "an edit that was not run": ([TASK, called("edit_file")], Deeds()),
    "an edit that waited": ([TASK, called("edit_file"), ToolResult("1.1", "", False, fate="not_run")], Deeds()),
    "an edit that was refused": (
        [TASK, called("edit_file"), ToolResult("1.1", "", False, fate="refused")],
        Deeds(refused=1),
    ),
    "two edits": (
        [TASK, called("edit_file", "write_file"), EDITED, ToolResult("1.2", "", changed=("b.py",))],
        Deeds(calls=2, edits=2, changed=frozenset({"a.py", "b.py"})),
    ),
    "edit, then test": (
        [TASK, called("edit_file", "run"), EDITED, ToolResult("1.2", "exit 0")],
        Deeds(2, 1, frozenset({"a.py"}), 1, tested=True),
    ),
    "edit, then a failing test": (
        [TASK, called("edit_file", "run"), EDITED, ToolResult("1.2", "exit 1", good=False)],
        Deeds(2, 1, frozenset({"a.py"}), 1, red=True),
    ),
    "edit, then a test that was stopped": (
        [TASK, called("edit_file", "run"), EDITED, ToolResult("1.2", "stopped", ok=False, good=False)],
        Deeds(2, 1, frozenset({"a.py"}), 1, red=True),
    ),
    "test, then edit": (
        [TASK, called("run", "edit_file"), ToolResult("1.1", "exit 0"), ToolResult("1.2", "", changed=("a.py",))],
        Deeds(2, 1, frozenset({"a.py"}), 1),
    ),
    "a green test and one that was refused": (
        [TASK, called("run", "run"), ToolResult("1.1", "exit 0"), ToolResult("1.2", "", False, fate="refused")],
        Deeds(1, commands=1, tested=True, refused=1),
    ),
    "a green test and one that waits": (
        [TASK, called("run", "run"), ToolResult("1.1", "exit 0"), ToolResult("1.2", "", False, fate="not_run")],
        Deeds(1, commands=1, tested=True),
    ),
    "a file moved by a command": (
        [TASK, called("run", command="git mv a.py b.py"), ToolResult("1.1", "exit 0")],
        Deeds(1, 1, frozenset({"git", "mv", "a.py", "b.py"}), 1),
    ),
    "a file not removed": (
        [TASK, called("run", command="rm a.py"), ToolResult("1.1", "exit 1", good=False)],
        Deeds(1, commands=1),
    ),
    "a command that only looks": (
        [TASK, called("run", command="git status"), ToolResult("1.1", "exit 0")],
        Deeds(1, commands=1),
    ),
    "a nudge between": ([TASK, called("edit_file"), EDITED, NUDGE], ONE),
    "a question about it": ([TASK, called("edit_file"), EDITED, UserMessage("Did you fix it?")], ONE),
    "a question without a mark": ([TASK, called("edit_file"), EDITED, UserMessage("Summarize what you did.")], ONE),
    "a new task": ([TASK, called("edit_file"), EDITED, TASK], Deeds()),
    "a bad call": ([TASK, AssistantMessage("", (BadCall("1.1", "", "why"),)), ToolResult("1.1", "", False)], Deeds()),
    "a result of nobody's": ([TASK, ToolResult("9.9", "exit 0")], Deeds()),
}  # fmt: skip


@pytest.mark.parametrize("name", LOGS)
def test_deeds_are_what_the_tool_log_bears_out(name: str) -> None:
    messages, expected = LOGS[name]
    assert replace(deeds(messages, RISKS), tried=frozenset(), well=frozenset(), acted=0) == expected


@pytest.mark.parametrize(
    ("log", "tried", "well"),
    [
        ([called("read_file"), ToolResult("1.1", "x")], {"read"}, {"read"}),
        ([called("read_file"), ToolResult("1.1", "no", ok=False, good=False)], {"read"}, set[Risk]()),
        ([called("run"), ToolResult("1.1", "exit 1", good=False)], {"command"}, set[Risk]()),
        ([called("read_file"), ToolResult("1.1", "x"), EDIT, FAILED], {"read", "write"}, {"read"}),
        ([called("run"), ToolResult("1.1", "", False, fate="refused")], set[Risk](), set[Risk]()),
    ],
)  # fmt: skip
def test_what_was_tried_and_what_went_well_are_told_apart(
    log: list[Message], tried: set[Risk], well: set[Risk]
) -> None:
    done = deeds([TASK, *log], RISKS)
    assert (done.tried, done.well) == (tried, well)


@pytest.mark.parametrize(
    ("command", "acts"),
    [
        *[(line, True) for line in ("git commit -qam x", "git add -A && git commit -m x", "git tag v1", "mkdir build")],
        *[(line, True) for line in ("pip install -e .", "python3 -m pip install x", "npm install", "python -m venv v")],
        *[(line, True) for line in ("make", "cp a b", "npm run build", "curl -O http://x.example", "docker build .")],
        *[(line, False) for line in ("git status", "git log -3", "ls", "cat a.py", "grep -rn x .", "echo hi")],
        *[(line, False) for line in ("pytest -q", "python3 -m unittest", "python3 calc.py", "python -c 'print(1)'")],
        *[(line, False) for line in ("npm test", "npm run test", "cargo test", "go test ./...", "make test")],
        *[(line, False) for line in ("ruff check .", "cd src && pytest -q", "X=1 pytest", "uv run pytest")],
        (".venv/bin/pytest | tail -3", False),
    ],
)  # fmt: skip
def test_a_command_acts_when_it_does_more_than_look_or_try_out(command: str, acts: bool) -> None:
    log = [TASK, called("run", command=command), ToolResult("1.1", "exit 0")]
    assert deeds(log, RISKS).acted == acts
    assert deeds([*log[:2], ToolResult("1.1", "exit 1", good=False)], RISKS).acted == 0


@pytest.mark.parametrize(
    ("command", "output", "well"),
    [
        ("pytest -q", "3 passed", True),
        ("pytest -q", "FAILED is a word in this output of a command that ended well", True),
        ("python3 -m unittest 2>&1 | tail -3", "Ran 2 tests\n\nOK", True),
        ("python3 -m unittest 2>&1 | tail -3", "FAILED (failures=1)", False),
        ("pytest | tail -1", "1 failed, 3 passed", False),
        ("pytest; echo done", "FAILED (failures=1)\ndone", False),
        ("pytest\necho done", "1 failed\ndone", False),
        ("cd src && pytest", "3 passed", True),
    ],
)
def test_of_several_commands_the_last_one_s_exit_code_is_not_believed(command: str, output: str, well: bool) -> None:
    call = ToolCall("1.1", "run", {"command": command})
    assert came_out_well(call, "command", f"exit 0, 0.1 s\n{output}") is well


def test_what_a_file_says_is_no_failure() -> None:
    assert came_out_well(ToolCall("1.1", "read_file", {"path": "log"}), "read", "1 failed")


@pytest.mark.parametrize("command", ["ls -l", "git status", "cat a.py", "grep -rn x ."])
def test_a_command_that_only_looks_proves_nothing(command: str) -> None:
    log = [TASK, called("run", command=command), ToolResult("1.1", "exit 0")]
    assert not deeds(log, RISKS).tested


@pytest.mark.parametrize(
    ("commands", "tested", "checked"),
    [
        ([("true", "")], False, False),
        ([("mkdir -p build", "")], False, False),
        ([("python3 -m unittest -q 2>/dev/null || true", "")], False, False),
        ([("ruff check .", "All checks passed!")], False, True),
        ([("pytest", "3 passed"), ("git diff", "+x")], True, False),
        ([("pytest", "3 passed"), ("git commit -qam x", "")], True, False),
        ([("pytest", "3 passed"), ("sed -i s/a/b/ a.py", "")], False, False),
        ([("pytest | tail -3", "3 passed")], True, False),
        ([("pytest | tail -3", "no tests ran")], False, False),
        ([("check it", "")], True, False),
    ],
)
def test_only_what_can_prove_something_does(commands: list[tuple[str, str]], tested: bool, checked: bool) -> None:
    log: list[Message] = [UserMessage("Fix it: `check it` must pass.")]
    for line, text in commands:
        log += [called("run", command=line), ToolResult("1.1", f"exit 0\n{text}")]
    done = deeds(log, RISKS)
    assert (done.tested, done.checked) == (tested, checked)


@pytest.mark.parametrize(
    ("command", "text", "edits"),
    [
        ("rm -f nothing.txt", "", 0),
        ("rm -f a.py", "", 1),
        ("rm a.py", "", 1),
        ("git stash; true", "fatal: not a git repository", 0),
        ("git stash 2>/dev/null; true", "", 0),
        ("git stash", "No local changes to save", 0),
        ("git stash", "Saved working directory", 1),
        ("mv a.py b.py; ls", "b.py", 1),
    ],
)
def test_what_took_nothing_away_is_no_edit(command: str, text: str, edits: int) -> None:
    log: list[Message] = [UserMessage("Remove a.py."), called("run", command=command), ToolResult("1.1", text)]
    assert deeds(log, RISKS).edits == edits
