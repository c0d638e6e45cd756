"""Where the command starts. `--version` is answered before anything heavy is imported."""

from __future__ import annotations

import sys

from qagent import __version__


def main() -> int:
    if sys.argv[1:] in (["--version"], ["-V"]):
        sys.stdout.write(f"qagent {__version__}\n")
        return 0
    from qagent.cli import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
