from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest
from saved_sessions import TALK, made

import qagent
from qagent.session import Session
from qagent.types import UserMessage


def test_a_line_torn_at_any_byte_is_dropped_and_nothing_else(tmp_path: Path) -> None:
    whole = made(tmp_path, *TALK[:2]).read_bytes()
    last = json.dumps({"kind": "user", "text": "grün 𝄞 end"}).encode()
    path = tmp_path / "torn.jsonl"
    for cut in range(1, len(last) + 1):
        path.write_bytes(whole + last[:cut])
        with Session.open(path) as session:
            assert session.messages == TALK[:2]
            assert "not written to its end" in session.notices[0]
        assert path.read_bytes() == whole
    kept = (tmp_path / "torn.torn").read_bytes()
    assert kept == b"".join(last[:cut] for cut in range(1, len(last) + 1))


@pytest.mark.parametrize("torn", [b"\0" * 400, b"\0" * 400 + b"\n", b'{"kind":"us\n', b"\xff\xfe\n", b'"\n', b"\n"])
def test_rubbish_in_the_last_line_is_put_aside(tmp_path: Path, torn: bytes) -> None:
    path = made(tmp_path, *TALK)
    whole = path.read_bytes()
    path.write_bytes(whole + torn)
    with Session.open(path) as session:
        assert session.messages == TALK
        assert len(session.notices) == 2
        session.add(UserMessage("on we go"))
    aside = path.with_suffix(".torn")
    assert aside.read_bytes() == torn
    assert stat.S_IMODE(aside.stat().st_mode) == 0o600
    with Session.open(path) as session:
        assert session.messages == (*TALK, UserMessage("on we go"))
        assert session.notices == ()


APPENDING = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from qagent.session import Session
from qagent.types import UserMessage

session = Session.create(Path(sys.argv[1]), cwd=Path(sys.argv[1]), model="m", version="0", now=datetime.now(UTC))
number = 0
while True:
    session.add(UserMessage(f"{number} " + "x" * 50_000))
    print(number, flush=True)
    number += 1
"""


def child(code: str, folder: Path) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONPATH": str(Path(qagent.__file__).parents[1])}
    return subprocess.Popen([sys.executable, "-c", code, str(folder)], env=env, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("lines", [1, 7, 40])
def test_what_was_acknowledged_survives_a_kill(tmp_path: Path, lines: int) -> None:
    with child(APPENDING, tmp_path) as process:
        assert process.stdout
        for _ in range(lines):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        acknowledged = lines + len(process.stdout.readlines())
    [path] = tmp_path.glob("*.jsonl")
    with Session.open(path) as session:
        numbers = [int(cast("UserMessage", message).text.split()[0]) for message in session.messages]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) >= acknowledged


FULL_DISK = """
import resource, sys
from datetime import UTC, datetime
from pathlib import Path
from qagent.errors import SessionProblem
from qagent.session import Session
from qagent.types import UserMessage

session = Session.create(Path(sys.argv[1]), cwd=Path(sys.argv[1]), model="m", version="0", now=datetime.now(UTC))
session.add(UserMessage("before"))
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, hard))
for size in (5000, 6000):
    try:
        session.add(UserMessage("x" * size))
    except SessionProblem as problem:
        print(problem.what)
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
session.add(UserMessage("after"))
print([message.text for message in session.messages])
"""


def test_a_full_disk_is_told_and_leaves_no_half_line(tmp_path: Path) -> None:
    with child(FULL_DISK, tmp_path) as process:
        told, _ = process.communicate()
    assert told.count("cannot write to") == 2
    assert told.endswith("['before', 'after']\n")
    [path] = tmp_path.glob("*.jsonl")
    with Session.open(path) as session:
        assert session.messages == (UserMessage("before"), UserMessage("after"))
        assert session.notices == ()
