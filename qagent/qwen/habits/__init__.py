"""What the family does wrong in a whole task: claims, promises, loops, plans. Noticed here, answered by the agent."""

from __future__ import annotations

from qagent.qwen.habits.table import (
    HABITS,
    IN_A_TASK,
    MOST_GREETINGS,
    MOST_UNKNOWN,
    TOLD,
    Answer,
    Found,
    Habit,
    ReplyAnswer,
    Seen,
    found,
)

__all__ = [
    "HABITS",
    "IN_A_TASK",
    "MOST_GREETINGS",
    "MOST_UNKNOWN",
    "TOLD",
    "Answer",
    "Found",
    "Habit",
    "ReplyAnswer",
    "Seen",
    "found",
]
