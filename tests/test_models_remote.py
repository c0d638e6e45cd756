from __future__ import annotations

import json
from typing import Any

import pytest

from qagent.errors import LeaveRefused, StreamBroken
from qagent.models.names import InstalledModel, choose
from qagent.models.ollama import Ollama
from qagent.models.remote import check_remote, remote_host
from qagent.net import Door
from qagent.qwen.profiles import Sampling
from qagent.testing import Connection, LoopbackOllama, LoopbackServer, Request


async def listed(url: str) -> list[InstalledModel]:
    return await Ollama("", url=url, door=Door(), sampling=Sampling()).installed()


async def listed_as(**said: Any) -> InstalledModel:
    async def answer(request: Request, connection: Connection) -> None:
        await connection.whole(200, "application/json", json.dumps({"models": [said]}).encode())

    with LoopbackServer(answer) as server:
        return (await listed(server.url))[0]


@pytest.mark.parametrize(
    ("name", "host", "model", "where"),
    [
        ("qwen2.5-coder:7b", "", "", ""),
        ("cloudy:7b", "", "", ""),
        ("mine/nocloud", "", "", ""),
        ("qwen3-coder:480b-cloud", "", "", "ollama.com"),
        ("qwen3-coder:cloud", "", "", "ollama.com"),
        ("Qwen3-Coder:480B-CLOUD", "", "", "ollama.com"),
        ("mine", "", "qwen3-coder:480b", "ollama.com"),
        ("mine", "https://ollama.com:443", "qwen3-coder:480b", "ollama.com"),
        ("mine", "https://Box.LAN:8443/x", "", "box.lan"),
        ("mine", "box.lan:80", "", "box.lan"),
        ("mine", "box.lan", "", "box.lan"),
        ("mine", "http://[fe80::2]:80", "", "fe80::2"),
        ("mine", "http://[nonsense", "", "http://[nonsense"),
        ("mine", "://", "", "://"),
        ("mine", " ", "", ""),
        ("mine", "\x1b", "", "?"),
        ("mine", "https://ollama\t.com", "", "https://ollama .com"),
        ("x-cloud", "https://box.lan", "", "box.lan"),
        ("mine", "http://localhost@box.lan", "", "box.lan"),
        ("mine", "http://me:secret@[nonsense", "", "http://…@[nonsense"),
    ],
)
def test_a_model_that_runs_elsewhere_is_known_by_what_the_server_tells(
    name: str, host: str, model: str, where: str
) -> None:
    assert remote_host(name, host, model) == where


async def test_ollamas_list_tells_where_a_model_runs() -> None:
    away = await listed_as(name="q", remote_host="https://ollama.com:443", remote_model="qwen2.5-coder:7b")
    assert away.remote == "ollama.com"
    with LoopbackOllama([], models=["qwen2.5-coder:7b", "qwen2.5-coder:32b-cloud"]) as server:
        assert [model.remote for model in await listed(server.url)] == ["", "ollama.com"]


async def test_a_host_that_is_not_text_is_an_error() -> None:
    with pytest.raises(StreamBroken, match="does not speak"):
        await listed_as(name="q", remote_host=5)


@pytest.mark.parametrize(
    ("remote", "allowed", "yes"),
    [
        ("", "", True),
        ("127.0.0.1", "", True),
        ("ollama.com", "ollama.com", True),
        ("ollama.com", "Ollama.com", True),
        ("ollama.com", "", False),
        ("ollama.com", "other.lan", False),
        ("http://[nonsense", "", False),
    ],
)
def test_code_goes_through_ollama_only_to_hosts_that_are_allowed(remote: str, allowed: str, yes: bool) -> None:
    model, door = InstalledModel("q-cloud", remote=remote), Door(frozenset({allowed} - {""}))
    if yes:
        check_remote(model, door)
        return
    with pytest.raises(LeaveRefused) as caught:
        check_remote(model, door)
    assert remote in caught.value.what
    assert f'allow_hosts = ["{remote}"]' in caught.value.todo
    assert caught.value.exit_code == 11


def test_a_model_that_runs_elsewhere_is_never_the_automatic_choice() -> None:
    away = InstalledModel("qwen2.5-coder:32b-cloud", remote="ollama.com")
    here = InstalledModel("qwen2.5-coder:3b")
    for memory in (None, 1 << 40):
        assert choose([away, here], memory, 32_768) == "qwen2.5-coder:3b"
        assert choose([away], memory, 32_768) is None
