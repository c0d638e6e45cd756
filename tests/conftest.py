"""What every test gets: nobody's own settings, a home of its own, and no way out of this machine."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest

pytest_plugins = ["llama_fixtures"]

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
OURS = ("QAGENT_", "OLLAMA_", "GIT_")
FOLDERS = ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "QAGENT_HOME")


def _is_personal(name: str) -> bool:
    return name.startswith(OURS) or name.endswith("_API_KEY") or name.lower() in PROXIES


@pytest.fixture(autouse=True)
def nobodys_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The home of this test, beside `tmp_path`, which stays empty."""
    for name in [name for name in os.environ if _is_personal(name)]:
        monkeypatch.delenv(name)
    home = tmp_path.parent / f"{tmp_path.name}-home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for name in FOLDERS:
        monkeypatch.setenv(name, str(home / name.lower()))
    return home


def _is_outside(event: str, arguments: tuple[object, ...]) -> bool:
    if event in ("socket.connect", "socket.sendto"):
        to, address = arguments[0], arguments[1]
        if not isinstance(to, socket.socket) or to.family not in (socket.AF_INET, socket.AF_INET6):
            return False
        return isinstance(address, tuple) and not _is_here(str(cast("tuple[object, ...]", address)[0]))
    if event in ("socket.getaddrinfo", "socket.gethostbyname"):
        name = arguments[0].decode() if isinstance(arguments[0], bytes) else arguments[0]
        return bool(name) and not _is_here(str(name))
    return False


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host in ("localhost", "")


@pytest.fixture(scope="session")
def outside_attempts() -> Callable[[], list[str]]:
    """Takes the attempts to leave since it was last asked. The hook stays for good, so it is set once a session."""
    attempts: list[str] = []

    def guard(event: str, arguments: tuple[object, ...]) -> None:
        if event.startswith("socket.") and _is_outside(event, arguments):
            attempts.append(f"{event}{arguments[-1] if event == 'socket.connect' else arguments}")
            raise PermissionError(f"a test tried to leave this machine: {attempts[-1]}")

    def taken() -> list[str]:
        found = attempts.copy()
        attempts.clear()
        return found

    sys.addaudithook(guard)
    return taken


@pytest.fixture(autouse=True)
def nothing_leaves(outside_attempts: Callable[[], list[str]]) -> Iterator[None]:
    outside_attempts()
    yield
    assert outside_attempts() == []
