from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qagent.permissions.command_line import Redirect, SimpleCommand, parse

CLEAR: list[tuple[str, list[str], list[tuple[str, str]]]] = [
    ("ls -la", ["ls|-la"], []),
    ("ls; rm -rf x", ["ls", "rm|-rf|x"], []),
    ("ls;", ["ls"], []),
    ("a&&b||c;d|e|&f", ["a", "b", "c", "d", "e", "f"], []),
    ("\nls\n\npwd\n", ["ls", "pwd"], []),
    ("ls -l\trm", ["ls|-l|rm"], []),
    ("(cd x; ls) | wc -l", ["cd|x", "ls", "wc|-l"], []),
    ("! grep x y", ["grep|x|y"], []),
    ("""r"m" 'a b'c"d"e\\ f""", ["rm|a bcde f"], []),
    (r"\rm x", ["rm|x"], []),
    (r"r\m x", ["rm|x"], []),
    (r"a\;b c", ["a;b|c"], []),
    ("echo \"a;b\" 'c && d'", ["echo|a;b|c && d"], []),
    (r'echo "a\"b\$c\`d\\e\f"', [r'echo|a"b$c`d\e\f'], []),
    ("echo '  a  ' \"  b  \"", ["echo|  a  |  b  "], []),
    ("echo 'a\nrm x'", ["echo|a\nrm x"], []),
    ("r\\\nm x", ["rm|x"], []),
    ("echo a#b", ["echo|a#b"], []),
    ("echo ''", ["echo|"], []),
    ("find . -exec rm {} \\;", ["find|.|-exec|rm|{}|;"], []),
    ("echo é ‘x’ !x", ["echo|é|‘x’|!x"], []),
    ("echo 1 -2 3.5 0x1", ["echo|1|-2|3.5|0x1"], []),
    ("cat a > b", ["cat|a"], [(">", "b")]),
    ("> b cat a", ["cat|a"], [(">", "b")]),
    ("> b", [], [(">", "b")]),
    ("ls 2>/dev/null >'a b' >>c", ["ls"], [("2>", "/dev/null"), (">", "a b"), (">>", "c")]),
    ("ls 2>&1 >&2 3<&0 2>&-", ["ls"], [("2>&", "1"), (">&", "2"), ("3<&", "0"), ("2>&-", "")]),
    ("ls >| x", ["ls"], [(">|", "x")]),
    ("ls &> x", ["ls"], [("&>", "x")]),
    ("ls &>> x", ["ls"], [("&>>", "x")]),
    ("ls a2>x", ["ls|a2"], [(">", "x")]),
    ("cat <x", ["cat"], [("<", "x")]),
    ("(ls; pwd) > x", ["ls", "pwd"], [(">", "x")]),
    ("echo `pwd`", ["echo|`pwd`", "pwd"], []),
    ('echo "a $(rm x) b"', ["echo|a $(rm x) b", "rm|x"], []),
    ("echo $(a $(b; c > d) | e)", ["echo|$(a $(b; c > d) | e)", "a|$(b; c > d)", "e", "b", "c"], [(">", "d")]),
    ('echo $(echo ")")', ['echo|$(echo ")")', "echo|)"], []),
]


@pytest.mark.parametrize(("line", "commands", "redirects"), CLEAR, ids=[row[0] for row in CLEAR])
def test_a_clear_line_falls_into_its_commands_and_redirections(
    line: str, commands: list[str], redirects: list[tuple[str, str]]
) -> None:
    parsed = parse(line)
    assert parsed is not None
    assert ["|".join(command.words) for command in parsed.commands] == commands
    assert list(parsed.redirects) == [Redirect(*redirect) for redirect in redirects]


UNCLEAR = [
    "", " ", "\n", ";", "''", "'' x", "# only a comment", "ls # comment", "ls\n# rm", "echo $X", "echo ${X}",
    'echo "$X"', "echo ${x:-$(rm x)}", "echo $((1+1))", "echo $[1+1]", "$X", "echo $", 'echo "a$"', "A=1", "A=1 ls",
    "LD_PRELOAD=x ls", "PATH=. ls", "a[1]=2", "export A=1", "declare -x A=1", "local x", "unset A", "ls &",
    "ls & rm x", "coproc rm x", "diff <(ls) x", "ls >(cat)", "cat <<< x", "cat <<EOF\nx\nEOF", "cat <<'EOF'\nx\nEOF",
    "if ls; then rm x; fi", "for i in a; do rm x; done", "while true; do rm x; done", "until a; do b; done",
    "case x in a) rm;; esac", "select x in a; do rm; done", "f() { rm x; }", "function f { rm; }", "{ ls; rm x; }",
    "[ -f x ]", "[[ -f x ]]", "((i++))", "let i=1", "time ls", "eval ls", "exec ls", "source x", ". x", "alias ls=rm",
    "trap 'rm x' EXIT", "builtin ls", "set -e", "shopt -s extglob", "hash -p ./x ls", "read PATH", "enable -n test",
    'echo "open', "echo 'open", "echo $(open", "echo `open", "ls &&", "ls |", "| ls", "&& ls", "ls )", "( ls",
    "ls;;rm", "$(echo rm) x", "`echo rm` x", "r$(echo m) x", "* x", "[r]m x", "echo {a,b}", "echo {1..3}",
    "cat {.env,x}", "$'rm' x", "echo $'a'", 'echo $"a"', "echo @(a|b)", "ls > $(pwd)", "ls > *", "ls >", "ls > a b",
    "cat < a 12", "ls {fd}>x", "cat <>x", "ls\0rm", "ls\rrm", "ls\x0brm", "ls\u00a0-l", "ls\u2028rm", "ls\u200b",
    "l\u202es", "\ud800 ls", "echo a\\", "echo \\\\\nrm", "echo 'a\\\nb'", "echo `echo \\`ls\\``", "echo \ue000",
    "echo a\"$(ls)\"b`pwd`c", "ls " * 5000, "echo " + "$(" * 50 + "ls" + ")" * 50,
]  # fmt: skip


@pytest.mark.parametrize("line", UNCLEAR, ids=lambda line: repr(line[:40]))
def test_an_unclear_line_is_not_judged(line: str) -> None:
    assert parse(line) is None


def test_globs_and_filled_words_are_marked() -> None:
    parsed = parse("ls *.py '*' a\\* b[c] \"x$(pwd)\"")
    assert parsed is not None
    assert parsed.commands[0] == SimpleCommand(
        ("ls", "*.py", "*", "a*", "b[c]", "x$(pwd)"), frozenset({1, 4}), frozenset({5})
    )


def test_deep_nesting_neither_overflows_nor_raises() -> None:
    for opening, closing in (("(", ")"), ("$(", ")"), ("`", "`"), ('"$(', ')"'), ("{ ", "; }"), ("!", "")):
        parse(opening * 4000 + "ls" + closing * 4000)


SHELLISH = st.text(st.sampled_from("qz ab;&|<>()$`'\"\\\n\t{}[]*?!#~=-/.0129é"), max_size=40)


@given(st.one_of(st.text(max_size=60), SHELLISH))
@settings(max_examples=300)
def test_no_text_raises(line: str) -> None:
    parse(line)


PIECES = st.sampled_from(
    # Words, quotes, separators, redirections, and what should make a line unclear.
    ["q", "z", "qz", "0", "12", "'q z'", '"q  z"', "\\;", "\\ ", "\\z", '"\\""', "''", ";", "|", "&&", "||", "\n", " ",
     " ", "  ", "(", ")", "$(", "`", "2>&1", ">&2", "<&0", "!", "#", "\\\n", '"', "'", "{", "}", "=", "-q", "\t", "$",
     "*", "[q]"]
)  # fmt: skip
BASH = shutil.which("bash")
SPY = "command_not_found_handle() { printf '%s\\0' ran \"$@\" end >&9; return $((RANDOM % 2)); }\n"


@pytest.mark.skipif(BASH is None, reason="needs bash")
@given(st.lists(PIECES, max_size=14).map("".join))
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_bash_runs_nothing_that_was_not_listed(tmp_path: Path, line: str) -> None:
    parsed = parse(line)
    if parsed is None:
        return
    subprocess.run(
        [BASH or "bash", "--noprofile", "--norc", "-c", f"exec 9>spy\n{SPY}{line}\n"],
        cwd=tmp_path,
        env={"PATH": "/nonexistent"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=20,
    )
    ran = [tuple(call.split("\0")[1:-1]) for call in (tmp_path / "spy").read_text().split("end\0") if call]
    exact = {command.words for command in parsed.commands}
    open_ended = {command.words[0] for command in parsed.commands if command.filled or command.globs}
    assert [words for words in ran if words not in exact and words[0] not in open_ended] == []
