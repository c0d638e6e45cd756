"""A writer that is killed at any moment leaves the old file or the new one; KILLS=2000 kills so many."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from scripted_agent import repository

from qagent.workspace.files import write_atomic

KILLS = int(os.environ.get("KILLS", "200"))

LOOP = """
import asyncio, json, os, random, signal, sys, time
from pathlib import Path
from qagent.tools.edit import edit_file
from qagent.tools.files import write_file
from qagent.workspace.place import Workspace

root, kills = Path(sys.argv[1]), int(sys.argv[2])
place = Workspace.open(root)
names = ["run.py", "link.py", "deep/whole.py"]
states = ["x = 1\\n" + "y = 0\\n" * 5_000, "x = 2\\n" + "y = 0\\n" * 5_000]

async def change(name, state):
    if name == "deep/whole.py":
        await write_file(place, path=name, content=states[state])
    else:
        await edit_file(place, path=name, old=f"x = {2 - state}\\n", new=f"x = {1 + state}\\n")

def state_of(name):
    return states.index((root / name).read_text())

def changes(name):
    while True:
        asyncio.run(change(name, 1 - state_of(name)))

found, left = [], 0
for name in names:  # what is imported late is there before anybody is killed
    asyncio.run(change(name, 1))
for number in range(kills):
    name = names[number % 3]
    child = os.fork()
    if not child:
        changes(name)
    end = time.monotonic() + random.random() * 0.02
    while time.monotonic() < end:
        pass
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    found.append(state_of(name))
    left += sum(1 for path in root.rglob(".qagent-*.tmp"))
print(json.dumps({"states": found, "left": left}))
"""


def test_after_each_of_many_kills_the_file_is_the_old_one_or_the_new(tmp_path: Path) -> None:
    body = "y = 0\n" * 5_000
    folder = repository(tmp_path, dict.fromkeys(("run.py", "real/target.py", "deep/whole.py"), f"x = 1\n{body}"))
    (folder / "run.py").chmod(0o751)
    (folder / "link.py").symlink_to("real/target.py")
    done = subprocess.run([sys.executable, "-c", LOOP, folder, str(KILLS)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    states = json.loads(done.stdout)["states"]
    assert (len(states), set(states)) == (KILLS, {0, 1})
    assert (folder / "run.py").stat().st_mode & 0o7777 == 0o751
    assert (folder / "link.py").readlink() == Path("real/target.py")
    for name in ("run.py", "real/target.py", "deep/whole.py"):
        write_atomic(folder / name, f"x = 1\n{body}".encode())
    changed = ["git", "-c", "core.fileMode=false", "status", "--porcelain"]
    assert subprocess.run(changed, cwd=folder, capture_output=True, text=True, check=True).stdout == "?? link.py\n"
