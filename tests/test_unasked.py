from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from really_run import BASH, bash, contents

from qagent.permissions.rules import Decision, Policy, decide
from qagent.types import Mode, ToolCall
from qagent.workspace.place import Workspace

SECRET = "hush-hush"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with links that lead to secrets, to git's files and outside."""
    inside = tmp_path / "here"
    for name in ("src", ".git", ".qagent", ".docker"):
        (inside / name).mkdir(parents=True)
    (inside / ".git" / "config").write_text("[core]\n\tbare = false\n")
    for name in ("a.py", "src/b.py", ".env", ".docker/config.json"):
        (inside / name).write_text(SECRET)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes").write_text(SECRET)
    links = {
        "env.txt": ".env", "conf": ".docker", "repo": ".git", "own": ".qagent", "out": "../other", "a": "a.py",
        "notes": "../other/notes", "ring": "ring", "gone": "nowhere", "sub": "src", "src/up": "..",
    }  # fmt: skip
    for name, target in links.items():
        (inside / name).symlink_to(target)
    return inside


def run(command: str, folder: Path, mode: Mode = "ask", allow: tuple[str, ...] = ()) -> Decision:
    call = ToolCall("1", "run", {"command": command})
    return decide(call, "command", Policy(mode, allow), where=Workspace.open(folder).touches)


# ------------------------------------------------------------------ what the list does not hold

NOT_LISTED = [
    # Harmless most of the time: they run what a file or a setting names, or show files that nobody named.
    "git diff", "git diff HEAD~2..HEAD -- a.py", "git diff --cached", "git show", "git show HEAD:src/a.py",
    "git show --stat", "git log -p", "git log --format=%s", "git log --pretty=oneline", "git log --show-signature",
    "git log -S x", "git log -L1,2:a.py", "git blame a.py", "git grep foo", "git describe", "git tag -l",
    "git remote -v", "git stash list", "git stash show", "git shortlog", "git reflog", "git cat-file -p HEAD",
    "git ls-tree HEAD", "git rev-parse --git-dir", "git rev-parse HEAD~1", "git worktree list", "git branch --merged x",
    "git branch -a 'x*'", "git diff --stat --ext-diff", "git diff --stat -p", "git diff --stat --output=a",
    "git diff --stat --no-index a b", "git log :/x", "git status -v", "git log --no-pager", "git -P log",
    "git ls-files -s",
    "git 'log -p'", "'git log'", "rg foo", "rg -l foo src", "sed -n 1,20p a.py", "sed -n 1,5p *.py", "sort a.txt",
    "sort -u a", "uniq", "uniq a", "uniq *.py", "diff a b", "diff . docs", "diff -N . docs", "cmp a b", "file a.py",
    "file -if/etc/passwd", "stat a.py", "du -sh .", "df -h", "nl a.py", "tac a", "rev a", "cut -d: -f1 a", "tr a b",
    "basename a/b", "dirname a/b", "realpath a", "readlink a", "md5sum a", "uname -a", "id", "whoami", "nproc",
    "type ls",
    "command -v ls", "test -f a.py", "test -v x*", "egrep x a", "fgrep x a", "less a", "date +%s", "date -u",
    "date -uf.npmrc", "cd src", "cd src && ls", "cd src && cat a.py", "cd conf && head -1 passwd", "(cd src; ls)",
    "pushd src; ls", "ls && popd", "make --version", "go version", "go --version", "cargo --version", "rustc --version",
    "gcc --version -wrapper sh,evil.sh x.c", "gcc --version -v", "gcc --version -B./ x.c", "gcc -v",
    "python3 --version -c 'print(1)'", "python3 -V", "'python3 --version'", "printf x", "seq 3", "sleep 1",
    # Words that the shell still changes.
    "ls *", "ls -d */", "wc -l *.py", "cat *.py", "cat src/*.py", "cat a?.py", "cat [ab].py", "cat */a", "echo a*",
    "echo /etc/.*", "echo $(pwd)", "echo `git status`", "echo $(echo '/*')", "echo ~", "echo a=~", "echo ~root",
    "cat a=~/x", "grep a* b", "grep x *.py", "head -*", "ls -*", "find *", "find evil.sh -[e]xec sh '{}' +",
    "find . -name *.py", "find d -[d]elete", "sort -*.py README.md", "git log --*/tmp/x", "git diff --stat *",
    "which p*", "tree *",
    # Options and operands beyond the row.
    "ls --color=auto", "ls -L x", "ls -Z", "cat -A a", "cat -", "cat -x", "head -f a", "tail -f a", "tail -5f a",
    "tail --follow a", "head --lines=5 a", "head -n x a", "head -n", "wc --files0-from=x", "wc -L a", "pwd x", "true x",
    "false -x", "which ./x", "which /bin/ls", "which -- -x", "date x", "grep -e x a", "grep -ex a", "grep -f a b",
    "grep -ff a", "grep -r x", "grep -nr x .", "grep x -r .", "grep --include=*.py x .", "grep -P x a", "grep -z x a",
    "grep -a x a", "grep -A x a", "grep -nA x a", "grep --line x a", "grep -u x a", "find -L .", "find . -follow",
    "find . -size +1k", "find . -newer x", "find . -regex x", "find . -printf '%p'", "find . -ls", "find . -print0",
    "find . -type", "find . -type l,f", "find . -maxdepth x", "find . \\( -name x \\)", "find . -name", "find -D tree",
    "find -files0-from x", "tree -l", "tree -o x", "tree --fromfile x", "tree -L x", "tree -L", "tree --filelimit 5",
]  # fmt: skip


@pytest.mark.parametrize("command", NOT_LISTED, ids=lambda command: repr(command))
def test_what_is_not_on_the_list_is_asked_about(folder: Path, command: str) -> None:
    call = ToolCall("1", "run", {"command": command})
    assert decide(call, "command", Policy()).verdict == run(command, folder).verdict == "ask"


# ------------------------------------------------------------------ where a path really leads

LINKED = [
    # command, and the verdicts in ask, in ask with a pattern that allows all, in auto
    ("cat a.py", "allow allow allow"),
    ("cat a", "allow allow allow"),
    ("cat sub/b.py", "allow allow allow"),
    ("cat src/up/a.py", "allow allow allow"),
    ("cat src/../a.py", "allow allow allow"),
    ("cat gone missing.py", "allow allow allow"),
    ("cat env.txt", "ask ask ask"),
    ("head -5 src/up/env.txt", "ask ask ask"),
    ("grep -n x env.txt", "ask ask ask"),
    ("grep env.txt a.py", "allow allow allow"),
    ("python3 x.py --file=env.txt", "ask ask ask"),
    ("cat conf/config.json", "ask ask ask"),
    ("cd conf && cat config.json", "ask ask ask"),
    ("cat repo/config", "ask ask ask"),
    ("cp x repo/hooks/y", "ask ask ask"),
    ("cat own/x", "ask ask ask"),
    ("cat < env.txt", "ask ask ask"),
    ("echo x > repo/config", "ask ask ask"),
    ("echo x > out/x", "ask ask ask"),
    ("cp a.py out/x", "ask ask ask"),
    ("cd out && touch x", "ask ask ask"),
    ("cat notes", "ask ask allow"),
    ("cat out/notes", "ask ask allow"),
    ("ls out", "ask ask allow"),
    ("find out/ -name x", "ask ask allow"),
    ("cat ring", "ask ask allow"),
    ("cat ../other/notes", "ask ask allow"),
    ("cat src/up/../other/notes", "ask ask allow"),
    ("cat out/../here/a.py", "allow allow allow"),
    ("cat < notes", "ask ask allow"),
]


@pytest.mark.parametrize(("command", "verdicts"), LINKED, ids=[row[0] for row in LINKED])
def test_a_path_is_judged_by_where_it_leads(folder: Path, command: str, verdicts: str) -> None:
    everything = ("*", "> *", "< *")
    found = [run(command, folder), run(command, folder, allow=everything), run(command, folder, "auto")]
    assert " ".join(decision.verdict for decision in found) == verdicts


def test_an_absolute_path_inside_is_inside(folder: Path) -> None:
    assert run(f"cat {folder}/a.py", folder).verdict == "allow"
    assert run(f"pytest {folder}/a.py", folder, allow=("pytest *",)).verdict == "allow"
    assert run(f"cat {folder}/env.txt", folder).verdict == "ask"
    assert run(f"cat {folder.parent}/other/notes", folder).verdict == "ask"
    assert run(f"pytest {folder.parent}/other", folder, allow=("pytest *",)).verdict == "ask"


REASONS = [
    ("cat env.txt", "`env.txt` leads to `.env`, which looks like a secret; this is always asked."),
    ("cat notes", "`notes` is not inside this folder."),
    ("cat /etc/passwd", "`/etc/passwd` is not inside this folder."),
    ("cat repo/config", "`repo/config` belongs to git; this is always asked."),
]


@pytest.mark.parametrize(("command", "reason"), REASONS)
def test_the_reason_says_where_it_leads(folder: Path, command: str, reason: str) -> None:
    assert run(command, folder).reason == reason


# ------------------------------------------------------------------ nobody is there


@pytest.mark.parametrize("command", ["ls", "cat a.py", "git status", "echo x", "pwd | wc -l", "true"])
def test_when_nobody_watches_only_a_pattern_allows(command: str) -> None:
    call = ToolCall("1", "run", {"command": command})
    name = command.split()[0]
    decision = decide(call, "command", Policy("accept-edits", unasked_reads=False))
    assert decision == Decision("ask", f"No allow pattern names `{name}`.")
    assert decide(call, "command", Policy("accept-edits", ("*",), unasked_reads=False)).verdict == "allow"
    assert decide(call, "command", Policy("auto", unasked_reads=False)).verdict == "allow"


UNFIT = [
    (
        "curl -s https://h/x",
        "curl*",
        "The pattern `curl*` names no place outside this folder, and `https://h/x` is one.",
    ),
    ("cat notes", "cat *", "The pattern `cat *` names no place outside this folder, and `notes` is one."),
    ("make $(ls)", "make *", "`make` gets arguments that are not known before it runs, so no pattern allows it."),
    ("curl https://h/x", "wget *", "No allow pattern names `curl`."),
]


@pytest.mark.parametrize(("command", "pattern", "reason"), UNFIT)
def test_why_a_pattern_that_seems_to_fit_does_not_is_told(
    folder: Path, command: str, pattern: str, reason: str
) -> None:
    call = ToolCall("1", "run", {"command": command})
    policy = Policy("accept-edits", (pattern,), unasked_reads=False)
    assert decide(call, "command", policy, where=Workspace(folder).touches).reason == reason


def test_a_pattern_that_names_the_place_fits_it() -> None:
    call = ToolCall("1", "run", {"command": "curl https://h/x"})
    assert decide(call, "command", Policy("accept-edits", ("curl https://*",), unasked_reads=False)).verdict == "allow"


# ------------------------------------------------------------------ what is allowed really only looks


HOSTILE = [
    "-e1e echo x>made;#.py", "-delete", "-exec", "-i.py", "-oout.py", "--output=made", "-fmade", "--files0-from=.env",
    "x[$(echo x>made)]", "*.py", "$(touch made)", ";touch made;.py", "a b.py", "~", "{a,b}", "a'b", "\\", "-", "--",
    "-r",
]  # fmt: skip


@pytest.fixture(scope="module")
def minefield(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mines") / "here"
    folder.mkdir()
    for name in (*HOSTILE, "a.py", "b.py", "evil.sh"):
        (folder / name).write_text("echo x > made\n")
    for name in (".env", "prod.env", "../outside"):
        (folder / name).write_text(SECRET)
    for name, target in {"env.txt": ".env", "out": "../outside", "up": "..", "-link": ".env"}.items():
        (folder / name).symlink_to(target)
    return folder


def quoted(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"


PROGRAMS = ["cat", "head", "tail", "wc", "ls", "grep x", "grep", "find", "find .", "tree", "echo", "which", "date",
            "sort", "uniq", "sed -n", "git diff --stat", "git log", "git status", "test -v", "file", "pwd",
            "python3 --version",
            "gcc --version"]  # fmt: skip
WORDS = [
    *HOSTILE, "a.py", "*.py", "-[e]xec", "-*", "--*", "x*", ".e*", ".env", "env.txt", "out", "up", "up/outside",
    "-link",
    "../outside", "-n", "-5", "-r", "-R", "-f", "-name", "-type", "-L", "hush", "", ".", "./-link", "-c", "+", "[!a]*",
]  # fmt: skip
ARGUMENT = st.sampled_from(WORDS + [quoted(word) for word in WORDS] * 2)
ENDINGS = ["", "", " 2>&1", " | cat", " | grep -v a", " | head -3", " && ls", " > made", " | uniq - made"]


@st.composite
def a_line(draw: st.DrawFn) -> str:
    words = draw(st.lists(ARGUMENT, max_size=3))
    return " ".join([draw(st.sampled_from(PROGRAMS)), *words]) + draw(st.sampled_from(ENDINGS))


@pytest.mark.skipif(BASH is None, reason="needs bash")
@given(a_line())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_allowed_changes_nothing_and_shows_no_secret(minefield: Path, line: str) -> None:
    if run(line, minefield).verdict != "allow":
        return
    before = contents(minefield.parent)
    printed = bash(minefield, line)
    assert SECRET not in printed
    assert contents(minefield.parent) == before
