"""The settings: read once, checked, frozen; and where qagent's own files live. Trust is in `qagent.config.trust`."""

from __future__ import annotations

from qagent.config.loading import Loaded, load
from qagent.config.places import Folders, folders
from qagent.config.settings import KEYS, Settings

__all__ = ["KEYS", "Folders", "Loaded", "Settings", "folders", "load"]
