from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qagent.errors import ConfigProblem, LeaveRefused
from qagent.net import Door, base_url, is_loopback, without_secrets
from qagent.testing import LoopbackOllama, Reply

SPELLINGS = [
    (None, "http://127.0.0.1:11434"),
    ("", "http://127.0.0.1:11434"),
    ("  ", "http://127.0.0.1:11434"),
    ('""', "http://127.0.0.1:11434"),
    ("0.0.0.0", "http://127.0.0.1:11434"),
    ("0.0.0.0:8080", "http://127.0.0.1:8080"),
    ("http://0.0.0.0:8080", "http://127.0.0.1:8080"),
    ("[::]", "http://127.0.0.1:11434"),
    ("[::]:99", "http://127.0.0.1:99"),
    ("::", "http://127.0.0.1:11434"),
    (":11435", "http://127.0.0.1:11435"),
    ("localhost", "http://localhost:11434"),
    ("LocalHost:1", "http://localhost:1"),
    ("box.lan", "http://box.lan:11434"),
    ("box.lan:", "http://box.lan:11434"),
    ("my_box-2:80", "http://my_box-2:80"),
    ("192.168.1.5:11434", "http://192.168.1.5:11434"),
    ("http://box", "http://box:80"),
    ("HTTP://box:11434", "http://box:11434"),
    ("https://box", "https://box:443"),
    ("https://box:8443/", "https://box:8443"),
    ("::1", "http://[::1]:11434"),
    ("[::1]", "http://[::1]:11434"),
    ("[::1]:5", "http://[::1]:5"),
    ("http://[::1]:5/", "http://[::1]:5"),
    ("fe80::2", "http://[fe80::2]:11434"),
    ("http://localhost:11434/v1", "http://localhost:11434"),
    ("http://localhost:11434/v1/", "http://localhost:11434"),
    ("http://localhost:11434/api", "http://localhost:11434"),
    ("localhost:11434/v1", "http://localhost:11434"),
    ("https://box/ollama/", "https://box:443/ollama"),
    ("https://box/ollama/v1", "https://box:443/ollama"),
    ("https://box/a/b", "https://box:443/a/b"),
    (" 'http://localhost:11434' ", "http://localhost:11434"),
]

TYPOS = [
    ("htp://localhost", "scheme"),
    ("ftp://localhost", "scheme"),
    ("localhost:abc", "port"),
    ("localhost:0", "port"),
    ("localhost:65536", "port"),
    ("localhost:١١", "port"),
    ("11434", ":11434"),
    ("http//localhost", "://"),
    ("http:/localhost", "://"),
    ("http://http://localhost", "://"),
    ("local host", "host"),
    ("127.0.0.1.1", "IPv4"),
    ("300.1.1.1", "IPv4"),
    ("[::1", "not a"),
    ("[::g]:1", "IPv6"),
    ("1:2:3", "IPv6"),
    ("fe80::1%eth0", "zone"),
    ("me:secret@box", "password"),
    ("http://127.0.0.1\\@box", "password"),
    ("localhost:11434?x=1", "path"),
    ("http://localhost/?x=1", "path"),
    ("*:11434", "host"),
]


def test_a_test_that_tries_to_leave_this_machine_is_stopped_and_noticed(
    outside_attempts: Callable[[], list[str]],
) -> None:
    for to in [("192.0.2.1", 80), ("example.org", 80)]:
        with pytest.raises(PermissionError):
            socket.create_connection(to)
    assert len(outside_attempts()) == 2
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams, pytest.raises(PermissionError):
        datagrams.sendto(b"x", ("192.0.2.1", 53))
    assert len(outside_attempts()) == 1


@pytest.mark.parametrize(("host", "url"), SPELLINGS)
def test_every_spelling_of_an_address_becomes_one_url(host: str | None, url: str) -> None:
    assert base_url(host, port=11434) == url


@pytest.mark.parametrize(("host", "why"), TYPOS)
def test_a_typo_in_an_address_is_named(host: str, why: str) -> None:
    with pytest.raises(ConfigProblem) as caught:
        base_url(host, port=11434)
    assert why in caught.value.what
    assert "11434" in caught.value.todo


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("https://user:SECRET@box", "https://…@box"),
        ("user:SECRET@box:80", "…@box:80"),
        ("https://user:SEC/RET@box", "https://…@box"),
        ("https://user:SEC@RET@box/v1", "https://…@box/v1"),
        ("https://user:SEC?RET@box", "https://…"),
        ("https://user:SEC#RET@box", "https://…"),
        ("http://box/v1?api-key=SECRET", "http://box/v1?…"),
        ("http://box?api-key=SECRET", "http://box?…"),
        ("box:80#SECRET", "box:80#…"),
        ("box:80/?key=SEC@RET", "…"),
        ("ftp://user:SECRET@box", "ftp://…@box"),
        ("user:SECRET://@box", "…@box"),
        ("https:\\\\user:SECRET@box", "…@box"),
    ],
)
def test_a_password_or_a_query_in_an_address_is_never_shown(host: str, shown: str) -> None:
    with pytest.raises(ConfigProblem) as caught:
        base_url(host, port=80)
    assert caught.value.what.startswith(f"{shown!r} is not a server's address: ")
    assert not re.search("SEC|RET", caught.value.what + caught.value.todo)
    door = Door(frozenset({"box"}))
    if "://" in host:
        with pytest.raises((ConfigProblem, LeaveRefused)) as at_the_door:
            door.client(host, stall_seconds=1)
        assert not re.search("SEC|RET", at_the_door.value.what + at_the_door.value.todo)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see 'https://u:SECRET@box/v1?key=SECRET' there", "see 'https://…@box/v1?…' there"),
        ("http://box/?a=SECRET@x and http://u@box", "http://box/?… and http://…@box"),
        ("<https://u:a/SECRET@box#SECRET>", "<https://…@box?…>"),
        ("mail me@box, why?", "mail me@box, why?"),
    ],
)
def test_a_text_for_people_has_no_secrets_of_urls_in_it(text: str, shown: str) -> None:
    assert without_secrets(text) == shown


ADDRESSES = st.one_of(
    st.text(st.characters(), max_size=30),
    st.from_regex(r"(https?://)?[a-z0-9.:\[\]@/%-]{0,20}", fullmatch=True),
    st.from_regex(r"(https?://)?(localhost|box|xn--|\w|[.-]){1,6}(:[0-9]{1,5})?(/\w*)?", fullmatch=True),
)


@given(ADDRESSES)
def test_any_text_is_an_address_that_can_be_used_or_is_refused(host: str) -> None:
    try:
        url = base_url(host, port=11434)
    except ConfigProblem:
        return
    assert base_url(url, port=1) == url
    try:
        Door().client(url, stall_seconds=1)
    except (LeaveRefused, ConfigProblem):
        return
    assert is_loopback(url)


@given(ADDRESSES, ADDRESSES)
def test_a_door_for_any_url_and_any_hosts_opens_or_says_why_not(url: str, allowed: str) -> None:
    door = Door(frozenset({allowed, url.partition("://")[2] or url}))
    with suppress(LeaveRefused, ConfigProblem):
        door.client(url, stall_seconds=1)
    with suppress(LeaveRefused, ConfigProblem):
        door.client(base_url(url, port=11434), stall_seconds=1)


@pytest.mark.parametrize("host", ["xn--localhost-", "xn--localhost-.", "xn--a", "xn--", "\uff4cocalhost", "b\xfc_"])
def test_a_name_that_no_name_server_can_know_is_no_address(host: str) -> None:
    with pytest.raises(ConfigProblem, match="is not a server's address"):
        Door(frozenset({host})).client(base_url(host, port=11434), stall_seconds=1)


@pytest.mark.parametrize(
    ("allowed", "host", "yes"),
    [
        ("bücher.lan", "bücher.lan", True),
        ("bücher.lan", "BÜCHER.lan", True),
        ("xn--bcher-kva.lan", "bücher.lan", True),
        ("bücher.lan", "xn--bcher-kva.lan", True),
        ("b.lan", "bücher.lan", False),
        ("[fe80::2]", "fe80::2", True),
    ],
)
def test_a_host_is_allowed_in_either_of_its_spellings(allowed: str, host: str, yes: bool) -> None:
    with nullcontext() if yes else pytest.raises(LeaveRefused):
        Door(frozenset({allowed})).client(base_url(host, port=11434), stall_seconds=1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HTTP_PROXY", "nonsense://x"),
        ("HTTP_PROXY", "http://[::1"),
        ("NO_PROXY", "[:::"),
        ("ALL_PROXY", "socks5://127.0.0.1:1"),
        ("SSL_CERT_FILE", "/nowhere"),
    ],
)
def test_an_environment_that_httpx_cannot_use_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    Door().client("http://localhost:11434", stall_seconds=1)
    with pytest.raises(ConfigProblem, match=r"no connection to box\.lan") as caught:
        Door(frozenset({"box.lan"})).client("https://box.lan", stall_seconds=1)
    assert name in caught.value.todo


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://localhost:1", True),
        ("http://LOCALHOST.", True),
        ("http://127.0.0.1", True),
        ("http://127.9.9.9:1/x", True),
        ("http://[::1]:1", True),
        ("http://localhost@evil.example", False),
        ("http://localhost.evil.example", False),
        ("http://127.0.0.1.evil.example", False),
        ("http://127.1", False),
        ("http://10.0.0.1", False),
        ("http://[::ffff:10.0.0.1]", False),
        ("http://0.0.0.0", False),
        ("http://[::1", False),
        ("localhost", False),
        ("", False),
    ],
)
def test_only_loopback_spellings_are_loopback(url: str, here: bool) -> None:
    assert is_loopback(url) is here


@pytest.mark.parametrize("url", ["http://box.lan:11434", "https://10.0.0.1", "http://localhost@box.lan", "http://"])
def test_the_door_stays_shut_for_a_host_that_nobody_allowed(url: str) -> None:
    with pytest.raises(LeaveRefused) as caught:
        Door(frozenset({"other.lan"})).client(url, stall_seconds=1)
    assert "allow_hosts" in caught.value.todo
    assert caught.value.exit_code == 11


async def test_a_client_for_one_host_reaches_no_other() -> None:
    with LoopbackOllama([]) as server:
        async with Door().client("http://localhost:1", stall_seconds=5) as client:
            with pytest.raises(LeaveRefused):
                await client.get(server.url)
        assert server.requests == []


@pytest.mark.parametrize("allowed", ["box.lan", "BOX.lan"])
async def test_an_allowed_host_is_reached_through_the_proxy_of_the_environment(
    allowed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with LoopbackOllama([]) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        async with Door(frozenset({allowed})).client("http://box.lan:11434", stall_seconds=5) as client:
            answer = await client.get("/api/version")
        assert answer.json() == {"version": "0.33.0"}
        assert proxy.requests[0].path == "http://box.lan:11434/api/version"


async def test_loopback_is_reached_without_a_proxy_and_over_a_connection_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with LoopbackOllama([]) as proxy, LoopbackOllama([Reply("hi")]) as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        async with Door().client(server.url, stall_seconds=5) as client:
            for _ in range(2):
                assert (await client.get("/")).text == "Ollama is running"
        assert [request.headers["connection"] for request in server.requests] == ["close", "close"]
        assert proxy.requests == []


async def test_a_path_in_front_of_the_server_is_kept() -> None:
    with LoopbackOllama([]) as server:
        async with Door().client(f"{server.url}/ollama", stall_seconds=5) as client:
            await client.get("/api/tags")
        assert server.requests[0].path == "/ollama/api/tags"


def test_httpx_comes_without_its_command_line_and_nobody_else_notices() -> None:
    code = (
        "import sys; from qagent.net import httpx_module\n"
        "assert 'httpx' not in sys.modules\n"
        "httpx = httpx_module()\n"
        "print(sorted({'rich', 'click', 'pygments', 'httpx._main'} & set(sys.modules)), httpx_module() is httpx)\n"
        "import importlib.util; print(importlib.util.find_spec('httpx._main').origin.endswith('_main.py'))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[] True\nTrue\n", "")
