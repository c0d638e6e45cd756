"""The one door out of this process: which hosts may be reached, and with what kind of connection.

In: an address as people write it, and the hosts that the person allowed. Out: a base URL, and httpx clients that reach
that host only. It refuses to know what is sent. `httpx` is imported here and nowhere else, when first needed.
"""

from __future__ import annotations

import ipaddress
import re
import ssl
import sys
import types
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from qagent.errors import ConfigProblem, LeaveRefused

if TYPE_CHECKING:
    import httpx

_USER = re.compile(r"(?<=://)[^\s'\"<>]*@")
_QUERY = re.compile(r"(://[^\s'\"<>?#]*)[?#][^\s'\"<>]*")

CONNECT_SECONDS = 5.0
SCHEME_PORTS = {"http": 80, "https": 443}


def httpx_module():  # its type is the module itself, which no annotation can spell
    """`httpx` without its command line, which would import rich and click: 35 ms, and not ours to load."""
    name = "httpx._main"
    if "httpx" in sys.modules:
        import httpx

        return httpx
    stand_in = types.ModuleType(name)  # it has no `main`, so httpx believes that the command line is not installed
    sys.modules.setdefault(name, stand_in)
    try:
        import httpx
    finally:
        if sys.modules.get(name) is stand_in:
            del sys.modules[name]
    return httpx


# ------------------------------------------------------------------ addresses


def without_secrets(text: str) -> str:
    """A text for people, in which no URL has what may be a password or a key: a user's name and password, a query."""
    return _USER.sub("…@", _QUERY.sub(r"\1?…", text))


def shown_address(text: str) -> str:
    """An address as people wrote it, likewise. What is not a URL, or not a whole one, is cut off earlier rather than
    later: where a password ends, only its writer knows."""
    scheme, found, rest = text.partition("://")
    begun, kept = (f"{scheme}://", rest) if found and scheme.isalnum() else ("", text)
    asks = re.search(r"[?#]", kept)
    if "@" in kept:
        return f"{begun}…" if asks else f"{begun}…@{kept.rpartition('@')[2]}"
    return f"{begun}{kept[: asks.start()]}{asks[0]}…" if asks else text


def base_url(host: str | None, *, port: int) -> str:
    """The URL of a server, without a trailing slash, from any spelling that Ollama reads in OLLAMA_HOST.

    `port` is used when neither a port nor a scheme is given; a scheme brings its own (80, 443), as with Ollama.
    Raises ConfigProblem for what is no address.
    """
    text = (host or "").strip().strip("\"'").strip()
    if text in ("", "http://", "https://"):
        return f"http://127.0.0.1:{port}"
    scheme, found, rest = text.partition("://")
    if not found:
        scheme, rest = "http", text
    elif scheme.lower() not in SCHEME_PORTS:
        raise _no_address(text, f"{scheme!r} is not a scheme (http, https)")
    where, _, path = rest.partition("/")
    name, own_port = _host_and_port(text, where)
    default = SCHEME_PORTS[scheme.lower()] if found else port
    return f"{scheme.lower()}://{name}:{own_port or default}{_prefix(text, path)}"


def _no_address(text: str, why: str) -> ConfigProblem:
    if (shown := shown_address(text)) != text:  # then `why` may quote what is not to be shown
        why = "it must not hold a user name or password" if "@" in text else "nothing may follow the path"
    return ConfigProblem(
        f"{shown!r} is not a server's address: {why}",
        todo="write it like `127.0.0.1:11434` or `http://192.168.1.5:11434` (OLLAMA_HOST)",
    )


def _host_and_port(text: str, where: str) -> tuple[str, int | None]:
    if "@" in where:
        raise _no_address(text, "it must not hold a user name or password")
    if where.count(":") > 1 and not re.search(r"[\[\]]", where):
        return _ipv6(text, where), None
    if bracketed := re.fullmatch(r"\[(.*)\](?::(.*))?", where):
        return _ipv6(text, bracketed[1]), _port(text, bracketed[2])
    name, _, port = where.partition(":")
    return _name(text, name), _port(text, port)


def _port(text: str, port: str | None) -> int | None:
    if not port:
        return None
    if not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 65_536:
        raise _no_address(text, f"{port!r} is not a port (1 to 65535)")
    return int(port)


def _ipv6(text: str, address: str) -> str:
    try:
        parsed = ipaddress.IPv6Address(address)
    except ValueError as error:
        raise _no_address(text, f"{address!r} is not an IPv6 address") from error
    if parsed.scope_id:
        raise _no_address(text, "a zone (`%…`) is not supported")
    return "127.0.0.1" if parsed.is_unspecified else f"[{parsed}]"


def _name(text: str, name: str) -> str:
    if name in ("", "0.0.0.0"):  # where a server listens, not where it is reached
        return "127.0.0.1"
    if name.isdecimal():
        raise _no_address(text, f"a port alone is written `:{name}`")
    if name.lower() in SCHEME_PORTS:
        raise _no_address(text, f"after {name!r} comes `://`")
    if not re.fullmatch(r"[\w-]+(\.[\w-]+)*\.?", name.lower()):  # `İ` is one letter, and two in lower case
        raise _no_address(text, f"{name!r} is not a host")
    if re.fullmatch(r"[0-9.]+", name) and not _is_ipv4(name):
        raise _no_address(text, f"{name!r} is not an IPv4 address")
    return name.lower()


def _is_ipv4(name: str) -> bool:
    try:
        ipaddress.IPv4Address(name)
    except ValueError:
        return False
    return True


def _prefix(text: str, path: str) -> str:
    """A path in front of the server's own, as behind a reverse proxy; `/v1` and `/api` are the server's own."""
    if re.search(r"[?#\s\\]", path):
        raise _no_address(text, "nothing may follow the path")
    kept = re.sub(r"(^|/+)(v1|api)/*$", "", path.strip("/"))
    return f"/{kept}" if kept else ""


def is_loopback(url: str) -> bool:
    """Whether a URL stays on this machine: localhost, 127.0.0.0/8, ::1. Judged by spelling, never by DNS."""
    try:
        host = urlsplit(url).hostname
    except ValueError:
        return False
    return _is_loopback_host(host or "")


def _is_loopback_host(host: str) -> bool:
    host = host.lower().strip("[]")
    if host.removesuffix(".") == "localhost" or host == "::1":
        return True
    return _is_ipv4(host) and ipaddress.IPv4Address(host).is_loopback


# ------------------------------------------------------------------ the door


@dataclass(frozen=True, slots=True)
class Door:
    """Opens connections to this machine, and to the hosts that the person named."""

    allowed_hosts: frozenset[str] = frozenset()

    def allows(self, host: str) -> bool:
        """Whether code may go to this host."""
        return _is_loopback_host(host) or host.lower().strip("[]") in self._named

    @property
    def _named(self) -> frozenset[str]:
        return frozenset(name.lower().strip("[]") for name in self.allowed_hosts)

    def client(self, url: str, *, stall_seconds: float) -> httpx.AsyncClient:
        """A client for requests below `url`. `stall_seconds`: the longest wait for the next byte; no total limit.

        One connection a request: llama.cpp's server closes after a streamed answer, and the next request on a pooled
        connection would fail. Raises LeaveRefused, ConfigProblem.
        """
        httpx = httpx_module()
        host = self._checked(url)
        here = _is_loopback_host(host)

        async def stays(request: httpx.Request) -> None:  # an absolute URL would leave past the check above
            if (to := _host_of(request.url)) != host:
                raise _leaving(to)

        try:
            return httpx.AsyncClient(
                base_url=url,
                headers={"connection": "close", "accept-encoding": "identity"},
                timeout=httpx.Timeout(stall_seconds, connect=CONNECT_SECONDS),
                trust_env=not here,  # a proxy cannot reach this machine's loopback
                follow_redirects=False,
                event_hooks={"request": [stays]},
                verify=_no_certificates() if here and url.startswith("http:") else True,
            )
        except (ValueError, OSError, ImportError, httpx.InvalidURL) as error:
            raise _no_way_out(host, error) from error

    def _checked(self, url: str) -> str:
        """The host as httpx itself reads the URL, so that no two readings can differ."""
        httpx = httpx_module()
        try:
            read = httpx.URL(url)
            host, spelled = _host_of(read), read.host  # `xn--…`, and what it stands for, which may be nothing
        except (ValueError, httpx.InvalidURL) as error:
            raise _no_address(url, str(error)) from error
        if not self.allows(host) and spelled.lower() not in self._named:
            raise _leaving(spelled)
        if read.userinfo or read.query:
            raise _no_address(url, "it holds more than a host, a port and a path")
        return host


def _host_of(url: httpx.URL) -> str:
    """The name that is looked up: IDNA-encoded, in lower case."""
    return url.raw_host.decode("ascii").lower()


def _no_way_out(host: str, error: Exception) -> ConfigProblem:
    """What the environment says of proxies and certificates is read when a client is made."""
    return ConfigProblem(
        f"no connection to {host} can be made: {without_secrets(str(error))}",
        todo="look at what the environment says of proxies and certificates (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, "
        "NO_PROXY, SSL_CERT_FILE, SSL_CERT_DIR)",
    )


def _leaving(host: str) -> LeaveRefused:
    return LeaveRefused(
        f"{host or 'that address'} is not this machine, and all code that the model reads would go there",
        todo=f'if it may: write `allow_hosts = ["{host}"]` in your own config.toml',
    )


def _no_certificates() -> ssl.SSLContext:
    """Trusts nobody. For plain http, where reading the machine's certificates would cost 20 ms for nothing."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
