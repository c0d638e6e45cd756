"""What the prompt costs: the fixed part, a small bug fix from its first word to "done", and our estimate's error."""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
from pathlib import Path

from qwen_vocabulary import count

from qagent import context
from qagent.config import Settings
from qagent.models.scripted import ScriptedModel
from qagent.qwen import chatml
from qagent.session import Session
from qagent.tools.toolbox import signature, standard_toolbox
from qagent.types import Answer, AssistantMessage, Question, SystemMessage
from qagent.wiring import Place, make_agent, prefix
from qagent.words import Words
from qagent.workspace.place import Workspace

FIXED_GOAL, RUN_GOAL = 900, 1_250

FILES = {
    "calc.py": "def add(a, b):\n    return a - b\n",
    "test_calc.py": "from calc import add\n\n\ndef test_add():\n    assert add(2, 3) == 5\n\n\ntest_add()\n",
}
TASK = "The test in test_calc.py fails. Fix the bug in calc.py."
REPLIES = (
    'I will read the file.\n<tools>\n{"name": "read_file", "arguments": {"path": "calc.py"}}\n</tools>',
    'The sign is wrong.\n<tools>\n{"name": "edit_file", "arguments": {"path": "calc.py"}}\n'
    "<<<<<<< SEARCH\n    return a - b\n=======\n    return a + b\n>>>>>>> REPLACE\n</tools>",
    'Now the test.\n<tools>\n{"name": "run", "arguments": {"command": "python3 test_calc.py"}}\n</tools>',
    "`add` subtracted; it adds now, and the test passes.",
)


async def allow(question: Question) -> Answer:
    return Answer(True)


def bug_fix(folder: Path) -> tuple[list[int], list[int]]:
    """For each turn: tokens of the whole prompt, and those that a prefix cache cannot reuse."""
    for name, text in FILES.items():
        (folder / name).write_text(text)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    place = Place(Workspace.open(folder), Settings(mode="auto", agents_md=False), Words())
    model, session = ScriptedModel(REPLIES), Session.in_memory(cwd=folder)
    session.add(SystemMessage(prefix(place)[0]))
    outcome = asyncio.run(make_agent(place, model, session, emit=lambda _: None, approve=allow).run(TASK))
    assert outcome.reason == "done", outcome
    prompts = [prompt.text for prompt in model.prompts]
    replies = [message.raw for message in session.messages if isinstance(message, AssistantMessage)]
    known = ["", *(prompt + reply for prompt, reply in zip(prompts, replies, strict=True))]
    assert all(prompt.startswith(before) for prompt, before in zip(prompts, known, strict=False))
    fresh = [count(prompt[len(before) :]) for prompt, before in zip(prompts, known, strict=False)]
    return [count(prompt) for prompt in prompts], fresh


def row(what: str, value: object, goal: object = "") -> None:
    print(f"{what:58} {value!s:>10} {goal!s:>10}")


def main() -> None:
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    row("tokens, in Qwen's vocabulary", "measured", "goal")
    with tempfile.TemporaryDirectory() as name:
        words = Words()
        specs = standard_toolbox(Workspace.open(Path(name)), words).specs
        fixed = context.system_text(words, specs)
        row("fixed prompt, with its ChatML frame", count(chatml.render([SystemMessage(fixed)])), f"<= {FIXED_GOAL}")
        row("  of which the six tools' lines", count("\n".join(map(signature, specs))))
        row(
            "  of which worked examples",
            count("\n".join(specs[n].examples[0] for n in (0, 1, 2)) + specs[1].examples[1]),
        )
        whole, fresh = bug_fix(Path(name))
    row("bug fix in four turns: prompts", " ".join(map(str, whole)))
    row("  not reusable by a prefix cache", " ".join(map(str, fresh)))
    row("  their sum", sum(fresh), f"<= {RUN_GOAL}")
    print()
    row("estimate against the vocabulary", "tokens", "ratio")
    here = Path(__file__).parents[1]
    for path in [*sorted(here.glob("qagent/*.py")), *sorted(here.glob("*.md")), *sorted(here.glob("tests/*.py"))[:5]]:
        text = path.read_text()
        if true := count(text):
            row(str(path.relative_to(here)), true, f"{chatml.estimate(text) / true:.2f}")


if __name__ == "__main__":
    main()
