"""`qagent debug edit` and `qagent debug prompt`: what edits make of a text, and what the model would get first.

edit    in  {"id", "file", "before", "edits": [{"old", "new", "replace_all"?}], "seen"?}
        out {"id", "after"} or {"id", "error", "message"}; a contract for other programs
        `seen` is what the model last read of the file, where that is something else; `file` tells the language
"""

from __future__ import annotations

from typing import BinaryIO

from pydantic import BaseModel

from qagent import context
from qagent.cli.ends import say_json
from qagent.cli.json_lines import requests
from qagent.cli.start import Options, notice, start
from qagent.config import Settings
from qagent.config.per_model import row_for
from qagent.edits.applying import Edit, apply
from qagent.edits.gate import check
from qagent.edits.refused import EditRefused
from qagent.edits.table import flat
from qagent.models.chat_messages import chat_messages
from qagent.models.shown import Shown
from qagent.tools.toolbox import json_schema
from qagent.types import SystemMessage, UserMessage
from qagent.wiring import prefix
from qagent.wiring.choosing import choice_of
from qagent.workspace.files import LARGEST


class _Change(BaseModel):
    old: str
    new: str
    replace_all: bool = False


class _Edits(BaseModel):
    id: str | int
    file: str = ""
    before: str
    edits: list[_Change]
    seen: str | None = None


def edit_lines(stream: BinaryIO, *, gated: bool = False) -> None:
    """`gated`: what makes a new syntax error is refused too."""
    for request in requests(stream, _Edits):
        try:
            say_json({"id": request.id, "after": _after(request, gated=gated)})
        except EditRefused as refused:
            say_json({"id": request.id, "error": refused.code, "message": refused.text})


def _after(request: _Edits, *, gated: bool) -> str:
    """What is too large for the tools is refused alike."""
    if len(request.before.encode("utf-8", "replace")) > LARGEST:
        megabytes = f"{LARGEST / 1e6:g} MB"
        raise EditRefused(
            "not_found",
            f"the file is larger than {megabytes}, so nothing was looked for; change it with `run` and sed.",
        )
    changes = [Edit(change.old, change.new, change.replace_all) for change in request.edits]
    if request.seen is not None and flat(request.seen) != flat(request.before):
        raise EditRefused("stale", "the file changed since you read it; read it again, then send the change again.")
    after = apply(request.before, changes, request.file).text
    if gated:
        check(flat(request.before), flat(after), request.file)
    return after


def first_prompt(task: str, options: Options, *, as_json: bool) -> None:
    """As text where the server takes qagent's own; as messages where it writes a template of its own around them."""
    place = start(options).place
    text, _ = prefix(place)
    prompt = context.build((SystemMessage(text), UserMessage(task)), "")
    messages = chat_messages(prompt.messages) if _by_chat(place.settings) else None
    if as_json:
        tools = [{"name": spec.name, "parameters": json_schema(spec)} for spec in place.toolbox.specs]
        say_json({"text": prompt.text, "tokens": prompt.tokens, "tools": tools, "messages": messages})
        return
    if messages is None:
        print(prompt.text, end="")
        return
    notice("these are messages: the server writes the model's own template around them")
    for message in messages:
        print(f"--- {message['role']}\n{message['content']}")


def _by_chat(settings: Settings) -> bool:
    """Judged by the name alone; what the server has as the model's template may tell otherwise."""
    if settings.model is None:
        return settings.endpoint == "chat"
    return choice_of(settings.model, row_for(settings, {}, settings.model), Shown()).chat
