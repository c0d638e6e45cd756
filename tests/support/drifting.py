"""An edit as it was meant, and as a model writes it: a file of some language in, both out, drawn by hypothesis.

Every file line but the commonest is unlike all others, so that an edit which names one of them can be meant for one
place alone. What must hold of the result, the tests know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from hypothesis import strategies as st

LINES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = MappingProxyType(
    {
        "a.py": (
            (
                "def f#(a, b):",
                "x# = 'é “y”'",
                'if a > # and b == "q":',
                "return g#(a)",
                "# why #",
                "@d#",
                "s# = r'\\n'",
            ),
            ("pass", "else:", '"""', "...", "# why", ")"),
        ),
        "a.js": (
            ("function f#() {", "x# = `a${b}`;", 'if (a > #) { // "q"', "return g#(a);", "// why #", "[#]: '&lt;',"),
            ("}", "} else {", "...rest,", "// ...", "/* why */", "*/"),
        ),
        "a.ts": (
            ("interface I# {", "a#: string;", "type T# = A | B;", "f<T#>(“a”);", "// why #", "@d#() x = '\\t';"),
            ("}", "} else {", "// ...", "/**", "* why", "*/"),
        ),
        "a.tsx": (
            ("<A# b={c}>", "<p>“a” #</p>", "const C# = () => (", "{/* why # */}", "x#?.map((y) => <Y/>)", "&nbsp;#"),
            ("</A>", ");", "{/* ... */}", "<>", "</>", "}"),
        ),
        "a.go": (
            ("func f#() {", "x# := `a\\n`", "if a > # {", 'return g#("q")', "// why #", "go h#()", "case #:"),
            ("}", "} else {", "// ...", "default:", "return nil, err", ")"),
        ),
        "a.md": (
            ("# Head #", "- item #", "“quoted” – #", "text… #", "| # | cell |", "<b>&lt;#</b>", "#. one", "> - #"),
            ("```", "---", "...", "", "=======", "text"),
        ),
        "a.txt": (
            ("all#: x", "cc # x", "#: one", "# | two", "x\\n#", "don’t #", "#\tcell\t"),
            ("...", "=======", "<<<<<<< SEARCH", ">>>>>>> REPLACE", "end", "+ x", "- x"),
        ),
    }
)
"""The lines that are each unlike all others, where `#` is a number; and those that may stand there several times."""

STEPS = st.sampled_from(["    ", "  ", "\t"])
ENDINGS = st.sampled_from(["\n", "\r\n"])
TRAILS = st.sampled_from(["", "", "", " ", "\t", "  "])


@dataclass(frozen=True)
class Line:
    indent: str
    text: str
    trail: str = ""
    ending: str = "\n"
    unlike: bool = False

    @property
    def bytes_in_file(self) -> str:
        return self.body + self.ending

    @property
    def body(self) -> str:
        return self.indent + self.text + self.trail if self.text else self.trail


@dataclass(frozen=True)
class Meant:
    """`head`, `tail`: what no edit may touch. region: the lines that `changed` are to take the place of."""

    head: str
    region: tuple[Line, ...]
    changed: tuple[Line, ...]
    tail: str
    old: str
    new: str

    @property
    def before(self) -> str:
        return self.head + "".join(line.bytes_in_file for line in self.region) + self.tail


@dataclass(frozen=True)
class Spot:
    """Where the lines that are copied begin, from 1, and the width of the least indentation among them."""

    first: int
    least: int


Write = Callable[[list[Line], Spot], str]


@st.composite
def files(draw: st.DrawFn, path: str) -> list[Line]:
    unlike, common = LINES[path]
    step, mixed = draw(STEPS), draw(st.integers(0, 3)) == 0
    ending = draw(ENDINGS)
    lines: list[Line] = []
    for number in range(draw(st.integers(1, 14))):
        own = draw(st.integers(0, 2)) > 0
        text = draw(st.sampled_from(unlike if own else (*common, "")))
        text = text.replace("#", str(100 + number)) if own else text
        end = draw(ENDINGS) if mixed else ending
        lines.append(Line(step * draw(st.integers(0, 3)) * bool(text), text, draw(TRAILS), end, own))
    return lines


@st.composite
def meant(draw: st.DrawFn, path: str) -> Meant:
    lines = draw(files(path).filter(lambda found: any(line.unlike for line in found)))
    chosen = draw(st.sampled_from([n for n, line in enumerate(lines) if line.unlike]))
    start = draw(st.integers(max(0, chosen - 4), chosen))
    stop = draw(st.integers(chosen + 1, min(len(lines), chosen + 5)))
    region = lines[start:stop]
    changed = draw(changes(region))
    write = draw(st.sampled_from(WAYS if changed[0].indent == region[0].indent else WAYS[:-1]))
    spot = Spot(start + 1, min(len(line.indent) for line in region if line.text))
    mark = draw(st.sampled_from(["", "", "\ufeff"]))
    head, tail = ("".join(line.bytes_in_file for line in part) for part in (lines[:start], lines[stop:]))
    return Meant(mark + head, tuple(region), tuple(changed), tail, write(region, spot), write(changed, spot))


@st.composite
def changes(draw: st.DrawFn, region: list[Line]) -> list[Line]:
    at = draw(st.sampled_from([number for number, line in enumerate(region) if line.unlike]))
    fresh = Line(region[at].indent, draw(st.sampled_from(["fresh(1)", "fresh: 2", "fresh"])))
    match draw(st.sampled_from(["replace", "above", "below", "delete"])):
        case "above":
            return [*region[:at], fresh, *region[at:]]
        case "below":
            return [*region[: at + 1], fresh, *region[at + 1 :]]
        case "delete" if len(region) > 1:
            return [*region[:at], *region[at + 1 :]]
        case _:
            return [*region[:at], fresh, *region[at + 1 :]]


# ------------------------------------------------------------------ how it is written


def _as_it_is(lines: list[Line], spot: Spot) -> str:
    del spot
    return "".join(f"{line.body}\n" for line in lines)


def _joined(lines: list[Line], spot: Spot) -> str:
    return _as_it_is(lines, spot).removesuffix("\n")


def _trimmed(lines: list[Line], spot: Spot) -> str:
    del spot
    return "".join(f"{line.indent}{line.text}".rstrip() + "\n" for line in lines)


def _trailing(lines: list[Line], spot: Spot) -> str:
    return _trimmed(lines, spot).replace("\n", "  \n")


def _to_column_0(lines: list[Line], spot: Spot) -> str:
    return "".join(f"{line.indent[spot.least :]}{line.text}\n" for line in lines)


def _deeper(lines: list[Line], spot: Spot) -> str:
    del spot
    return "".join(f"    {line.indent}{line.text}\n" if line.text else "\n" for line in lines)


def _tabs(lines: list[Line], spot: Spot) -> str:
    del spot
    return "".join(f"{line.indent.replace('    ', chr(9)).replace('  ', chr(9))}{line.text}\n" for line in lines)


def _blanks(lines: list[Line], spot: Spot) -> str:
    del spot
    return "".join(f"{line.indent.replace(chr(9), '    ')}{line.text}\n" for line in lines)


def _first_bare(lines: list[Line], spot: Spot) -> str:
    return _trimmed(lines, spot).lstrip(" \t")


def _none(lines: list[Line], spot: Spot) -> str:
    del spot
    return "".join(f"{line.text}\n" for line in lines)


def _numbered(lines: list[Line], spot: Spot) -> str:
    return "".join(f"{number:>4} | {line.body}\n" for number, line in enumerate(lines, spot.first))


def _gutter(lines: list[Line], spot: Spot) -> str:
    return "".join(f"{number:>6}\t{line.body}\n" for number, line in enumerate(lines, spot.first))


def _numbered_to_column_0(lines: list[Line], spot: Spot) -> str:
    rows = _to_column_0(lines, spot).splitlines()
    return "".join(f"{number}: {row}\n" for number, row in enumerate(rows, spot.first))


def _fenced(lines: list[Line], spot: Spot) -> str:
    return f"```py\n{_as_it_is(lines, spot)}```\n"


def _fenced_to_column_0(lines: list[Line], spot: Spot) -> str:
    return f"```\n{_to_column_0(lines, spot)}```"


def _plain(lines: list[Line], spot: Spot) -> str:
    signs = {"“": '"', "”": '"', "’": "'", "–": "-", "…": "..."}
    return _as_it_is(lines, spot).translate(str.maketrans(signs))


def _curly(lines: list[Line], spot: Spot) -> str:
    return _as_it_is(lines, spot).replace("'", "’").replace('"', "”")


def _escaped(lines: list[Line], spot: Spot) -> str:
    text = _as_it_is(lines, spot)
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")


def _entities(lines: list[Line], spot: Spot) -> str:
    return _as_it_is(lines, spot).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _without_blank_lines(lines: list[Line], spot: Spot) -> str:
    return _as_it_is([line for line in lines if line.text], spot)


def _more_blank_lines(lines: list[Line], spot: Spot) -> str:
    return _as_it_is(lines, spot).replace("\n", "\n\n")


def _blank_around(lines: list[Line], spot: Spot) -> str:
    return f"\n{_as_it_is(lines, spot)}\n"


def _crlf(lines: list[Line], spot: Spot) -> str:
    return _as_it_is(lines, spot).replace("\n", "\r\n")


def _signed(sign: str) -> Write:
    return lambda lines, _: "".join(f"{sign}{line.body}\n" for line in lines)


WAYS: tuple[Write, ...] = (
    _as_it_is, _joined, _trimmed, _trailing, _to_column_0, _deeper, _tabs, _blanks, _none, _numbered,
    _gutter, _numbered_to_column_0, _fenced, _fenced_to_column_0, _plain, _curly, _escaped, _entities,
    _without_blank_lines, _more_blank_lines, _blank_around, _crlf, _signed("+"), _signed(" "), _first_bare,
)  # fmt: skip
"""What models are known to make of a text that they copy; of one edit's old and new text alike."""
