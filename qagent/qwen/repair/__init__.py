"""Mending broken JSON: what it may have meant, from the surest reading to the least sure; never a guess."""

from __future__ import annotations

from qagent.qwen.repair.rungs import Reading, readings

__all__ = ["Reading", "readings"]
