"""The command line: arguments in, an exit code out. Answers go to stdout, everything else to stderr."""

from __future__ import annotations


def run(arguments: list[str]) -> int:
    """Runs one command to its end. Whatever happens, it returns an exit code."""
    from qagent.cli.entry import finish

    return finish(arguments)
