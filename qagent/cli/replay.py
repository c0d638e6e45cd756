"""`qagent debug edit` and `qagent debug prompt`: what edits make of a text, and what the model would get first.

edit    in  {"id", "file", "before", "edits": [{"old", "new", "replace_all"?}]}
        out {"id", "after"} or {"id", "error", "message"}; a contract for other programs
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from pydantic import BaseModel

from qagent import context
from qagent.cli.ends import say_json
from qagent.cli.json_lines import requests
from qagent.cli.start import Options, start
from qagent.edits.exact import Edit, EditRefused, apply
from qagent.tools.toolbox import json_schema
from qagent.types import SystemMessage, UserMessage
from qagent.wiring import prefix


class _Change(BaseModel):
    old: str
    new: str
    replace_all: bool = False


class _Edits(BaseModel):
    id: str | int
    file: str = ""
    before: str
    edits: list[_Change]


def edit_lines(stream: BinaryIO) -> None:
    for request in requests(stream, _Edits):
        changes = [Edit(change.old, change.new, change.replace_all) for change in request.edits]
        try:
            say_json({"id": request.id, "after": apply(request.before, changes)})
        except EditRefused as refused:
            say_json({"id": request.id, "error": refused.code, "message": refused.text})


def first_prompt(task: str, cwd: Path, *, as_json: bool) -> None:
    place = start(Options(cwd, quiet=True)).place
    text, _ = prefix(place)
    prompt = context.build((SystemMessage(text), UserMessage(task)), "")
    if not as_json:
        print(prompt.text, end="")
        return
    tools = [{"name": spec.name, "parameters": json_schema(spec)} for spec in place.toolbox.specs]
    say_json({"text": prompt.text, "tokens": prompt.tokens, "tools": tools})
