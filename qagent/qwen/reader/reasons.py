"""Why something that was meant as a call cannot be run: for the model, with what to do about it."""

from __future__ import annotations

CUT = (
    "its end is missing. Send it again whole and end it with </tools>. "
    "A long text goes in several smaller calls, a text that holds ``` in a longer fence (````)."
)
LIMIT = (
    "it was cut off, because the reply was too long. "
    "Write less in one call: several smaller edits, or one part of the file."
)
QUOTE = "a quote inside its JSON is not escaped. Code goes in a plain block after the JSON, where nothing is escaped."
EMPTY = "there is no call in the tags. They hold one JSON object with name and arguments."
TWICE = "a text of its arguments is empty, and more text follows the JSON. Leave the empty one out."
TOO_LARGE = "its JSON is nested too deeply, or has too many brackets. Send a smaller call."
