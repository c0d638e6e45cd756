"""Which text is a call, which is shown, and which is neither; each reply whole, by characters and in random pieces."""

from __future__ import annotations

import pytest
from replies import LS, READ_A, READ_B, TOOLS, bad, calls, forms, parts_of, prose, read

from qagent.qwen.reader import Reader
from qagent.types import Arguments, BadCall, ToolCall, ToolSpec

ls: tuple[str, Arguments] = ("run", {"command": "ls"})
read_a: tuple[str, Arguments] = ("read_file", {"path": "a.py"})
read_b: tuple[str, Arguments] = ("read_file", {"path": "b.py"})

JSON_CALLS = {
    "as taught": (f"Look.\n<tools>\n{LS}\n</tools>", [ls], "Look.\n"),
    "as trained": (f"<tool_call>\n{LS}\n</tool_call>", [ls], ""),
    "another tag": (f"<function_call>{LS}</function_call>", [ls], ""),
    "prose on every side": (f"A\n<tools>{LS}</tools>\nB\n<tools>{READ_A}</tools>\nC", [ls, read_a], "A\n\nB\n\nC"),
    "a sentence in front": (f"I look: <tools>{LS}</tools>", [ls], "I look: "),
    "two tags glued": (f"<tools>{LS}</tools><tools>{READ_A}</tools>", [ls, read_a], ""),
    "lines in one tag": (f"<tools>\n{READ_A}\n{READ_B}\n</tools>", [read_a, read_b], ""),
    "an array": (f"<tools>\n[{READ_A}, {READ_B}]\n</tools>", [read_a, read_b], ""),
    "with commas": (f"<tools>{READ_A}, {READ_B}</tools>", [read_a, read_b], ""),
    "the same twice": (f"<tools>{LS}</tools>\n<tools>{LS}</tools>", [ls, ls], "\n"),
    "a closing tag of another kind": (f"<tools>\n{LS}\n</tool_call> Done.", [ls], " Done."),
    "an opening tag as closer": (f"<tools>\n{LS}\n<tools>", [ls], ""),
    "the tag twice": (f"<tools>\n<tool_call>\n{LS}\n</tool_call>\n</tools>", [ls], "\n"),
    "no closing tag, then another": (f"<tools>{READ_A}\n<tools>{READ_B}</tools>", [read_a, read_b], ""),
    "no closing tag, then prose": (f"<tools>{LS}\nI wait.", [ls], "I wait."),
    "no closing tag, then code": (f"<tools>{LS}\n```python\nx = 1\n```", [ls], "```python\nx = 1\n```"),
    "no closing tag at all": (f"<tools>{LS}", [ls], ""),
    "half a closing tag": (f"<tools>{LS}\n</too", [ls], ""),
    "one brace too many": (f"<tools>{LS}}}}}\n</tools>", [ls], ""),
    "a closing tag alone": (f"Yes.\n{LS}\n</tool_call>", [ls], "Yes.\n"),
    "a fence in the tags": (f"<tools>\n```json\n{LS}\n```\n</tools>", [ls], ""),
    "a fence on one line in the tags": (f"<tools>```json {LS}```</tools>", [ls], ""),
    "the tags in a fence": (f"So:\n```json\n<tools>\n{LS}\n</tools>\n```\nDone.", [ls], "So:\n\nDone."),
    "two tags in a fence": (
        f"```json\n<tools>{READ_A}</tools>\n<tools>{READ_B}</tools>\n```\nC",
        [read_a, read_b],
        "\n\nC",
    ),
    "a json fence": (f"So:\n\n```json\n{LS}\n```\nDone.", [ls], "So:\n\nDone."),
    "a fence without a last newline": (f"```json\n{LS}\n```", [ls], ""),
    "a fence that closes behind the call": (f"```json\n{LS}```\n", [ls], ""),
    "a fence that never closes": (f"```json\n{LS}", [ls], ""),
    "a fence without a language": (f"```\n{LS}\n```", [ls], ""),
    "tildes": (f"~~~json\n{LS}\n~~~", [ls], ""),
    "an indented fence": (f"1. Look:\n   ```json\n   {LS}\n   ```", [ls], "1. Look:\n   "),
    "two objects in a fence": (f"```json\n{READ_A}\n{READ_B}\n```", [read_a, read_b], ""),
    "two fences": (f"```json\n{READ_A}\n```\n```json\n{READ_B}\n```", [read_a, read_b], ""),
    "bare": (LS, [ls], ""),
    "bare, spread out": ('{\n  "name": "run",\n  "arguments": {\n    "command": "ls"\n  }\n}\n', [ls], ""),
    "bare behind prose": (f"I look.\n\n{LS}\n", [ls], "I look.\n\n"),
    "bare lines": (f"{READ_A}\n{READ_B}", [read_a, read_b], ""),
    "a bare array": (f"[{READ_A}, {READ_B}]", [read_a, read_b], ""),
    "CRLF": (f"Look.\r\n<tools>\r\n{LS}\r\n</tools>\r\n", [ls], "Look.\r\n\r\n"),
    "CRLF in a fence": (f"```json\r\n{LS}\r\n```\r\n", [ls], ""),
    "the next turn behind it": (f"{LS}<|im_end|>\n<|im_start|>user\nhi", [ls], ""),
    "the next turn behind a tag": (f"<tools>{LS}<|im_start|>user", [ls], ""),
}


@pytest.mark.parametrize("name", JSON_CALLS)
def test_calls_are_found_in_every_form(name: str) -> None:
    reply, expected, text = JSON_CALLS[name]
    parts = read(reply)
    assert calls(parts) == expected
    assert prose(parts) == text
    assert bad(parts) == []


NO_CALLS = {
    "prose": "if a < b and b <= c then List<T>, x <| y, ~5 %, a `b` c",
    "inline code": f"It printed `{LS}` and `<tools>{LS}</tools>`.",
    "double ticks": f"It printed ``<tools>{LS}</tools>``.",
    "the middle of a line": f"It printed {LS}",
    "code": f"```python\ncall = {LS}\n{LS}\n<tools>{LS}</tools>\n```\n",
    "code in a longer fence": f"````md\n```json\n{LS}\n```\n````\n",
    "code that never ends": f"```diff\n+<tools>{LS}</tools>",
    "a fence with more than calls": f"```json\n// as an example\n{LS}\n```\n",
    "a fence with text behind a call": f"```\n{LS}\n$ ls\n```\n",
    "a json answer": '```json\n{"name": "sourdough", "steps": ["mix"]}\n```',
    "data": '[{"name": "Ada", "arguments": 3}]',
    "an unknown name": '{"name": "launch", "arguments": {}}',
    "an unknown name in a fence": '```json\n{"name": "launch", "arguments": {}}\n```',
    "bare with prose behind it": f"For example:\n{LS}\nThat lists the files.",
    "a schema": '{"name": "run", "description": "runs", "parameters": {"properties": {}}}',
    "code in prose": "\nif (x)\n{\n  return y;\n}\n[link](a) [x] done\n[1, 2]\n{a}\n",
    "a Go block": '{ fmt.Println("warm") }',
    "no arguments": '{"name": "run"}',
    "empty JSON": "{}\n[]\n",
    "a fence that only opens": "```json",
    "other models' tokens": "<|begin_of_text|><|start_header_id|>",
    "an empty line": "\n",
    "a lone angle": "a <",
    "NUL": "a\0b",
    "half of a surrogate pair": "a\ud800b",
}


@pytest.mark.parametrize("name", NO_CALLS)
def test_everything_else_is_shown_as_it_is(name: str) -> None:
    parts = read(NO_CALLS[name])
    assert calls(parts) == []
    assert bad(parts) == []
    assert prose(parts) == NO_CALLS[name]


MORE_NO_CALLS = {
    "an example, as the sentence says": f"Here is an example:\n```json\n{LS}\n```\nYou could use it so.",
    "what would be sent": f"An edit would look like this, but I will not send it:\n```json\n{LS}\n```\n",
    "what must not be sent": f"Never write this:\n{LS}",
    "a sentence that goes on": f"{LS} was called by the old harness.",
    "quotation marks of any kind": f"「{LS}」\n“{LS}”\n« {LS} »",
    "a weak tag in a sentence": f"The server sends <json>{LS}</json> to us.",
    "a weak tag that begins a sentence": f"<response>{LS}</response> was the reply.",
    "another file's JSON": 'Put this there:\n```json\n{"name": "run", "command": "ls"}\n```\n',
    "a name with arguments that is spoken of": 'Tool: run\n{"command": "ls"}\nis forbidden.',
    "tags that are spoken of": "Use <tools> and </tools> for that, or the <function=run> form.",
    "a weak tag around something else": "<response>{ return x }</response>\n<json>[link](x)\n",
}


@pytest.mark.parametrize("name", MORE_NO_CALLS)
def test_what_is_only_shown_is_no_call(name: str) -> None:
    parts = read(MORE_NO_CALLS[name])
    assert (calls(parts), bad(parts), prose(parts)) == ([], [], MORE_NO_CALLS[name])


MORE_CALLS = {
    "an announcement in front of a fence": f"I'll look at it:\n```json\n{LS}\n```\nThen I go on.",
    "a think tag that is spoken of": f"I drop the <think> tag.\n<tools>\n{LS}\n</tools>",
    "a stray character": f"侴\n{LS}\n</tool_call>",
    "the model's own header, behind blanks": f"\n<|im_start|>assistant\n{LS}",
    "a weak tag in lines of its own": f"<json>\n{LS}\n</json>",
    "pairs of tags": '<function_name>run</function_name>\n<arguments>{"command": "ls"}</arguments>',
    "a tag between bare quotes": '<tools>{"name": "run", "arguments": {"command": "ls"}}</tools>',
}


@pytest.mark.parametrize("name", MORE_CALLS)
def test_what_is_meant_is_a_call(name: str) -> None:
    whole, _ = parts_of([MORE_CALLS[name]])
    assert calls(whole) == [ls]
    assert parts_of(list(MORE_CALLS[name]))[0] == whole


def test_code_behind_a_tag_that_was_closed_too_early_is_the_call_s() -> None:
    header = '<tools>\n{"name": "write_file", "arguments": {"path": "a.py"}}\n</tools>\n'
    written = [("write_file", {"path": "a.py", "content": "x = 1\n"})]
    assert calls(read(f"{header}```python\nx = 1\n```\n")) == written
    assert prose(read(f"{header}```python\nx = 1\n```\nDone.")) == "Done."
    assert calls(read(f"{header}Done.")) == []
    assert calls(read(f"{header}```python\nx = 1\n", cut=True)) == []


HIDDEN = {
    "an empty fence": ("Here:\n```json\n\n```\nEnd.", "Here:\nEnd."),
    "closing tags alone": ("a</tools>b</tool_call>c", "abc"),
    "half a tag at the end": ("Now <tool_ca", "Now "),
    "half a tag behind a word": ("It is a vector<t", "It is a vector"),
    "half a control token at the end": ("Now <|im_e", "Now "),
    "an opening tag at the end": ("Now <tools>\n", "Now "),
    "thoughts": (f"<think>maybe <tools>{LS}</tools> {LS}\n{LS}</think>No.", f"maybe <tools>{LS}</tools> {LS}\n{LS}No."),
    "thoughts that never end": (f"<think>\n<tools>{LS}</tools>", f"\n<tools>{LS}</tools>"),
    "an invented turn": ("Yes.<|im_end|>\n<|im_start|>user\nNow what?", "Yes."),
    "an invented result": (f"Yes.\n<tool_response>\nok\n</tool_response>\n<tools>{LS}</tools>", "Yes.\n"),
    "an invented turn in inline code": ("a `b <|im_start|>` c", "a `b "),
    "an invented turn in code": ("```python\nx<|endoftext|>\n```", "```python\nx"),
    "an invented turn in a bare object": ('{"a": "<|im_start|>"}', '{"a": "'),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_what_is_no_text_is_not_shown(name: str) -> None:
    reply, text = HIDDEN[name]
    parts = read(reply)
    assert (prose(parts), calls(parts), bad(parts)) == (text, [], [])


def test_calls_are_numbered_within_the_reply_and_know_their_form() -> None:
    parts, _ = parts_of(
        [f"<tools>{LS}{{}}</tools>\n<tool_call>{LS}</tool_call>\n<tool>{LS}</tool>\n```\n{LS}\n```\n{LS}"]
    )
    assert [part.id for part in parts if isinstance(part, ToolCall | BadCall)] == [
        "1.1",
        "1.2",
        "1.3",
        "1.4",
        "1.5",
        "1.6",
    ]
    assert forms(parts) == ["tools", "tool_call", "tag", "fence", "bare"]
    later = Reader(TOOLS, 7)
    assert [part.id for part in later.feed(f"<tools>{LS}</tools>") if isinstance(part, ToolCall)] == ["7.1"]


def test_tools_that_are_known_by_name_alone_take_any_arguments() -> None:
    reply = '<tools>{"name": "grep", "arguments": {"any": [1, {"thing": null}]}}</tools>'
    assert calls(read(reply, [ToolSpec("grep")])) == [("grep", {"any": [1, {"thing": None}]})]


def test_text_and_code_are_shown_as_they_come() -> None:
    reader = Reader(TOOLS)
    assert prose(reader.feed("Let me ")) == "Let me "
    assert prose(reader.feed("see <")) == "see "
    assert prose(reader.feed("b>\n```py")) == "<b>\n"
    assert prose(reader.feed("thon\nx = ")) == "```python\nx = "
    assert prose(reader.feed("1 `y")) == "1 `y"
    assert prose(reader.feed("\n```\nSo `a")) == "\n```\nSo `a"


def test_a_call_is_given_as_soon_as_its_tag_closes() -> None:
    reader = Reader(TOOLS)
    assert reader.feed(f"<tools>\n{LS}\n</tools") == []
    assert calls(reader.feed(">")) == [ls]
    assert reader.close() == []
