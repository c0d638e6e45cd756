"""What a sandbox adds to a command: milliseconds from `run` to its result, for three commands, in each sandbox."""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

from qagent.errors import ToolFailed
from qagent.sandbox.choice import Active, Confinement
from qagent.sandbox.kernel import landlock_abi
from qagent.sandbox.landlock import Machine
from qagent.tools.shell import Shell
from qagent.workspace.place import Workspace

RUNS = 30
COMMANDS = {
    "true": "true",
    "python -c pass": f"{sys.executable} -I -S -c pass",
    "100 × true": "for i in {1..100}; do /bin/true; done",
}
SANDBOXES = {
    "none": Confinement("off"),
    "bubblewrap": Confinement("bubblewrap"),
    "landlock, namespaces": Confinement("landlock"),
    "landlock alone": Confinement("landlock", machine=Machine(landlock_abi())),
}


async def milliseconds(shell: Shell, place: Workspace, command: str) -> list[float]:
    found: list[float] = []
    for _ in range(RUNS):
        begun = time.perf_counter()
        await shell.run(place, command=command)
        found.append((time.perf_counter() - begun) * 1000)
    return found


async def first_look(confinement: Confinement) -> tuple[Active, float]:
    begun = time.perf_counter()
    return await confinement.active(), (time.perf_counter() - begun) * 1000


async def main() -> None:
    print(f"{'sandbox':24} {'trying it':>10} " + " ".join(f"{name + ' p50/p90':>24}" for name in COMMANDS) + "   (ms)")
    with tempfile.TemporaryDirectory() as folder:
        place = Workspace.open(Path(folder))
        for name, confinement in SANDBOXES.items():
            active, looked = await first_look(confinement)
            if active.name == "none" and not active.chosen:
                print(f"{name:24} {active.why}")
                continue
            cells: list[str] = []
            for command in COMMANDS.values():
                try:
                    times = await milliseconds(Shell(confinement), place, command)
                    cells.append(f"{statistics.median(times):.1f} / {statistics.quantiles(times, n=10)[-1]:.1f}")
                except ToolFailed as error:
                    cells.append(error.text.partition("\n")[0])
            print(f"{name:24} {looked:10.1f} " + " ".join(f"{cell:>24}" for cell in cells))


asyncio.run(main())
