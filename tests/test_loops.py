from __future__ import annotations

import pytest

from qagent.qwen.habits.loops import MOST_ALIKE, Repetition, Step, only_looks, repetition, step
from qagent.types import Risk, ToolCall, ToolOutput

RISKS: dict[str, Risk] = {"read_file": "read", "search": "read", "edit_file": "write", "run": "command"}


def did(
    name: str, text: str, *, ok: bool = True, good: bool = True, changed: bool = False, **arguments: object
) -> Step:
    output = ToolOutput(text, text, changed=("a.py",) if changed else (), good=good and ok)
    return step(ToolCall("1.1", name, dict(arguments)), RISKS[name], output, ok=ok)


READ = did("read_file", "text", path="a.py")
TEST = did("run", "exit 1, 0.31 s\n1 failed in 0.02s", command="pytest", good=False)
TEST_LATER = did("run", "exit 1, 12 s\n1 failed in 0.05s", command="pytest", good=False)
GREEN = did("run", "exit 0, 0.3 s\n1 passed", command="pytest")
MAKE = did("run", "exit 0", command="make")
EDIT = did("edit_file", "edited a.py", path="a.py", old="a", new="b", changed=True)
BACK = did("edit_file", "edited a.py", path="a.py", old="b", new="a", changed=True)


def missed(pattern: str) -> Step:
    return did("search", f"no line matches `{pattern}` in src; try fewer words of it.", pattern=pattern)


def unfound(number: int) -> Step:
    text = f"a.py: the text to replace was not found; the nearest place is line {number}:\n{'x' * number}"
    return did("edit_file", text, ok=False, path="a.py", old=f"o{number}", new="n")


def absent(name: str) -> Step:
    return did("read_file", f"there is no file {name}; there is b.py.", ok=False, path=name)


STEPS: dict[str, tuple[list[Step], Repetition | None]] = {
    "none": ([], None),
    "one": ([READ], None),
    "the same twice": ([READ, READ], Repetition("same_result", 2)),
    "the same three times": ([READ] * 3, Repetition("answer_now", 3)),
    "the same four times": ([READ] * 4, Repetition("answer_now", 4, stop=True)),
    "two in turn": ([READ, TEST, READ, TEST, READ], Repetition("answer_now", 3)),
    "another result": ([READ, did("read_file", "other", path="a.py")], None),
    "another file": ([READ, did("read_file", "text", path="b.py")], None),
    "only the times differ": ([TEST, TEST_LATER], Repetition("same_result", 2)),
    "an edit between": ([TEST, EDIT, TEST_LATER], None),
    "many edits between": ([TEST, EDIT, TEST, BACK, TEST], None),
    "the same edit again and again": ([EDIT, BACK, EDIT, BACK, EDIT], Repetition("same_result", 2)),
    "to and fro for ever": ([EDIT, BACK] * 5, Repetition("answer_now", 5, stop=True)),
    "a new command between": ([TEST, did("run", "exit 0", command="pip install x"), TEST], None),
    "two green commands in turn": ([GREEN, MAKE, GREEN, MAKE], Repetition("same_result", 2)),
    "a look between": ([TEST, did("run", "exit 0\na.py", command="ls"), TEST], Repetition("same_result", 2)),
    "three searches without a hit": ([missed("a"), missed("bb"), missed("c c")], Repetition("no_headway", 3)),
    "two searches without a hit": ([missed("a"), missed("b")], None),
    "a search between": ([missed("a"), missed("b"), READ, missed("c")], None),
    "hits": ([did("search", f"a.py:{n}: x", pattern=f"p{n}") for n in range(9)], None),
    "missing files": ([absent("x.py"), absent("y.py"), absent("z/z.py")], Repetition("no_headway", 3)),
    "edits that fail alike": ([unfound(1), unfound(2), unfound(3)], Repetition("other_edit", 3)),
    "edits that succeed": ([did("edit_file", "created #.", path=f"{n}.py", changed=True) for n in range(9)], None),
    "commands that end well": ([did("run", "exit 0, 0.1 s", command=f"mkdir d{n}") for n in range(9)], None),
    "commands that fail alike": ([did("run", "exit 127\npytest: not found", command=f"pytest {n}", good=False)
                                  for n in range(3)], Repetition("no_headway", 3)),
    "searching for ever": (
        [missed(str(n)) for n in range(MOST_ALIKE)],
        Repetition("no_headway", MOST_ALIKE, stop=True),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STEPS)
def test_a_repetition_is_what_the_last_step_repeats(name: str) -> None:
    steps, expected = STEPS[name]
    assert repetition(steps) == expected


@pytest.mark.parametrize(
    ("command", "looks"),
    [
        *(("ls -l", True), ("cat a.py", True), ("git status", True), ("git diff HEAD", True), ("sed -n 1,9p a", True)),
        *(("sed -i s/a/b/ a", False), ("cat a > b", False), ("git commit -am x", False), ("ls; rm a", False)),
        *(("pytest", False), ("find . -delete", False), ("echo x", False), ("cat a\nrm a", False), ("", False)),
    ],
)
def test_a_command_that_only_looks_is_told_from_others(command: str, looks: bool) -> None:
    assert only_looks(command) is looks
