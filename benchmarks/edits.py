"""What an edit costs in a file of 10,000 lines: each rung, the refusals, the gate, a whole call with its write."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from qagent.edits import gate
from qagent.edits.applying import Edit, apply
from qagent.edits.refused import EditRefused
from qagent.tools.edit import edit_file
from qagent.workspace.place import Workspace

RUNS = 9
FUNCTION = """\
def f#(a, b):
    x = a + b * #
    if x > #:
        return g(x, "abc#")
    return [y for y in range(#)]
"""
TEXT = "".join(FUNCTION.replace("#", str(number)) for number in range(2_000))
UNICODE = TEXT.replace("abc", "äbc")
LINE = '        return g(x, "abc1500")\n'

ROWS = {
    "exact": (TEXT, Edit(LINE, LINE.upper())),
    "trailing blanks": (TEXT, Edit(LINE.replace("\n", " \n"), LINE.upper())),
    "indentation": (TEXT, Edit(f"if x > 1500:\n    {LINE.strip()}\n", "if x > 1500:\n    pass\n")),
    "typographic quotes": (UNICODE, Edit(LINE.replace("abc", "äbc").replace('"', "”"), LINE.upper())),
    "line numbers": (TEXT, Edit(f"7504 | {LINE}", f"7504 | {LINE.upper()}")),
    "not found, like a place": (TEXT, Edit(f"    if x > 1500:\n{LINE.replace('abc', 'xyz')}", "x")),
    "not found, some words": (TEXT, Edit('    return g(x, "abc1500", y, z)\n', "x")),
    "not found, not all ASCII": (UNICODE, Edit('    return g(x, "äbc1500", y, z)\n', "x")),
    "not found, CRLF": (TEXT.replace("\n", "\r\n"), Edit('    return g(x, "abc1500", y, z)\n', "x")),
    "found 2,000 times": (TEXT, Edit("        return g(x, ", "x")),
}


def best(work: Callable[[], object]) -> float:
    """Milliseconds of the quickest of several runs."""
    found: list[float] = []
    for _ in range(RUNS):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return 1_000 * min(found)


def tried(before: str, edit: Edit) -> None:
    try:
        apply(before, [edit], "big.py")
    except EditRefused:
        return


def whole_call(folder: Path) -> Callable[[], object]:
    """An edit there and back: read, find, parse, write, sync, show."""
    place = Workspace.open(folder)
    (folder / "big.py").write_text(TEXT)
    other = LINE.replace("abc", "xyz")

    async def both() -> None:
        await edit_file(place, path="big.py", old=LINE, new=other)
        await edit_file(place, path="big.py", old=other, new=LINE)

    return lambda: asyncio.run(both())


def main() -> None:
    print(f"{'in 10,000 lines':30} {'ms':>8} {'goal':>6}")
    for name, (before, edit) in ROWS.items():
        goal = 60 if name.startswith("not found") else "" if name.startswith("found") else 15
        print(f"{name:30} {best(lambda b=before, e=edit: tried(b, e)):8.1f} {goal:>6}")
    after = TEXT.replace("abc1500", "xyz1500")
    print(f"{'syntax gate':30} {best(lambda: gate.check(TEXT, after, 'big.py')):8.1f}")
    with tempfile.TemporaryDirectory() as folder:
        print(f"{'a whole call':30} {best(whole_call(Path(folder))) / 2:8.1f} {15:>6}")


if __name__ == "__main__":
    main()
