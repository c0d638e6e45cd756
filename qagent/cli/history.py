"""`qagent sessions`: what was said in earlier sessions, read from the disk."""

from __future__ import annotations

import dataclasses
import os
from datetime import datetime
from pathlib import Path

from qagent.cli.ends import say_json
from qagent.cli.start import notice, say
from qagent.config import folders
from qagent.errors import UsageProblem
from qagent.narration import harmless
from qagent.session import SessionRow, delete, export_markdown, find, listing, peek
from qagent.session.lines import encode

SHOWN = 20


def _folder() -> Path:
    return folders(os.environ).sessions


def list_sessions(*, as_json: bool, everything: bool = False) -> None:
    rows = listing(_folder())
    if as_json:
        say_json({"exit": 0, "reason": "done", "sessions": [dataclasses.asdict(row) for row in rows]})
        return
    if not rows:
        say(f"no sessions in {_folder()}")
        return
    print(f"{'ID':20}  {'begun':16}  {'model':22}  title [folder]")
    for row in rows if everything else rows[:SHOWN]:
        print(harmless(_line(row)))
    if len(rows) > SHOWN and not everything:
        say(f"and {len(rows) - SHOWN} older ones (--all)")


def _line(row: SessionRow) -> str:
    begun = f"{datetime.fromisoformat(row.created).astimezone():%Y-%m-%d %H:%M}" if row.created else "?"
    state = "" if row.state == "ok" else f"  ({row.state})"
    return f"{row.id:20}  {begun:16}  {row.model or '-':22}  {row.title or '-'} [{row.cwd}]{state}"


def show_session(session: str, *, as_json: bool) -> None:
    record = peek(find(_folder(), session))
    if as_json:
        for entry in record.entries:
            print(encode(entry).decode("ascii"), end="")
        return
    for told in record.notices:
        notice(told)
    print(export_markdown(record.messages, title=record.title))


def export_session(session: str, output: Path | None) -> None:
    record = peek(find(_folder(), session))
    text = export_markdown(record.messages, title=record.title)
    if output is None:
        print(text)
        return
    try:
        with output.open("x", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except FileExistsError as error:
        raise UsageProblem(f"{output} is already there", todo="name another file with -o") from error
    except OSError as error:
        raise UsageProblem(f"{output} cannot be written: {error.strerror}") from error
    say(f"written to {output}")


def delete_session(session: str) -> None:
    path = find(_folder(), session)
    delete(_folder(), path.stem)
    say(f"deleted {path.stem}")
