from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from replies import EDIT_FILE, READ_FILE, RUN, WRITE_FILE

from qagent.qwen.calls.placeholders import ROWS, refused
from qagent.types import Arguments, Parameter, ToolSpec

SEARCH = ToolSpec("search", parameters=(Parameter("pattern", "string", required=True), Parameter("path", "string")))
NAMED = ToolSpec("anything")

PATHS = [
    "/path/to/config.json",
    "path/to/your/file.py",
    "./path/to/x",
    "C:/path/to/x",
    "C:\\path\\to\\x",
    "/path/to",
    "caminho/para/o/arquivo.txt",
    "ruta/al/archivo.txt",
    "chemin/vers/fichier.py",
    "pfad/zur/datei.py",
    "relative/path/to/file",
    "<relative/path>",
    "<path>",
    "<the file>",
    "[file name]",
    "[path]",
    "{path}",
    "{{file_path}}",
    "...",
    "…",
    ".../cart.py",
    "your_file.py",
    "src/your-module/a.py",
    " /path/to/x ",
]
REAL_PATHS = [
    "a.py",
    "src/cart.py",
    "docs/path/to/x.md",
    "/etc/hosts",
    "C:/Users/dev/app.py",
    "[slug]",
    "app/[id]/page.tsx",
    "{{cookiecutter.project_slug}}",
    "{{ cookiecutter.name }}/setup.py",
    "..",
    ".",
    "../lib",
    "path.py",
    "paths/to.py",
    "pathtool/x",
    "yourself.py",
    "your_filename_checks/a.py",
    "a/<b>/c",
    ".github",
    "#notes#",
    "",
]
TEXTS = [
    "<fileContent>",
    "<file content here>",
    "<your code here>",
    "<content>",
    "<the whole text of the file>",
    "<React component code here>",
    "[content]",
    "[your code here]",
    "(content goes here)",
    "{file content}",
    "{{fileContent}}",
    "{{result from calculate function}}",
    "{{ result of read_file }}",
    "...",
    "…",
    "[...]",
    "<...>",
    "# ...",
    "// ...\n",
    "/* ... */",
    "YOUR_CODE_HERE",
    "your code here",
    "# your code here",
    "// TODO: add your code here",
    "<!-- content goes here -->",
    "/* insert code here */",
    "  <fileContent>\n",
]
REAL_TEXTS = [
    "",
    "x",
    "<html>\n<body></body>\n</html>\n",
    "<html>…</html>",
    "<br>",
    "<hr/>",
    "<T>",
    "<!DOCTYPE html>",
    "content",
    "text",
    "{{ content }}",
    "{{ page_title }}",
    "{{> header }}",
    "# your code here\nprint(1)\n",
    "def f():\n    ...\n",
    "pass",
    "# Notes",
    "Here is the list.",
    "See here",
    "[section]\nkey = 1\n",
    "[1, 2]",
    "{}",
    "...and so on",
    "<!-- end -->",
    "your name",
]
COMMANDS = ["<command>", "<your command here>", "...", "{{command}}", "your_command", "/path/to/script.sh", "{command}"]
REAL_COMMANDS = [
    "ls",
    "python /path/to/x.py",
    "echo <a >b",
    "make",
    "...x",
    "./run.sh",
    "{ ls; }",
    "[ -f a ]",
    "cat <x",
]
NEW = ["<fileContent>", "<new content here>", "<your code here>", "# your code here", "{{result of edit}}"]
REAL_NEW = [
    "...",
    "<body>",
    "<FileContent>",
    "<file-list>",
    "<content>",
    '<input type="file">',
    "{{ content }}",
    "{ code }",
    "[text]",
    "pass",
    "# ...",
    "/path/to/x",
]


@pytest.mark.parametrize("value", PATHS)
def test_a_path_out_of_a_manual_is_refused(value: str) -> None:
    for tool in (READ_FILE, WRITE_FILE, EDIT_FILE, NAMED):
        assert refused(tool, {"path": value}) == f"'path' is a placeholder ({value.strip()}). Write the real path."


@pytest.mark.parametrize("value", REAL_PATHS)
def test_a_real_path_is_taken(value: str) -> None:
    assert refused(READ_FILE, {"path": value}) is None


@pytest.mark.parametrize("value", TEXTS)
def test_a_text_that_only_names_a_text_is_refused(value: str) -> None:
    for tool in (WRITE_FILE, NAMED):
        why = refused(tool, {"path": "a.py", "content": value})
        assert why == f"'content' is a placeholder ({value.strip()}). Write the real text."


@pytest.mark.parametrize("value", REAL_TEXTS)
def test_a_real_text_is_taken(value: str) -> None:
    assert refused(WRITE_FILE, {"path": "a.py", "content": value}) is None


@pytest.mark.parametrize("value", COMMANDS)
def test_a_command_out_of_a_manual_is_refused(value: str) -> None:
    assert refused(RUN, {"command": value}) is not None


@pytest.mark.parametrize("value", REAL_COMMANDS)
def test_a_real_command_is_taken(value: str) -> None:
    assert refused(RUN, {"command": value}) is None


@pytest.mark.parametrize("value", NEW)
def test_a_replacement_that_only_names_a_text_is_refused(value: str) -> None:
    assert refused(EDIT_FILE, {"path": "a.py", "old": "x", "new": value}) is not None


@pytest.mark.parametrize("value", REAL_NEW)
def test_a_replacement_may_be_an_element_or_an_ellipsis(value: str) -> None:
    assert refused(EDIT_FILE, {"path": "a.py", "old": "x", "new": value}) is None


@pytest.mark.parametrize("value", [*NEW, "...", "# ...", "TODO"])
def test_the_same_holds_in_blocks_and_for_whole_symbols(value: str) -> None:
    pair = {"old": "x = 1\ny = 2\n", "new": f"{value}\n"}
    assert refused(EDIT_FILE, {"path": "a.py", "edits": [{"old": "a", "new": "b"}, pair]}) is not None
    assert refused(EDIT_FILE, {"path": "a.py", "symbol": "f", "new": f"{value}\n"}) is not None


@pytest.mark.parametrize("value", ["def f():\n    ...\n", "    ...\n    # TODO\n", "", "x = '...'\n"])
def test_dots_and_notes_inside_of_code_are_code(value: str) -> None:
    pair = {"old": "x = 1\ny = 2\n", "new": value}
    assert refused(EDIT_FILE, {"path": "a.py", "edits": [pair]}) is None
    assert refused(EDIT_FILE, {"path": "a.py", "symbol": "f", "new": value}) is None


@pytest.mark.parametrize("value", [*TEXTS[:10], "...", "<div>", "path/to/"])
def test_anything_may_be_looked_for(value: str) -> None:
    assert refused(SEARCH, {"pattern": value}) is None
    assert refused(EDIT_FILE, {"path": "a.py", "old": value, "new": "x"}) is None


def test_a_text_that_a_block_may_bring_is_a_text_under_any_name() -> None:
    note = ToolSpec("note", body=("memo",))
    assert refused(note, {"memo": "<your text here>"}) is not None
    assert refused(note, {"other": "<your text here>"}) is None
    assert refused(note, {"other": "{{result from x}}"}) is not None


NOTES = [
    "<contents of a.py with the fix applied>",
    "FILE_CONTENT",
    "在此处填写代码",
    "# 你的代码",
    "# Dein Code hier",
    "// votre code ici",
    "(same as before)",
    "Same as original",
    "... (rest of file)",
]


@pytest.mark.parametrize("value", NOTES)
def test_a_note_in_the_place_of_a_file_is_refused(value: str) -> None:
    assert refused(WRITE_FILE, {"path": "a.py", "content": value}) is not None
    assert refused(EDIT_FILE, {"path": "a.py", "symbol": "f", "new": value}) is not None


@pytest.mark.parametrize("value", ["new content", "updated code", "file content\n"])
def test_a_name_of_a_text_is_a_note_but_no_program(value: str) -> None:
    assert refused(WRITE_FILE, {"path": "notes.txt", "content": value}) is None
    assert refused(WRITE_FILE, {"path": "a.py", "content": value}) is not None


WRITTEN = [
    "def f():\n    ...\n",
    '"""Doc.\n\n>>> for x in y:\n...     x\n...\n1\n"""\n',
    "# The rest of the arguments goes to pytest.\nx = 1\n",
    "# Other functions call this one.\n",
    "# ...\nx = 1\n",
]


@pytest.mark.parametrize("value", WRITTEN)
def test_comments_and_dots_of_a_whole_file_are_its_own(value: str) -> None:
    assert refused(WRITE_FILE, {"path": "a.py", "content": value}) is None


def test_every_row_has_a_reason() -> None:
    assert all(row.reason and row.kinds for row in ROWS)


@given(
    st.sampled_from(("path", "content", "new", "command", "pattern", "x")),
    st.text(alphabet=" ./<>[]{}()…#*-_!aehprtyouTHEREcdnoil\n", max_size=170) | st.text() | st.integers(),
)
def test_any_value_is_judged(name: str, value: str | int) -> None:
    arguments: Arguments = {name: value}
    assert refused(WRITE_FILE, arguments) is None or isinstance(value, str)
