"""What a grammar, or the Python that runs qagent, cannot read though it is no fault: text in, the text with such places
masked out. The number of lines stays. Newer syntax than the grammar, notebooks and templates that carry a language's
suffix.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

_Mask = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]

_PARAMETERS = re.compile(
    r"^(?P<head>[ \t]*(?:class|def|async[ \t]+def|type)[ \t]+\w+[ \t]*\[)(?P<inner>(?:[^\[\]\n]|\[[^\[\]\n]*\])*)\]",
    re.M,
)
_DEFAULT = re.compile(r"[ \t]*=(?!=)[ \t]*(?:[^\[\],\n]|\[[^\[\]\n]*\])+")


def _without_defaults(found: re.Match[str]) -> str:
    """Type parameters without their defaults (Python 3.13), and for older Pythons without the parameters."""
    return f"{found['head']}{_DEFAULT.sub('', found['inner'])}]"


_TEMPLATE: Sequence[_Mask] = (
    (re.compile(r"^([ \t]*)\{%.*%\}[ \t]*$", re.M), r"\1"),
    (re.compile(r"\{\{[-~]?[ \t]*[A-Za-z_][\w.]*(?:[ \t]*\|[^{}\n]*)?[ \t]*[-~]?\}\}"), "x"),
)
_MASKS: Mapping[str, Sequence[_Mask]] = {
    "python": (
        (_PARAMETERS, _without_defaults),
        (re.compile(r"^([ \t]*)(?:%%?[A-Za-z]\w*\b(?![ \t]*[=(]).*|![A-Za-z./].*)$", re.M), r"\1pass"),
        *_TEMPLATE,
    ),
    "javascript": (
        (re.compile(r"^([ \t]*(?:static[ \t]+)?)accessor[ \t]+(?=[#\w$\[\"'])", re.M), r"\1"),
        (re.compile(r"(?<=[{;}])([ \t]*(?:static[ \t]+)?)accessor[ \t]+(?=[#\w$\[\"'])"), r"\1"),
        (re.compile(r"^([ \t]*(?:import|export)\b[^;\n]*[\"'])[ \t]*assert(?=[ \t]*\{)", re.M), r"\1 with"),
        (re.compile(r"^([ \t]*import[ \t]+)(?:defer[ \t]+(?=\*)|source[ \t]+(?=\w+[ \t]+from\b))", re.M), r"\1"),
    ),
    "typescript": (
        (re.compile(r"^([ \t]*(?:\w+[ \t]+)*?)accessor[ \t]+(?=[#\w$\[\"'])", re.M), r"\1"),
        (re.compile(r"(?<=[{;}])([ \t]*(?:\w+[ \t]+)*?)accessor[ \t]+(?=[#\w$\[\"'])"), r"\1"),
        (re.compile(r"^([ \t]*import[ \t]+)defer[ \t]+(?=\*)", re.M), r"\1"),
        (re.compile(r"(\btypeof[ \t]+|[:|&<,=][ \t]*)import\([ \t]*(?:\"[^\"\n]*\"|'[^'\n]*')[ \t]*\)"), r"\1x"),
        (re.compile(r"(^[ \t]*|;[ \t]*)import[ \t]+type[ \t]*=[ \t]*require\(", re.M), r"\1import x = require("),
    ),
}
_FLOW = re.compile(r"\A(?:\s|//.*\n|/\*[\s\S]*?\*/)*?(?://[ \t]*|/\*[*\s]*)@flow\b")
_NOTEBOOK = re.compile(r"^#[ \t]*(?:%%|In\[)|^[ \t]*%%?[a-z]\w+\b|^!\w|\bget_ipython\(\)", re.M)


def masked(text: str, language: str) -> str:
    """The same text where there is nothing to mask."""
    for pattern, new in _MASKS.get(language, ()):
        text = pattern.sub(new, text)
    return text


def is_flow(text: str) -> bool:
    """Whether a JavaScript file says that it is written in Flow, which is another language."""
    return _FLOW.match(text) is not None


def is_notebook(text: str) -> bool:
    """Whether a Python text is run in cells, where `await` may stand outside of functions."""
    return _NOTEBOOK.search(text) is not None
