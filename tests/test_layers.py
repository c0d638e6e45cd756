from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest

HEADLESS = [
    *("types", "errors", "words", "workspace.place", "qwen.reader", "code.symbols", "edits.applying", "net"),
    *("models.ollama", "models.llamacpp", "tools.toolbox", "session", "context", "permissions.rules", "agent"),
    *("forced", "reply", "reading", "models.completions", "models.chat", "models.ollama_chat", "qwen.habits"),
    *("config", "testing", "narration", "wiring", "repl"),
]
HEAVY = ("textual", "rich", "typer", "click", "ollama", "git", "httpx._main")


def loaded_by(code: str) -> set[str]:
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(ran.stdout.split())


@pytest.mark.skipif(find_spec("rich") is None, reason="then nothing could load it")
def test_nothing_headless_loads_a_screen_library() -> None:
    imports = "".join(f"import qagent.{name}\n" for name in HEADLESS)
    code = f"{imports}from qagent.net import httpx_module\nhttpx_module()\nimport sys\nprint(*sys.modules)"
    assert loaded_by(code) & set(HEAVY) == set()


def test_the_whole_headless_run_loads_none_either() -> None:
    code = (
        "import sys\nfrom qagent.cli import run\nrun(['-p', 'x', '--host', 'http://127.0.0.1:9'])\nprint(*sys.modules)"
    )
    assert loaded_by(code) & (set(HEAVY) - {"typer"}) == set()


def test_importing_a_module_changes_nothing_and_prints_nothing() -> None:
    code = "".join(f"import qagent.{name}\n" for name in HEADLESS)
    ran = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert (ran.stdout, ran.stderr) == ("", "")
