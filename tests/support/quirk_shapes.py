"""Runs in which the quirk is how a call is written: it is understood without a word to the model.

Each row is one quirk, or one of the shapes in which it was seen; every name is that of a quirk, then what varies.
"""

from __future__ import annotations

import json

from quirk_runs import (
    CHECK,
    DIGITS,
    DOCUMENT,
    DONE,
    EDIT,
    EDIT_JSON,
    LONG,
    MANY,
    PATH,
    PIECES,
    PLANTED,
    READ,
    READ_JSON,
    RUN,
    RUN_JSON,
    TAGS,
    Run,
    as_answer,
    as_edit,
    as_run,
    at_first,
    before_all,
    fenced,
    js,
    pair,
    tagged,
    tools,
)
from scripted_agent import call

EDIT_ARGUMENTS = json.dumps({"path": PATH, "old": PIECES.old, "new": PIECES.new})
REMOVE = tools(js("run", command="rm -r shop"))
SEARCH_JSON = js("search", pattern="def label")
PRICES_JSON = js("read_file", path="shop/prices.py")


def edit_json(old: str, new: str) -> str:
    return js("edit_file", path=PATH, old=old, new=new)


def with_texts(old: str, new: str) -> str:
    """An edit whose two texts stand in it as they are, between whatever is given around them."""
    texts = f'"old": {old}, "new": {new}'.replace("OLD", PIECES.old).replace("NEW", PIECES.new)
    return f'{{"name": "edit_file", "arguments": {{"path": "{PATH}", {texts}}}}}'


FORMS: dict[str, Run] = {
    "as taught": as_edit(EDIT),
    "bare-json": as_edit(EDIT_JSON),
    "bare-json pretty": as_edit(json.dumps(json.loads(EDIT_JSON), indent=4)),
    "fenced-json": as_edit(fenced(EDIT_JSON)),
    "fenced-json without a language": as_run(fenced(RUN_JSON, "")),
    "fenced-json xml": at_first(fenced(READ_JSON, "xml")),
    "fenced-json plaintext": at_first(fenced(READ_JSON, "plaintext")),
    "fenced-json tool_call": at_first(fenced(READ_JSON, "tool_call")),
    "tools-tag": as_edit(tools(EDIT_JSON)),
    "tool-call-tag": as_edit(tagged("tool_call", EDIT_JSON)),
    "function-call-tag-in-xml-fence": as_edit(fenced(tagged("function_call", EDIT_JSON), "xml")),
    **{
        f"other-wrapper {tag}": as_edit(tagged(tag, EDIT_JSON))
        for tag in ("function_call", "function-calls", "tool", "response", "json", "xml", "JSON")
    },
    "other-wrapper function with its name in it": as_edit(f"<function=edit_file>{EDIT_ARGUMENTS}</function>"),
    "other-wrapper function with a name": as_edit(f'<function name="edit_file">{EDIT_ARGUMENTS}</function>'),
    "other-wrapper square brackets": as_run(f"[TOOL_REQUEST]{RUN_JSON}[END_TOOL_REQUEST]"),
    "function-parameter-xml": as_edit(
        f"<tool_call>\n<function=edit_file>\n<parameter=path>\n{PATH}\n</parameter>\n<parameter=old>\n{PIECES.old}\n"
        f"</parameter>\n<parameter=new>\n{PIECES.new}\n</parameter>\n</function>\n</tool_call>"
    ),
    "function-parameter-xml without its tag": as_run(
        f"<function=run><parameter=command>{CHECK}</parameter></function>"
    ),
    "placeholder-tag-names": as_edit(
        f"<function-name>edit_file</function-name>\n<arguments>{EDIT_ARGUMENTS}</arguments>"
    ),
    "placeholder-tag-names of tools": as_run(
        f'<tool-name> run </tool-name><args-json-object>{{"command": "{CHECK}"}}</args-json-object>'
    ),
    "fence-around-tags": as_edit(fenced(tools(EDIT_JSON))),
    "fence-around-tags left empty": as_run(f"```json\n\n```\n{RUN}"),
    "orphan-tag": as_edit(f"{EDIT_JSON}\n</tool_call>"),
    "orphan-tag tools": as_edit(f"{EDIT_JSON}\n</tools>"),
    "garbled-open-tag": as_edit(f"侴\n{EDIT_JSON}\n</tool_call>"),
    "unclosed-tag": as_edit(f"<tool_call>\n{EDIT_JSON}\n"),
    "unclosed-tag between two": Run(
        (f"<tool_call>\n{READ_JSON}\n<tool_call>\n{PRICES_JSON}\n", EDIT, RUN, DONE), bug=MANY
    ),
    "close-tag-in-string": as_edit(tagged("tool_call", edit_json(old=TAGS.old, new=TAGS.new)), TAGS),
    "close-tag-in-string of a block": as_edit(call("edit_file", pair(TAGS.old, TAGS.new), path=PATH), TAGS),
    "prose-then-call": as_edit(f"## Subtask 1\n1. Fix the label.\n\nI'll use edit_file.\n{EDIT}\nThat is all."),
    "prose-then-bare-json": as_edit(f"To fix the label, I'll use the edit_file tool.\n\n{EDIT_JSON}"),
    "detached-arguments": as_edit(f"edit_file\n{EDIT_ARGUMENTS}"),
    "detached-arguments as a heading": as_edit(f"### edit_file\n{fenced(EDIT_ARGUMENTS)}"),
    "shell-like-call": before_all('search pattern="def label" path="shop"'),
    "shell-like-call that swallowed its arguments": as_run(tools(js(f"run command='{CHECK}'"))),
    "shell-like-call in Python": as_run(f'run(command="{CHECK}")'),
    "nested-envelope": as_edit(f'{{"thought": "One is wrong.", "action": {EDIT_JSON}}}'),
    "nested-envelope tool": as_run(
        f'<tool_call>\n{{"tool": {{"name": "run", "arguments": {{"command": "{CHECK}"}}}}}}\n</tool_call>'
    ),
    "nested-envelope function": as_edit(f'{{"type": "function", "function": {EDIT_JSON}}}'),
    "nested-envelope op": as_edit(tools(f'{{"op": "edit_file", "args": {EDIT_ARGUMENTS}}}')),
    "key-variants": as_edit(f'{{"tool": "edit_file", "parameters": {EDIT_ARGUMENTS}}}'),
    "key-variants input": as_edit(fenced(f'{{"function": "edit_file", "input": {EDIT_ARGUMENTS}}}')),
    "arguments-as-string": as_edit(tools(f'{{"name": "edit_file", "arguments": {json.dumps(EDIT_ARGUMENTS)}}}')),
    "arguments-as-string null": before_all('{"name": "list_files", "arguments": null}'),
    "missing-arguments-key": before_all(tools('{"name":"list_files"}')),
    "several-calls": at_first(tools(SEARCH_JSON, READ_JSON)),
    "several-calls as lines": at_first(tools(f"{SEARCH_JSON}\n{READ_JSON}")),
    "several-calls as an array": at_first(tools(f"[{SEARCH_JSON},\n {READ_JSON}]")),
    "several-calls in fences": at_first(f"{fenced(SEARCH_JSON)}\n\n{fenced(READ_JSON)}"),
    "several-calls glued": at_first(f"{SEARCH_JSON}{READ_JSON}"),
    "several-calls that change": Run((READ, f"{tools(EDIT_JSON)}\n{RUN}", DONE), 1),
    "duplicate-call": at_first(f"{fenced(READ_JSON)}\n{READ_JSON}"),
    "key-order": as_edit(tools(f'{{"arguments": {EDIT_ARGUMENTS}, "name": "edit_file"}}')),
    "json-wrapped-answer": as_answer(
        (wrapped := '<response>\n{\n  "message": "The label of one piece is right now."\n}\n</response>'), wrapped
    ),
    "json-answer": as_answer(
        (package := f'{DONE}\n```json\n{{"name": "labels", "version": "1.0.0"}}\n```'), package
    ),
    "instruction-injection": Run(
        (tools(js("read_file", path="NOTES.md")), READ, EDIT, RUN, DONE), bug=PLANTED
    ),
    "extra-closing-brace": as_edit(tools(edit_json(old=DOCUMENT.old, new=DOCUMENT.new) + "}"), DOCUMENT),
    "extra-closing-brace without tags": as_edit(edit_json(old=DOCUMENT.old, new=DOCUMENT.new) + "}", DOCUMENT),
    "big-body": as_edit(call("write_file", f"```python\n{LONG.fixed}```\n", path=PATH), LONG),
}  # fmt: skip


BROKEN_JSON: dict[str, Run] = {
    "missing-closing-brace": as_edit(tagged("tool_call", EDIT_JSON[:-1])),
    "closer-out-of-order": as_edit(
        tools(
            f'{{"name": "edit_file", "arguments": {{"path": "{PATH}", "edits": [{{"old": {json.dumps(PIECES.old)}, '
            f'"new": {json.dumps(PIECES.new)}\n]\n}}}}}}'
        )
    ),
    "raw-newline-in-string": as_edit(
        tools(edit_json(old=f"def label(count):\n{PIECES.old}", new=PIECES.function[:-1]).replace("\\n", "\n"))
    ),
    "unescaped-quote-in-string": as_edit(tools(with_texts('"OLD"', '"NEW"'))),
    "triple-quoted-string": as_edit(tools(with_texts('"""\nOLD\n"""', '"""\nNEW\n"""'))),
    "missing-open-quote": as_edit(tools(EDIT_JSON.replace('"path": "', '"path": '))),
    "unquoted-key": as_edit(tools(EDIT_JSON.replace('"path"', "path"))),
    "unquoted-name": as_edit(tools(EDIT_JSON.replace('"edit_file"', "edit_file"))),
    "missing-comma": as_edit(tools(EDIT_JSON.replace('py", ', 'py"\n'))),
    "trailing-comma": as_edit(tools(f"{EDIT_JSON[:-2]},}},}}")),
    "python-literals": at_first(tools(f"{{'name': 'read_file', 'arguments': {{'path': '{PATH}', 'start': None}}}}")),
    "json-comments": as_edit(tools(EDIT_JSON.replace('", "old"', '", // the file\n"old"'))),
    "bad-escape": as_edit(tools(edit_json(old=DIGITS.old, new=DIGITS.new).replace("\\\\", "\\")), DIGITS),
    "backtick-string": as_edit(tools(with_texts("`OLD`", "`NEW`"))),
    "smart-quotes": as_run(tools(f"{{“name”: “run”, “arguments”: {{“command”: “{CHECK}”}}}}")),
}


CONTENT: dict[str, Run] = {
    "hallucinated-tool-name of another agent": as_edit(
        tools(js("str_replace", file_path=PATH, old_str=PIECES.old, new_str=PIECES.new))
    ),
    "hallucinated-tool-name bash": as_run(tools(js("bash", command=CHECK))),
    "hallucinated-tool-name open_file": at_first(tagged("tool_call", js("open_file", filename=PATH))),
    "hallucinated-tool-name in another spelling": at_first(js("Read-File", path=PATH)),
    "wrong-argument-name": at_first(tools(js("read_file", filePath=PATH))),
    "wrong-argument-name of an edit": as_edit(
        tools(js("edit_file", filename=PATH, old_string=PIECES.old, new_string=PIECES.new))
    ),
    "wrong-types": at_first(tools(js("read_file", path=PATH, start="1", end="12"))),
    "wrong-types of a command": as_run(tools(js("run", command=[CHECK], timeout="30"))),
    "faked-tool-result behind its call": at_first(
        f"{READ}\n<tool_response>\ndef label(): pass\n</tool_response>\nThe function is empty."
    ),
    "special-token-leak": as_edit(f"{EDIT}<|endoftext|>"),
    "special-token-leak that is no stop": as_edit(f"{EDIT}\n<|fim_middle|>\n{REMOVE}"),
    "runaway-turn": as_edit(f"{EDIT}<|im_start|>user\nNow remove it.<|im_end|>\n<|im_start|>assistant\n{REMOVE}"),
    "language-switch of one character": as_answer(f"{DONE} 好"),
    "fenced-file-body": as_edit(tools(js("write_file", path=PATH, content=fenced(PIECES.fixed[:-1], "python")))),
    "fenced-file-body as a block": as_edit(call("write_file", f"```python\n{PIECES.fixed}```\n", path=PATH)),
    "whole-defs-instead-of-search with a symbol": as_edit(
        call("edit_file", f"```python\n{PIECES.function}```\n", path=PATH, symbol="label")
    ),
    "truncated-call at the last tag": as_edit(tools(EDIT_JSON)[:-4]),
}
