"""Edits that a model writes with drift, one row a kind: the file as it is, the old and the new text, what is shown.

Each fixes the one bug of the file, so the file afterwards is known to the byte. How a row is played, the tests know.
"""

from __future__ import annotations

from dataclasses import dataclass

WRONG, RIGHT = "count == 2", "count == 1"
FILE = '''\
"""What is printed on a parcel."""


def label(count, size=1):
    # one or many
    if count == 2:
        return "1 piece"

    return f"{count} pieces"


def weight(count):
    return 2 * count
'''
TEST = 'from shop.labels import label\n\nassert (label(1), label(2)) == ("1 piece", "2 pieces")\n'
OLD = '    if count == 2:\n        return "1 piece"\n'
BODY = OLD + '\n    return f"{count} pieces"\n'
ALL = f"def label(count, size=1):\n    # one or many\n{BODY}"

BOUNDARY = "without the empty lines around it"
TRAILING = "with other trailing blanks"
SIGNS = "with other quotes, dashes or spaces"
INDENTATION = "with other indentation; yours was shifted"
WRAPPING = "without the numbers, fences or marks around it"
ESCAPES = "with one level of escapes taken off"
GAPS = "around the lines that were left out, which were kept"
MERGED = "with other blank lines or comments, which were kept"


@dataclass(frozen=True)
class Drift:
    """how: the rung as it is named to the person and to the model; "" where the text was found as it was written."""

    old: str
    new: str
    how: str = ""
    before: str = FILE

    @property
    def after(self) -> str:
        return self.before.replace(WRONG, RIGHT)


def drift(old: str, how: str = "", before: str = FILE) -> Drift:
    """The new text has what the old one has, but for the bug."""
    return Drift(old, old.replace(WRONG, RIGHT), how, before)


def _numbered(text: str, form: str) -> str:
    return "".join(form.format(n, line) + "\n" for n, line in enumerate(text.splitlines(), start=6))


def _signed(sign: str, text: str) -> str:
    return "".join(f"{sign}{line}\n" for line in text.splitlines())


CURLY = FILE.replace('"1 piece"', '"1 piece" # “one”')

FOUND: dict[str, Drift] = {
    "as it stands": drift(OLD),
    "a file with CRLF": drift(OLD, before=FILE.replace("\n", "\r\n")),
    "CRLF in the edit": drift(OLD.replace("\n", "\r\n")),
    "a file with carriage returns alone": drift(OLD, before=FILE.replace("\n", "\r")),
    "mixed endings": drift(OLD, before=FILE.replace(":\n", ":\r\n")),
    "a byte order mark": drift(OLD, before=f"\ufeff{FILE}"),
    "a byte order mark in the edit": drift(f"\ufeff{FILE}"),
    "no newline at the end": drift(OLD, before=FILE.removesuffix("\n")),
    "empty lines around it": drift(f"\n\n{OLD}\n\n", BOUNDARY),
    "trailing blanks in the file": drift(OLD, TRAILING, FILE.replace('piece"\n', 'piece" \t\n')),
    "trailing blanks in the edit": drift(OLD.replace('piece"\n', 'piece"  \n'), TRAILING),
    "blanks on an empty line": drift(BODY, TRAILING, FILE.replace("\n\n    return", "\n    \n    return")),
    "typographic quotes": drift(OLD.replace('"1 piece"', "”1 piece”"), SIGNS),
    "typographic quotes in the file": drift(OLD.removesuffix("\n") + ' # "one"\n', SIGNS, CURLY),
    "a dash": drift("    # one - or many\n" + OLD, SIGNS, FILE.replace("one or", "one – or")),
    "a space that does not break": drift(OLD.replace("1 piece", "1\u00a0piece"), SIGNS),
    "an ellipsis": drift("    # one or...\n" + OLD, SIGNS, FILE.replace("or many", "or…")),
    "letters in two parts": drift("    # one é\n" + OLD, SIGNS, FILE.replace("or many", "e\u0301")),
    "shifted to the margin": drift('if count == 2:\n    return "1 piece"\n', INDENTATION),
    "too deep": drift(_signed("    ", OLD), INDENTATION),
    "tabs for blanks": drift(OLD.replace("    ", "\t"), INDENTATION),
    "blanks for tabs": drift(OLD, INDENTATION, FILE.replace("    ", "\t")),
    "two blanks for four": drift(OLD.replace("    ", "  "), INDENTATION),
    "numbers with a bar": drift(_numbered(OLD, "{} | {}"), WRAPPING),
    "numbers with a tab": drift(_numbered(OLD, "{:>6}\t{}"), WRAPPING),
    "numbers with a colon": drift(_numbered(OLD, "{}: {}"), WRAPPING),
    "numbers in the old text alone": Drift(_numbered(OLD, "{} | {}"), OLD.replace(WRONG, RIGHT), WRAPPING),
    "numbers, at the margin": drift(_numbered('if count == 2:\n    return "1 piece"\n', "{} | {}"), WRAPPING),
    "a fence": drift(f"```python\n{OLD}```\n", WRAPPING),
    "a fence with the file's name": drift(f"shop/labels.py\n```python\n{OLD}```\n", WRAPPING),
    "markers": Drift(
        f"<<<<<<< SEARCH\n{OLD}=======\n", f"=======\n{OLD.replace(WRONG, RIGHT)}>>>>>>> REPLACE\n", WRAPPING
    ),
    "the signs of a diff": Drift(_signed("-", OLD), _signed("+", OLD.replace(WRONG, RIGHT)), WRAPPING),
    "line ends with backslashes": drift(OLD.replace("\n", "\\n").replace('"', '\\"'), ESCAPES),
    "quotes with backslashes": drift(OLD.replace('"', '\\"'), ESCAPES),
    "entities": drift(OLD.replace('"', "&quot;"), ESCAPES),
    "dots inside": drift('    if count == 2:\n        ...\n    return f"{count} pieces"\n', GAPS),
    "words for what is left out": drift(
        '    if count == 2:\n        # ... existing code ...\n    return f"{count} pieces"\n', GAPS
    ),
    "an empty line forgotten": drift(ALL.replace("\n\n", "\n"), MERGED),
    "a comment in other words": drift(ALL.replace("one or many", "singular and plural"), MERGED),
    "a comment forgotten": drift(ALL.replace("    # one or many\n", ""), MERGED),
}

TWICE = FILE + "\n\ndef crate(count):\n" + OLD + '\n    return "crate"\n'
HALF = FILE.replace("2 * count", "25 * count")


@dataclass(frozen=True)
class Refused:
    """told: a piece of what the model reads after the first edit; a second one, exact, then follows."""

    first: tuple[str, str]
    told: str
    before: str = FILE
    again: Drift = FOUND["as it stands"]


def _refused(old: str, told: str) -> Refused:
    return Refused((old, old.replace(WRONG, RIGHT)), told)


REFUSED: dict[str, Refused] = {
    "another name": _refused(ALL.replace("size=1", "width=1"), "line 4 differs. Nearest: lines 4-9"),
    "another number": _refused(OLD.replace("1 piece", "2 piece"), "line 7 differs. Nearest: lines 6-7"),
    "a line too many": _refused(OLD.replace(":\n", ":\n        print(count)\n"), "Nearest:"),
    "a line that is not there": Refused(("    if total == 2:\n", "    if total == 1:\n"), "Nearest:"),
    "another nesting": _refused(BODY.replace("    return f", "        return f"), "it differs only in white space"),
    "two places": Refused(
        (OLD, OLD.replace(WRONG, RIGHT)),
        "occurs 2 times: line 6 in label, line 17 in crate",
        TWICE,
        Drift(ALL, ALL.replace(WRONG, RIGHT), "", TWICE),
    ),
    "dots in the old text alone": Refused(
        ('    if count == 2:\n        ...\n    return f"{count} pieces"\n', "    return 1\n"), "it leaves lines out"
    ),
    "a body left out": Refused(
        (BODY, "    if count == 1:\n        # ... as it was\n        # ...\n"),
        'these lines would be lost: `if count == 2:`, `return "1 piece"`',
    ),
    "a syntax error": Refused((OLD, OLD.replace("== 2:", "== 1")), "syntax error on line 6"),
    "nothing new": Refused((OLD, OLD), "nothing would change"),
    "an empty old text": Refused(("", OLD), "the text to replace is empty"),
    "half a number": Refused(
        ("def weight(count):\n    return 2", "def weight(count):\n    return 3"),
        "line 13 differs",
        HALF,
        drift(OLD, before=HALF),
    ),
}
