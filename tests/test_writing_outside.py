from __future__ import annotations

import pytest

from qagent.permissions.rules import Decision, Policy, decide
from qagent.types import Mode, ToolCall


def run(command: str, mode: Mode = "auto", allow: tuple[str, ...] = ()) -> Decision:
    return decide(ToolCall("1", "run", {"command": command}), "command", Policy(mode, allow))


OUTSIDE = [
    "cp calc.py ../out4", "touch ../out6", "mv calc.py /tmp/out7", "mv -t /tmp calc.py", "mv a ../b", "mv -v a b ~/c",
    "echo x | tee ~/out5", "tee -a a /etc/x", "ln -s /etc/passwd x", "ln -s a ../b", "install -m 755 a /usr/bin/a",
    "mkdir /x", "mkdir -p a ../b", "rmdir ../x", "rsync -a . ../x", "truncate -s 0 ~/x", "unlink ../x", "rm ../x",
    "shred x", "chmod +x ../x", "chown me /x", "cp a --target-directory=../b", "cp -t../b a", "cp a /tmp/../b",
    "cp a b/../../c", "sed -i s/a/b/ ../x", "sed -i.bak -e s/a/b/ -e s/c/d/ ~/x", "sed -Ei s/a/b/ /x",
    "sed --in-place s/a/b/ ../x", "perl -pi -e s/a/b/ ../x", "tar -xf a.tar -C ..", "tar xf a.tar --directory=/x",
    "tar czf ../a.tgz .", "unzip a.zip -d ../x", "unzip a.zip -d/x", "patch -d ../x", "patch ../x", "curl -o ../x h",
    "curl --output=/x h", "wget -O ~/x h", "wget -P.. h", "sort -o ../x a", "git config --global user.name x",
    "git config --system a b", "git config -f ~/.gitconfig a b", "git -C ../other commit -m x", "git -C/other status",
    "git --git-dir=../x/y log", "git --work-tree ../x add .", "git clone https://h/x ../x", "git init /x",
    "git worktree add ../x", "git archive -o ../x HEAD", "git diff --output=../x", "python3 -m pip install --user x",
    "pip install --user x", "npm install -g x", "env touch ../x", "xargs touch ../x", "bash -c 'touch ../x'",
    "find . -exec cp {} ../x \\;", "/bin/cp a ../b", "cd .. && touch x", "cd /x; echo a > b", "cd && rm x",
    "cd - && mkdir x", "pushd ~; cp a b", "cd ../other && git commit -m x", "X=1 touch ../x",
    "for i in a b; do cp $i ../x; done", "cp $X ~/y", "echo $X > a/../../b",
    "git config --global a $X", "git -C ../x add $X", "pip install --user $X", "mv $X /tmp/a",
    "mkdir \"/x$Y\"", "if true; then mv a sub/../../b; fi",
    "sed -i s/a/b/ /x/$Y", "for i in a; do echo x > .git/$i; done",
]  # fmt: skip


@pytest.mark.parametrize("command", OUTSIDE, ids=lambda command: repr(command))
def test_what_may_write_outside_is_asked_in_every_mode_and_no_rule_lifts_it(command: str) -> None:
    assert run(command).verdict == "ask"
    assert run(command, "auto", allow=("*", "> *")).verdict == "ask"
    assert run(command, "ask", allow=("*", "> *")).verdict == "ask"


INSIDE = [
    "cp a.py b.py", "cp a.py /tmp/b", "touch /tmp/x", "mkdir -p /tmp/x/y", "make | tee /tmp/log", "mv a b",
    "mv /tmp/a b", "mv /tmp/a /tmp/b", "mv -t sub a b", "mkdir -p a/b", "ln -s a b", "install -m 755 a bin/a",
    "tee /dev/stderr", "echo x > /dev/stdout", "sed -i /foo/d a.py", "sed -i -e 's,../a,../b,' a.py",
    "sed -i.bak 's|/usr|/opt|' a.py", "sed s/a/b/ ../x", "perl -pi -e 's,/a,/b,' a.py", "tar -xf a.tar -C build",
    "tar xf a.tgz", "unzip a.zip -d /tmp/x", "unzip -o a.zip", "patch -p1 < a.diff", "curl -o a https://h/x",
    "curl -o /tmp/a https://h/x", "curl -s localhost:8000/x", "wget -q https://h/x", "git config user.name x",
    "git config --get user.name", "git -C sub status", "git clone https://h/x y", "git commit -C HEAD",
    "git archive -o a.tar HEAD", "pip install -e .", "python3 -m pip install x", "npm install", "cd /x && pytest",
    "cd .. && ls", "cd ../other && git log", "cd /tmp && touch x", "cd src && touch x",
    "for i in a b; do cp $i sub/; done", "cp $X /tmp/y", "X=1 touch a..b", "touch $X a/b",
]  # fmt: skip


@pytest.mark.parametrize("command", INSIDE, ids=lambda command: repr(command))
def test_auto_mode_writes_here_and_in_scratch_space_unasked(command: str) -> None:
    assert run(command).verdict == "allow"


# ------------------------------------------------------------------ what the person reads

FREE = "; it would run outside of any sandbox; this is always asked."
REASONS: list[tuple[str, Mode, str]] = [
    ("git push", "ask", f"`git push` leaves this machine{FREE}"),
    ("cat ../x", "ask", "`../x` is not inside this folder."),
    (
        "cat /etc/x",
        "ask",
        "`/etc/x` is an absolute path and may be outside this folder; give a path relative to the folder.",
    ),
    ("pytest", "ask", "`pytest` is not among the commands that run unasked."),
    ("git show", "ask", "`git show` is not among the commands that run unasked."),
    ("ls --color", "ask", "`ls` with `--color` is not among the commands that run unasked."),
    ("git diff", "ask", "`git diff` shows files that nobody named; with `--stat` it runs unasked."),
    ("pwd x", "ask", "`pwd` runs unasked only without `x`."),
    ("ls *.py", "ask", "`*.py` may become any names before `ls` runs; name the files, or quote it."),
    ("cd src && ls", "ask", "Behind `cd` all names mean something else; name the files from here instead."),
    ("cat .e*", "auto", "`.e*` may become `.env`; this is always asked."),
    ("echo x | sh", "auto", "`sh` may run what another command prints; this is always asked."),
    ("curl -T a h", "auto", "`curl` with `-T` sends a file to another machine; this is always asked."),
    ("ls > a", "ask", "`> a` writes a file."),
    ("ls", "plan", "This is plan mode, which is read only."),
    ("make", "auto", "Auto mode allows it."),
    ("echo x > .git/config", "auto", "`> .git/config` changes what belongs to git; this is always asked."),
    (
        "echo x > .qagent/config.toml",
        "auto",
        "`> .qagent/config.toml` changes what belongs to qagent; this is always asked.",
    ),
    ("cp a .git/x", "auto", "`.git/x` belongs to git; this is always asked."),
    ("echo x > ../a", "auto", f"`> ../a` may write outside this folder{FREE}"),
    ("cp a ../b", "auto", f"`cp` with `../b` may write outside this folder{FREE}"),
    ("mv a /tmp/b", "auto", f"`mv` takes `a` out of this folder{FREE}"),
    ("cd .. && touch x", "auto", "Behind `cd ..` `touch` may write outside this folder; this is always asked."),
    ("sudo $X", "auto", "`sudo` can do great harm; this is always asked."),
    ("FOO=1 python3 -m unittest", "ask", "This line sets variables and is too involved to be judged."),
    ("export A=1; ls", "ask", "This line sets variables and is too involved to be judged."),
    ("for i in a; do echo $i; done", "ask", "This line has a loop and is too involved to be judged."),
    ("while x; do A=1; done", "ask", "This line has a loop and is too involved to be judged."),
    ("if a; then b; fi", "ask", "This line has a condition and is too involved to be judged."),
    ("[ -f x ]", "ask", "This line has a condition and is too involved to be judged."),
    ("f() { x; }", "ask", "This line defines a function and is too involved to be judged."),
    ("cat <<EOF\nx\nEOF", "ask", "This line has a text as input (`<<`) and is too involved to be judged."),
    ("diff <(ls) a", "ask", "This line has a command in the place of a file and is too involved to be judged."),
    ("echo $X", "ask", "This line uses variables and is too involved to be judged."),
    ("ls &", "ask", "This line starts something in the background and is too involved to be judged."),
    ("ls # x", "ask", "This line has a comment and is too involved to be judged."),
    ("eval ls", "ask", "This line is too involved to be judged."),
    ("echo 'open", "ask", "This line is too involved to be judged."),
]


@pytest.mark.parametrize(("command", "mode", "reason"), REASONS)
def test_reasons_are_sentences_for_people(command: str, mode: Mode, reason: str) -> None:
    assert run(command, mode).reason == reason
