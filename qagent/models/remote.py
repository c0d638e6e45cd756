"""Models that a server lists and does not run: Ollama passes their prompts on to another machine.

The address is on this machine, so the door is open; the code would leave through it all the same. In: what the server
tells of a model, and the door. Out: the host where it runs, or LeaveRefused.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from qagent.errors import LeaveRefused
from qagent.models.names import InstalledModel
from qagent.models.refusal import clipped
from qagent.net import Door, shown_address, without_secrets

CLOUD = "ollama.com"


def remote_host(name: str, host: str, model: str) -> str:
    """The host that runs a model, in lower case; "" for the server itself.

    `host` and `model` are what /api/tags has as `remote_host` (`https://ollama.com:443`) and `remote_model`, both ""
    for a model that is stored there. A name that ends in `cloud` is one of Ollama's own, whatever else is told.
    """
    if host.strip():
        return _host_of(host.strip().lower())
    return CLOUD if model or name.casefold().endswith(("-cloud", ":cloud")) else ""


def _host_of(address: str) -> str:
    """What cannot be read as a host stays as it is: nobody has allowed it."""
    if (plain := clipped(address)) != without_secrets(address):
        return plain or "?"
    try:
        return urlsplit(address if "://" in address else f"//{address}").hostname or shown_address(address)
    except ValueError:
        return shown_address(address)


def check_remote(model: InstalledModel, door: Door) -> None:
    """Raises LeaveRefused for a model that runs on a host which the person did not allow."""
    if not model.remote or door.allows(model.remote):
        return
    raise LeaveRefused(
        f"{model.name} does not run here: Ollama passes all code that the model reads on to {model.remote}",
        todo="choose a model that is stored on this machine (`ollama list`); if the code may leave: write "
        f'`allow_hosts = ["{model.remote}"]` in your own config.toml',
    )
