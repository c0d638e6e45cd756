"""The session: the conversation so far, and the only thing in the core that changes.

In: messages, usages and outcomes, one at a time. Out: the same, in order, now and after a restart. Nothing is ever
rewritten: a task that was cancelled or killed leaves a call without a result, which means "not run", and needs no
repair. It refuses to know what a prompt is and what a model answers.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from qagent.errors import SessionProblem
from qagent.session.file import LockedFile
from qagent.session.lines import Entry, Header, Record, decode, encode, title_of
from qagent.types import Message, Outcome, Usage

_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"


class Session:
    """Made by `create`, `open` or `in_memory`. Holds its file's lock until `close`, or the end of a `with`."""

    def __init__(self, record: Record, file: LockedFile | None = None) -> None:
        self.header: Header = record.header
        self.notices: tuple[str, ...] = record.notices
        self._file = file
        self._messages: list[Message] = []
        self._usages: list[Usage] = []
        self._outcomes: list[Outcome] = []
        self._keep(record.entries)

    @classmethod
    def create(cls, folder: Path, *, cwd: Path, model: str, version: str, now: datetime, title: str = "") -> Session:
        """A new file in `folder`, which is made when missing. `version` is qagent's. Raises SessionProblem."""
        for _ in range(100):
            header = _header(_new_id(now), cwd, model, version, now, title)
            line = encode(header)
            try:
                file = LockedFile.create(folder / f"{header.id}.jsonl", line)
            except FileExistsError:
                continue
            return cls(Record(header, (), len(line)), file)
        raise SessionProblem(f"{folder} holds too many sessions of this second", todo="try again")

    @classmethod
    def open(cls, path: Path) -> Session:
        """Resumes. A torn last line is moved to `ID.torn`, with a notice. Raises SessionProblem, changing nothing."""
        file = LockedFile.open(path)
        try:
            record = decode(file.read(), str(path))
            if record.torn:
                file.cut(record.size)
                kept = f"its bytes are kept in {path.with_suffix('.torn')}"
                record = replace(record, notices=(*record.notices, kept))
        except BaseException:
            file.close()
            raise
        return cls(record, file)

    @classmethod
    def in_memory(cls, *, cwd: Path | None = None, model: str = "", version: str = "") -> Session:
        """Kept nowhere: for demonstrations and tests."""
        header = Header("in-memory", str(cwd or Path.cwd()), model, datetime.now(UTC).isoformat(), version)
        return cls(Record(header, (), 0))

    @property
    def id(self) -> str:
        return self.header.id

    @property
    def path(self) -> Path | None:
        return self._file.path if self._file else None

    @property
    def title(self) -> str:
        """The person's first words, unless a title was given; "" before there are any."""
        return self.header.title or title_of(self._messages)

    @property
    def messages(self) -> tuple[Message, ...]:
        return tuple(self._messages)

    @property
    def usages(self) -> tuple[Usage, ...]:
        return tuple(self._usages)

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        return tuple(self._outcomes)

    def add(self, entry: Entry) -> None:
        """On disk when this returns. Raises SessionProblem when it cannot be; then it is not in memory either."""
        if self._file:
            self._file.append(encode(entry))
        self._keep((entry,))

    def _keep(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            if isinstance(entry, Usage):
                self._usages.append(entry)
            elif isinstance(entry, Outcome):
                self._outcomes.append(entry)
            else:
                self._messages.append(entry)

    def close(self) -> None:
        if self._file:
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _new_id(now: datetime) -> str:
    """Sorts by time (UTC), and reads well aloud: `20261120-093015-k3f9`."""
    return f"{now.astimezone(UTC):%Y%m%d-%H%M%S}-{''.join(secrets.choice(_LETTERS) for _ in range(4))}"


def _header(name: str, cwd: Path, model: str, version: str, now: datetime, title: str) -> Header:
    return Header(name, str(cwd.resolve()), model, now.astimezone(UTC).isoformat(), version, title)
