"""A llama.cpp server in a child process: a GGUF in, an address out. It must be closed; `with` does."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Final, Self

_PROGRAM: Final = Path(__file__).with_name("serve_gguf.py")
_SECONDS_TO_END: Final = 5.0


class LlamaServer:
    """`ctx`: tokens of window for each slot. The constructor returns when the model is loaded.

    RuntimeError with the server's own words when it does not start. Clients must not keep connections alive: the server
    closes them after a streamed answer.
    """

    def __init__(self, model: Path, *, ctx: int = 8192, slots: int = 1) -> None:
        command = [sys.executable, str(_PROGRAM), str(model), str(ctx), str(slots)]
        with tempfile.TemporaryFile() as log:
            self._child = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
            )
            assert self._child.stdout
            self.url = self._child.stdout.readline().strip()
            if not self.url:
                self.close()
                log.seek(0)
                raise RuntimeError(f"no server for {model}: {log.read()[-2000:].decode(errors='replace')}")

    @property
    def alive(self) -> bool:
        return self._child.poll() is None

    def kill(self) -> None:
        """At once, as if the machine had run out of memory. Returns when the process is gone."""
        self._child.kill()
        self._child.wait()

    def close(self) -> None:
        """Also after `kill`, and twice."""
        assert self._child.stdin
        assert self._child.stdout
        self._child.stdin.close()
        try:
            self._child.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self.kill()
        self._child.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
