"""Values that only stand for what the model should have written: arguments in, a reason or None out. Pure.

`write_file` with `<fileContent>` destroys a file; a path such as `/path/to/config.json` comes from a manual. A value is
a placeholder only as a whole: `...`, `<T>` and `{{ name }}` are real inside of code, and a search may look for each.

Sources: anomalyco/opencode#590 (`<fileContent>`), raw replies of qwen2.5-coder 7B (`/path/to/…`, `{{result from …}}`,
`<relative/path>`, `caminho/para/o/arquivo.txt`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import cast

from qagent.qwen.calls import left_out
from qagent.qwen.calls.aliases import Kind, kind
from qagent.types import Arguments, ToolSpec

_LONGEST = 160
"""Characters; what is longer is somebody's work."""


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_NAMED = _set("code content contents text implementation source logic function class file script body")
_FILLERS = _set(
    "the a an your my new old updated modified full whole complete entire actual original existing current rest "
    "remaining of to for this that in with and python javascript insert add put write paste place enter goes go comes "
    "here todo result output"
)
_WORDS = re.compile(r"[A-Z]?[a-z']+|[A-Z]+(?![a-z])")
_TEXT_ONLY = re.compile(r"[A-Za-z' _.…!:-]+")
_COMMENT = re.compile(r"(?:#|//|--|;|/\*+|<!--)\s*(.*?)\s*(?:\*/|-->)?", re.DOTALL)
_BRACKETED = re.compile(r"<([^<>]+)>|\[([^\[\]]+)\]|\{([^{}]+)\}|\{\{([^{}]+)\}\}|\(([^()]+)\)")
_LOWER_CAMEL = re.compile(r"[a-z]+(?:[A-Z][a-z]+)+")


def _names_a_text(value: str) -> bool:
    """Nothing but words for a text: `file content`, `your code here`, `fileContent`."""
    words = _words(value)
    return bool(words) and words <= _NAMED | _FILLERS and bool(words & _NAMED)


def _words(value: str) -> set[str]:
    return {word.lower() for word in _WORDS.findall(value)} if _TEXT_ONLY.fullmatch(value) else set()


def _inside(value: str) -> str | None:
    found = _BRACKETED.fullmatch(value)
    return next((inner.strip() for inner in found.groups() if inner), "") if found else None


def _is_bracketed_name(value: str) -> bool:
    inner = _inside(value)
    if inner is None or (value.startswith("{{") and inner.islower() and inner.isalpha()):  # all of a layout's body
        return False
    return _names_a_text(inner) or bool(re.search(r"\b(?:code|content|text) here$", inner))


def _is_no_element(value: str) -> bool:
    """In an edit `<body>`, `<FileView>` and `<file-list>` are elements and components; `<fileContent>` is none."""
    inner = _inside(value)
    plain = inner is not None and value[0] == "<" and "-" not in inner and _names_a_text(inner)
    return plain and (" " in str(inner) or _LOWER_CAMEL.fullmatch(str(inner)) is not None)


def _is_request(value: str) -> bool:
    """`# your code here`, `YOUR_CODE_HERE`; not `new content`, which a person may have asked for."""
    comment = _COMMENT.fullmatch(value)
    text = comment[1] if comment else value
    words = _words(text)
    return bool(words & {"your", "here"}) and _names_a_text(text)


_CONSTANT = re.compile(r"[A-Z]+(?:_[A-Z]+)+")
_FOREIGN = re.compile(
    r"(?:请|在|此处|这里|你的|您的|填写|添加|插入|写入|放置|输入|编写|新的?|完整的?|更新后?的?|修改后?的?)+"
    r"(?:代码|内容|文件内容|文件|文本|实现|逻辑|函数)+(?:放在|写在|在)?(?:此处|这里)?"
    r"|(?:hier\s+(?:kommt|steht|folgt|den|der|dein)?\s*)?(?:(?:dein|ihr|der|den|mein)(?:en)?\s+)(?:code|inhalt|text)(?:\s+hier)?"
    r"|(?:votre|ton|le)\s+(?:code|contenu|texte)\s+ici|(?:tu|su|el|seu|o)\s+(?:c[oó]digo|contenido|conte[uú]do)\s+aqu[ií]"
    r"|(?:il\s+)?(?:tuo|vostro)\s+(?:codice|contenuto|testo)\s+qui|ваш\s+код(?:\s+здесь)?",
    re.IGNORECASE,
)
"""`# your code here` in the languages of those who ask."""
_OF_A_FILE = re.compile(
    r"[<(\[{](?:the |full |whole |complete |entire |new |updated |modified |original |current )*"
    r"(?:contents?|code|text|source)\s(?=[^<>]*\b(?:of|with|from|after|before)\b)[^<>()\[\]{}\n]*[>)\]}]",
    re.IGNORECASE,
)


def _names_what_is_missing(value: str) -> bool:
    """`FILE_CONTENT`, `# Dein Code hier`: a name or a note where the text should be."""
    comment = _COMMENT.fullmatch(value)
    text = comment[1] if comment else value
    is_constant = _CONSTANT.fullmatch(text) is not None and _names_a_text(text)
    return is_constant or _FOREIGN.fullmatch(text.rstrip(".!:…")) is not None


def _form(pattern: str) -> Callable[[str], object]:
    return re.compile(pattern, re.IGNORECASE | re.DOTALL).fullmatch


@dataclass(frozen=True, slots=True)
class Row:
    """`matches`: whether a value, blanks around it gone, is one; `kinds`: of which arguments."""

    kinds: tuple[Kind, ...]
    matches: Callable[[str], object]
    reason: str


_DOTS = r"\.{3}|…|[\[({<](?:\.{3}|…)[\])}>]"
_ONLY_DOTS = re.compile(rf"(?:(?:#|//|/\*|<!--)\s*)?(?:{_DOTS})\s*(?:\*/|-->)?")
_ANY: tuple[Kind, ...] = ("path", "command", "text", "new", "pattern", "")

ROWS = (
    Row(("path", "command", "text"), _form(_DOTS), "nothing but dots"),
    Row(("text",), _form(r"(?:#|//|/\*|<!--)\s*(?:\.{3}|…)\s*(?:\*/|-->)?"), "dots in a comment"),
    Row(("new",), _form(r"(?:(?:#|//|/\*|<!--)\s*)?TODO\b[.:…\s]*(?:\*/|-->)?"), "a note to write something, alone"),
    Row(("path", "command"), _form(r"<[^<>]+>"), "no file and no command is called so"),
    Row(
        ("path",),
        _form(r"\[(?:[\w ]+ )?(?:path|name|file|filename|file_name|file_path|folder|directory)\]"),
        "`[slug]` is a real folder, `[file name]` is none",
    ),
    Row(
        ("path", "command"),
        _form(r"\{\{?(?!\{?\s*(?:cookiecutter|copier)\b)[\w ./-]+\}\}?"),
        "a hole of a template; only cookiecutter's and copier's are names of folders",
    ),
    Row(("path",), _form(r"(?:\.{3}|…)/.*"), "a beginning that was left out"),
    Row(
        ("path", "command"),
        _form(
            r"(?:[a-z]:)?[./\\]*(?:path[/\\]to|caminho[/\\]para|ruta[/\\]al?|chemin[/\\]vers|pfad[/\\]zu[rm]?"
            r"|percorso[/\\]del?|absolute[/\\]path|relative[/\\]path)(?:[/\\].*)?"
        ),
        "a manual's path, in the languages it was seen in and their neighbours; `docs/path/to/x.md` is a real one",
    ),
    Row(
        ("path",),
        _form(r"(?:.*/)?your[_-]?(?:file|script|module|project|repo|path|folder|directory)(?![a-z]).*"),
        "a manual's name",
    ),
    Row(("command",), _form(r"your[\s_-]command(?:[\s_-]here)?"), "a manual's name"),
    Row(("text",), _is_bracketed_name, "a bracket around the name of what should stand there"),
    Row(("new",), _is_no_element, "the same, where it can be no element of a page"),
    Row(("text", "new"), _is_request, "a note to write something"),
    Row(("text", "new"), _names_what_is_missing, "the same as a constant, or in another language"),
    Row(("text", "new"), _OF_A_FILE.fullmatch, "a description of the text in its place"),
    Row(("text",), left_out.says_same, "what is not shown is not written either"),
    Row(
        _ANY,
        _form(r"\{\{\s*(?:the |insert |your )*(?:result|output|value|content|contents|response)s? [\w' ]+\}\}"),
        "the result of a call that was not made yet",
    ),
)


def refused(spec: ToolSpec, given: Arguments) -> str | None:
    """Why these arguments may not be used; None when every value is a real one."""
    for name, value in given.items():
        if isinstance(value, str) and len(value) <= _LONGEST and is_placeholder(spec, name, value):
            return _refusal(name, value, _kind(spec, name))
    is_code = any(left_out.is_code(value) for name, value in given.items() if kind(name) == "path")
    for name, value in given.items():
        if isinstance(value, str) and is_code and _kind(spec, name) == "text" and _is_a_note(value):
            return _refusal(name, value, "text")
    for old, new in _replacements(given):
        if len(new) <= _LONGEST and (is_placeholder(spec, "new", new) or _leaves_out(old, new)):
            return _refusal("new", new, "new")
    return None


def _is_a_note(text: str) -> bool:
    """`updated code` can be a note, but no program."""
    return len(text) <= _LONGEST and _names_a_text(text.strip()) and " " in text.strip()


def _refusal(name: str, value: str, kind: Kind) -> str:
    return f"{name!r} is a placeholder ({' '.join(value.split())[:60]}). {_ADVICE[kind]}"


def _replacements(given: Arguments) -> Iterator[tuple[str, str]]:
    """The texts of an edit, whatever their form: old and new."""
    several = [cast(list[object], value) for value in given.values() if isinstance(value, list)]
    for pair in [given, *(each for value in several for each in value)]:
        record = cast(dict[str, object], pair) if isinstance(pair, dict) else {}
        old, new = record.get("old", ""), record.get("new")
        if isinstance(new, str) and isinstance(old, str):
            yield old, new


def _leaves_out(old: str, new: str) -> bool:
    """Dots in the place of several lines, or of a whole symbol. In the place of one line they may be Python's."""
    says_nothing = _ONLY_DOTS.fullmatch(new.strip()) is not None or left_out.says_same(new)
    return says_nothing and "\n" in (old.strip() or "\n")


def is_placeholder(spec: ToolSpec, name: str, value: str) -> bool:
    text = value.strip()
    if not _SUSPECT.match(text) and not _YOURS.search(text):  # nearly all values end here
        return False
    what = _kind(spec, name)
    return any(what in row.kinds and row.matches(text) for row in ROWS)


_ADVICE: dict[Kind, str] = {
    "path": "Write the real path.",
    "command": "Write the real command.",
    "text": "Write the real text.",
    "new": "Write the real text.",
    "pattern": "Write the real pattern.",
    "": "Write the real value.",
}


def _kind(spec: ToolSpec, name: str) -> Kind:
    """A text that a block may bring is a text under any name."""
    return kind(name) or ("text" if name in spec.body else "")


_SUSPECT = re.compile(
    r"[<\[({.…#/;*-]|[a-z]:|[.\\]|(?:path|caminho|ruta|chemin|pfad|percorso|absolute|relative)[/\\]", re.I
)
_YOURS = re.compile(r"your|here|TODO|code|content|same|rest|changed|[^\x00-\x7f]|hier|inhalt", re.IGNORECASE)
