"""What a command line can prove when it ends well: that tests pass, that a program runs, that a checker is content.

In: the line as the model sent it. Out: what it proves, and whether the exit code that was told is that command's own.
What can prove is listed, not what cannot: `mkdir build` and `python3 --version` end well too. Pure, knows no project.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["tests", "program", "check", "told"]


@dataclass(frozen=True, slots=True)
class Proof:
    """tests: a test runner. program: a script or command of the project. check: a build, a linter, a type checker.
    told: a command that the person named. masked: behind it stands another one, whose exit code is told instead."""

    kind: Kind
    masked: bool = False


_QUOTED = re.compile(r"'[^']*'|\"(?:[^\"\\]|\\.)*\"")
_HERE = re.compile(r"<<-?\s*(['\"]?)(\w+)\1(?P<rest>[^\n]*)\n(?P<body>.*?)\n\s*\2[ \t]*(?=\n|$)", re.DOTALL)
_SEPARATOR = re.compile(r"(&&|\|\||(?<![>&])&(?![>&\d])|[;|\n])")
_INNER = re.compile(r"\s*(?:ba|z|da)?sh\s+-\w*c\s+(?P<quote>['\"])(?P<line>.*)(?P=quote)\s*", re.DOTALL)
_LONGEST = 4_000

_BEFORE = re.compile(
    r"(?:\w+=(?:\S+)? +|(?:env|time|nice|sudo|command|exec|nohup|then|do|npx(?: -y| --yes)?|bunx|bundle exec"
    r"|(?:uv|poetry|pipenv|hatch|pdm|rye|conda|micromamba|pixi|docker compose|docker-compose)(?: -\S+)* (?:run|exec)"
    r"(?: -\S+)*|(?:pnpm|yarn|npm) exec(?: --)?|xvfb-run|timeout(?: -\S+)* \d+\w*|stdbuf -\S+"
    r"|(?:\S*/)?(?:coverage run|python[\d.]* -m coverage run)(?: -(?!m)\S+)*(?= [^-\s]\S*\.py))(?: +|$))+"
)
_PYTHON = r"(?:\S*/)?(?:python|py|pypy)[\d.]*(?: -[bBdEiIOPqsSuvx]+| -[WX] ?\S+)*"
_NODE = r"(?:npm|pnpm|yarn|bun)(?: -\S+)*(?: run)?"
_TESTS = re.compile(
    rf"(?:{_PYTHON} -m )?(?:\S*/)?(?:pytest|py\.test|unittest|nosetests?|nose2?|tox|nox|trial|stestr|behave|doctest"
    r"|jest|vitest|mocha|ava|tap|karma|jasmine|cypress|playwright|rspec|minitest|phpunit|pest|ctest|bats|busted|prove)"
    r"(?=\s|$)"
    rf"|{_PYTHON} -m coverage run -m |(?:\S*/)?coverage run -m |{_PYTHON} (?:\S*/)?(?:manage|setup)\.py test\b"
    rf"|{_NODE} (?:t(?=\s|$)|tst|test\S*|check(?=\s|$))|node --test\b|deno test\b|composer (?:run )?test"
    r"|(?:\S*/)?(?:go|cargo|dotnet|swift|mix|lein|sbt|stack|cabal|dart|flutter|zig|bazel|meson|gleam|dune|rails"
    r"|artisan|rake|nimble)(?: \+\S+)?(?: build)? (?:test|nextest|spec|runtest)\b|(?:php )?artisan test\b|rake(?=\s*$)"
    r"|crystal spec\b|(?:\S*/)?(?:mvn|mvnw|gradle|gradlew)(?: \S+)* (?:\S*:)?(?:test\w*|verify|check|build|install)\b"
    r"|(?:make|gmake|just|task|ninja|invoke|inv|nox|rake)(?: -[CfjkB] ?\S*| \w+=\S*)* (?:\S*test\S*|check\S*|ci|spec)"
    r"(?=\s|$)"
)
_CHECKS = re.compile(
    rf"(?:{_PYTHON} -m )?(?:\S*/)?(?:ruff|mypy|pyright|basedpyright|flake8|pylint|black --check|isort --check\S*|eslint"
    r"|tsc|biome|prettier --check|shellcheck|golangci-lint|clippy-driver|staticcheck|rubocop|phpstan|psalm|pre-commit"
    r"|py_compile|compileall|lint-imports|bandit|cmake --build|ninja|g?make|gcc|g\+\+|clang(?:\+\+)?|javac"
    r"|rustc)(?=\s|$)"
    rf"|{_NODE} (?:build|lint|typecheck|type-check|types?|tsc|compile|ci:check|format:check)\S*"
    r"|(?:\S*/)?(?:cargo (?:build|check|clippy|fmt --check)|go (?:build|vet)|dotnet build|swift build|zig build"
    r"|(?:mvn|mvnw|gradle|gradlew)(?: \S+)* (?:compile\w*|package|assemble|lint))\b|node --check\b|(?:ba)?sh -n\b"
)
_NO_PROGRAM = (
    "pip|venv|ensurepip|json\\.tool|http\\.server|site|sysconfig|timeit|this|black|isort|build|virtualenv|pipx|twine"
)
_PROGRAM = re.compile(
    rf"{_PYTHON} (?:(?!-)[^\s<>]+\.py\b|(?!-)(?=[^\s<>]*/)[^\s<>]+|-m (?!(?:{_NO_PROGRAM})(?=\s|$))\w)"
    rf"|{_PYTHON} (?:-c|-(?= *<<)|(?=<<)).*\b(?:import|assert|exec|open|run|main)\b"
    r"|(?:node|deno run|bun|bun run|ts-node|tsx|ruby|php|perl|lua|Rscript|julia|elixir|swift|(?:ba|z|da|k)?sh"
    r"|source|\.)"
    r"(?: -[A-Za-z]+)* (?!-)[^\s<>]*[\w-]\.\w{1,4}(?=\s|$)"
    r"|(?:ba|z|da|k)?sh(?: -[a-z]+)* (?!-)[^\s<>]*\w(?=\s|$)|(?:node|deno eval|ruby|php|perl)(?: -[a-z]+)* -(?:e|r|p)\b"
    r"|(?:go|cargo|dotnet|stack|cabal|flutter|dart|swift|zig build|lein|mix) run\b|java (?:-\S+ )*\w"
    rf"|{_NODE} (?:start|dev|serve)\b|(?:npm|pnpm|yarn|bun) run (?!\S*(?:install|clean))\w"
    r"|(?:make|just|task|rake|invoke|inv)(?: -[CfjkB] ?\S*)* (?:run|start|demo|smoke|verify|validate|examples?)\b"
    r"|(?:\./|\.\./)[^\s<>]*\w|(?!/|~|\S*(?:venv|node_modules)/)[\w.-]+/[^\s<>]*\w(?=\s|$)"
)
_SHOWS_ITSELF = re.compile(
    r"(?<!\S)(?:--version|--help|-h|-V|--collect-only|--co|--no-run|--dry-run|--list(?:-?tests)?|--fixtures"
    r"|--just-print"
    r"|--setup-plan|--listTests|--showconfig)(?!\S)|^g?make\b.* -n(?!\S)"
)
_TRIVIAL = re.compile(
    r"(?:true|false|:|echo|printf|touch|mkdir|cd|ls|pwd|cat|head|tail|wc|tree|which|type|command|whoami|date|env|export"
    r"|sleep|exit|set|git|find|grep|rg|sed|awk|rm|mv|cp|chmod|man|pip3?|apt|brew)(?=\s|$)"
)
_STILL_FAILS = re.compile(r"[\s({]*(?:exit|return) +(?:[1-9]|\$)|[\s({]*false\b")
_SHOWS_ALL = re.compile(r"\s*(?:tail|tee|cat|grep|egrep|sed|awk|less|head|sort|uniq|tr|cut)\b")
_THROWN_AWAY = re.compile(r"(?:^|[\s\d&])>{1,2}\s*/dev/null|&>")
_AWAY = re.compile(r"\s*(?:true|:|exit(?: +0)?)\s*\)?\s*")
_GREEN = re.compile(
    r"\b[1-9]\d* (?:tests? )?(?:passed|passing|ok|succeeded)\b|^(?:OK|PASS(?:ED)?)\b|^ok\s|\btest result: ok\b"
    r"|\ball (?:\w+ )?(?:tests|checks) passed\b|\b0 (?:failed|failures|errors)\b|\bsuccess\b|\bno issues found\b",
    re.MULTILINE | re.IGNORECASE,
)


def shows_green(text: str) -> bool:
    """Whether the output itself says that it went well, which counts where the exit code is another command's."""
    return _GREEN.search(text) is not None


def is_thrown_away(line: str) -> bool:
    """Whether it hides what its commands say."""
    return _THROWN_AWAY.search(line) is not None


def proof(line: str, told: Sequence[str] = ()) -> Proof | None:
    """`told`: what the person has said: a command that stands there word for word proves what it was named for."""
    if len(line) > _LONGEST:
        return None
    if inner := _INNER.fullmatch(line):
        return proof(inner["line"], told)
    pieces = _SEPARATOR.split(_flat(line))
    found = (_of_piece(pieces, at, told) for at in range(0, len(pieces), 2))
    known = [each for each in found if each]
    return next((each for each in known if each.kind == "tests"), known[-1] if known else None)


def _of_piece(pieces: Sequence[str], at: int, told: Sequence[str]) -> Proof | None:
    kind = _kind(pieces[at].strip(" \t()"), told)
    if kind is None:
        return None
    masked = _masked(pieces[at + 1 :])
    if masked is None or (masked and (kind in ("program", "told") or _THROWN_AWAY.search(pieces[at]))):
        return None
    return Proof(kind, masked)


def _kind(command: str, told: Sequence[str]) -> Kind | None:
    bare = _BEFORE.sub("", command, count=1) if _BEFORE.match(command) else command
    if not bare or bare.startswith("!") or _SHOWS_ITSELF.search(bare):
        return None
    kinds: tuple[tuple[Kind, re.Pattern[str]], ...] = (("tests", _TESTS), ("check", _CHECKS), ("program", _PROGRAM))
    kind: Kind | None = next((each for each, pattern in kinds if pattern.match(bare)), None)
    if kind is None and not _TRIVIAL.match(bare) and _is_told(bare, told):
        return "told"
    return kind


def _is_told(command: str, told: Sequence[str]) -> bool:
    named = re.compile(rf"(?<![\w./-]){re.escape(command)}(?![\w/-])")
    return len(command) > 2 and any(named.search(text) for text in told)


def _masked(rest: Sequence[str]) -> bool | None:
    """Whether what follows has the last word: False when it has not, None when it hides even the output's meaning."""
    masked = False
    for sign, command in zip(rest[::2], rest[1::2], strict=False):
        if sign == "&" or (sign == "||" and not _STILL_FAILS.match(command)):
            return None
        if sign == "|":
            if not _SHOWS_ALL.match(command):
                return None
            masked = True
        elif sign in (";", "\n") and command.strip(" \t)}"):
            if _AWAY.fullmatch(command):
                return None
            masked = True
    return masked


def _flat(line: str) -> str:
    """Without what parts commands where it stands inside of quotes or of a document."""
    line = _HERE.sub(lambda here: f"<< {_blank(here['body'])} {here['rest']}", line)
    return _QUOTED.sub(lambda quoted: _blank(quoted[0]), line).strip()


def _blank(text: str) -> str:
    return _SEPARATOR.sub(" ", text)
