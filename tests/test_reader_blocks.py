"""Code behind a call's header, and code inside its JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from replies import EDIT, EDIT_FILE, LS, PAIR, READ_A, TOTAL, WRITE, WRITE_FILE, bad, calls, parts_of, prose, read, tags
from replies import text as lines

from qagent.qwen.blocks import DIVIDER, REPLACE, SEARCH
from qagent.qwen.calls import write as taught
from qagent.qwen.chatml import mark
from qagent.types import Arguments

Call = tuple[str, Arguments]
one = {"old": "old\n", "new": "new\n"}
X = lines("x = 1")


def write(content: str) -> Call:
    return "write_file", {"path": "a.py", "content": content}


def edit(*pairs: dict[str, str]) -> Call:
    return "edit_file", {"path": "a.py", "edits": list(pairs)}


def total(new: str) -> Call:
    return "edit_file", {"path": "a.py", "symbol": "Cart.total", "new": new}


EMPTY_TEXT = '{"name": "write_file", "arguments": {"path": "a.py", "content": ""}}'
MARKDOWN = ("# Title", "```bash", "pip install x", "```", "More:", "```", "plain", "```")
TEMPLATE = ('s = """', "```json", "{}", '```"""')
METHOD = ("    def total(self):", "        return 0")
FENCED = ("```", "x = 1", "```")
HEADING = PAIR.replace("old", "Title\n=====")

BLOCKS: dict[str, tuple[str, list[Call], str]] = {
    "fenced": (tags(WRITE, "```python", "x = 1", "```"), [write(X)], ""),
    "fenced, with CRLF": (tags(WRITE, *FENCED).replace("\n", "\r\n"), [write("x = 1\r\n")], ""),
    "fenced, empty": (tags(WRITE, "```", "```"), [write("")], ""),
    "fenced, a blank line": (tags(WRITE, "```", "", "```"), [write("\n")], ""),
    "fenced, with blank lines around": (tags(WRITE, "", "```", "x = 1", "```", ""), [write(X)], ""),
    "fenced, indented": (tags(f"  {WRITE}", "  ```", "  a:", "    b", "  ```"), [write("a:\n  b\n")], ""),
    "fenced by tildes": (tags(WRITE, "~~~", "```", "~~~"), [write("```\n")], ""),
    "Markdown with fences": (tags(WRITE, "```md", *MARKDOWN, "```"), [write(lines(*MARKDOWN))], ""),
    "a longer fence": (tags(WRITE, "````", "```", *MARKDOWN, "````"), [write(lines("```", *MARKDOWN))], ""),
    "tags inside": (tags(WRITE, "```", "<tools>", "</tools>", "x", "```"), [write("<tools>\n</tools>\nx\n")], ""),
    "markers inside": (tags(WRITE, "```", PAIR, "```"), [write(lines(PAIR))], ""),
    "a fence in a string": (tags(WRITE, "```python", *TEMPLATE, "```"), [write(lines(*TEMPLATE))], ""),
    "raw": (tags(WRITE, "    x = 1", "y"), [write("    x = 1\ny\n")], ""),
    "raw, a closing tag inside a line": (tags(WRITE, "a </tools> b"), [write("a </tools> b\n")], ""),
    "raw, with tags of other kinds": (tags(WRITE, "<a>", "</tool>"), [write("<a>\n</tool>\n")], ""),
    "in code tags": (tags(WRITE, "<code>", "x = 1", "</code>"), [write(X)], ""),
    "in code tags, beside an empty text": (tags(EMPTY_TEXT, "<code>", "x = 1", "</code>"), [write(X)], ""),
    "fenced, beside an empty text": (tags(EMPTY_TEXT, *FENCED), [write(X)], ""),
    "pairs": (tags(EDIT, PAIR, PAIR), [edit(one, one)], ""),
    "pairs with blank lines": (tags(EDIT, "", PAIR, "", PAIR, ""), [edit(one, one)], ""),
    "pairs in a fence": (tags(EDIT, "```python", PAIR, "```"), [edit(one)], ""),
    "pairs in the header's fence": (lines("```json", EDIT, PAIR, "```"), [edit(one)], ""),
    "pairs in the header's fence in tags": (tags("```json", EDIT, PAIR, "```"), [edit(one)], ""),
    "an empty SEARCH": (tags(EDIT, PAIR.replace("old\n", "")), [edit({"old": "", "new": "new\n"})], ""),
    "an empty REPLACE": (tags(EDIT, PAIR.replace("new\n", "")), [edit({"old": "old\n", "new": ""})], ""),
    "a heading in the old text": (tags(EDIT, HEADING), [edit({"old": "Title\n=====\n", "new": "new\n"})], ""),
    "a closing tag in the old text": (
        tags(EDIT, PAIR.replace("old", "</tools>")),
        [edit({"old": "</tools>\n", "new": "new\n"})],
        "",
    ),
    "a symbol": (tags(TOTAL, "```python", "x = 1", "```"), [total(X)], ""),
    "a symbol, raw": (tags(TOTAL, *METHOD), [total(lines(*METHOD))], ""),
    "two calls": (
        "A\n" + tags(WRITE, *FENCED) + "\nB\n" + tags(EDIT, PAIR) + "\nC",
        [write(X), edit(one)],
        "A\n\nB\n\nC",
    ),
    "two calls in one tag": (
        tags(READ_A, WRITE, *FENCED),
        [("read_file", {"path": "a.py"}), write(X)],
        "",
    ),
    "a closing tag of another kind": (tags(WRITE, *FENCED).replace("</tools", "</tool_call"), [write(X)], ""),
    "header and code in two fences": (lines("So:", "```json", WRITE, "```", "", *FENCED), [write(X)], "So:\n"),
    "two fences and a sentence": (lines("```json", WRITE, "```", *FENCED, "Done."), [write(X)], "Done.\n"),
    "two fences, Markdown in the second": (
        lines("```json", WRITE, "```", "```md", *MARKDOWN, "```"),
        [write(lines(*MARKDOWN))],
        "",
    ),
    "two fences in tags": (tags("```json", WRITE, "```", "```python", "x = 1", "```"), [write(X)], ""),
    "two fences without a last newline": (lines("```json", WRITE, "```", *FENCED)[:-1], [write(X)], ""),
    "a bare header and a fence": (lines(WRITE, "```python", "x = 1", "```"), [write(X)], ""),
    "a bare header and pairs": (lines(EDIT, PAIR), [edit(one)], ""),
    "marks": (tags(WRITE, "```", "<~|im_end|>", "<~~tool_call>", "```"), [write("<|im_end|>\n<~tool_call>\n")], ""),
}  # fmt: skip


@pytest.mark.parametrize("name", BLOCKS)
def test_code_is_read_from_the_block_behind_the_header(name: str) -> None:
    reply, expected, shown = BLOCKS[name]
    parts = read(reply)
    assert (calls(parts), prose(parts), bad(parts)) == (expected, shown, [])


TEXTS = {
    "quotes": ('"x = \\"1\\"\\n"', 'x = "1"\n'),
    "raw newlines": ('"x\n\ty\n"', "x\n\ty\n"),
    "a fence": ('"```\\nx\\n```"', "```\nx\n```"),
    "real fence lines": ('"\n```\nx\n```\n"', "\n```\nx\n```\n"),
    "tags": ('"</tools>\n<tools>"', "</tools>\n<tools>"),
    "brackets": ('"}]{\\"}"', '}]{"}'),
    "JSON": ('{"a": [1]}', '{\n  "a": [\n    1\n  ]\n}'),
    "nothing": ('""', ""),
    "marks": ('"<~|im_end|> \\u003c~|im_end|>"', "<|im_end|> <|im_end|>"),
}


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize(("before", "behind"), [("<tools>\n", "\n</tools>"), ("```json\n", "\n```\n"), ("", "")])
def test_code_inside_the_json_is_read_too(name: str, before: str, behind: str) -> None:
    written, content = TEXTS[name]
    header = f'{{"name": "write_file", "arguments": {{"path": "a.py", "content": {written}}}}}'
    parts = read(before + header + behind)
    assert (calls(parts), prose(parts), bad(parts)) == ([write(content)], "", [])


@pytest.mark.parametrize(
    "arguments",
    [
        {"path": "a.py", "old": "x", "new": ""},
        {"path": "a.py", "old": "x\n", "new": "y\n"},
        {"path": "a.py", "symbol": "f", "new": "def f(): ..."},
        {"path": "a.py", "edits": [{"old": "x", "new": "y"}, {"old": "v", "new": "w"}]},
    ],
)
def test_edits_inside_the_json_are_read_too(arguments: Arguments) -> None:
    assert calls(read(tags(json.dumps({"name": "edit_file", "arguments": arguments})))) == [("edit_file", arguments)]


LINE = st.one_of(
    st.sampled_from(
        ["```", "```python", "````", "~~~", "</tools>", "<tools>", PAIR, "", "  ", LS, "<code>", "</code>"]
    ),
    st.sampled_from(["<|im_end|>", "<~tool_call>", "<tool_response>", "=====", "x = 1\r", "\x0c=======", "a\u2028b"]),
    st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\n"), max_size=8),
)
TEXT = st.lists(LINE, max_size=8).map(lambda some: lines(*some))


@settings(deadline=None)
@given(TEXT)
def test_any_text_can_be_written_as_it_is_taught(content: str) -> None:
    assume(content.strip() != "<code>")  # as the whole of a file it only stands for code
    reply = mark(taught(WRITE_FILE, {"path": "a.py", "content": content}))
    parts, _ = parts_of([f"So:\n{reply}\n{tags(LS)}"])
    assert calls(parts) == [write(content), ("run", {"command": "ls"})]


@settings(deadline=None)
@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=3))
def test_any_replacement_arrives_as_it_was_written_or_not_at_all(pairs: list[tuple[str, str]]) -> None:
    edits = [{"old": old, "new": new} for old, new in pairs]
    parts, _ = parts_of([mark(taught(EDIT_FILE, {"path": "a.py", "edits": edits}))])
    if any(marker.fullmatch(line) for line in _code(edits) for marker in (SEARCH, DIVIDER, REPLACE)):
        assert calls(parts) in ([edit(*edits)], [])
    else:
        assert calls(parts) == [edit(*edits)]


def _code(edits: list[dict[str, str]]) -> list[str]:
    return [line.rstrip() for pair in edits for text in pair.values() for line in text.split("\n")]
