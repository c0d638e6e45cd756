"""Makes docs/demo.svg, the README's picture, from what `qagent demo` really prints. Needs the dev environment."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text


def main() -> None:
    env = {**os.environ, "FORCE_COLOR": "1"}
    command = [sys.executable, "-m", "qagent", "demo"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    start, end = ran.stdout.index("\n> ") + 1, ran.stdout.index("\nthe tests after")
    console = Console(record=True, width=112, file=io.StringIO())
    for line in ["$ qagent demo", *ran.stdout[start:end].splitlines()]:
        console.print(Text.from_ansi(line))
    svg = console.export_svg(title="qagent demo (scripted model)", theme=MONOKAI)
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)  # the picture loads nothing from elsewhere
    Path(__file__).with_name("demo.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
