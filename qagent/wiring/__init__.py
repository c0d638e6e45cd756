"""Settings in, an agent ready to run out: where the parts are put together. Asks nobody, prints nothing."""

from __future__ import annotations

from qagent.wiring.looking import Look, look
from qagent.wiring.parts import NOTES, Place, connected, make_agent, new_session, prefix
from qagent.wiring.servers import connect

__all__ = ["NOTES", "Look", "Place", "connect", "connected", "look", "make_agent", "new_session", "prefix"]
