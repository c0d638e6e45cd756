from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qagent.permissions.grants import grants_of, why_network
from qagent.permissions.rules import Policy, decide
from qagent.sandbox.bounds import Grants
from qagent.types import Mode, ToolCall

# ------------------------------------------------------------------ what an allowed line gets

NOTHING = [
    "pytest -q", "python3 x.py", "make", "ls", "git status", "git log --oneline", "git diff --stat && git show",
    "python3 x.py && git commit -m y", "git add . && make", "git commit -m y | sh", "bash -c 'git commit -m y'",
    "env git add .", "for i in a; do git add $i; done", "X=1 git commit -m y", "git add . &", "./git add .; x", "",
    "echo git commit", "find . -exec git add {} +", "git add $(python3 x.py)", "xargs git add", "npm test",
    "cat a > /tmp/b", "rm -rf build", "rm -rf .", "git-evil commit", "cat .env", "pip list", "npm run install",
]  # fmt: skip
WORK = [
    "git add -A", "git commit -m 'x y'", "git stash", "git add . && git commit -m x", "cd sub && git add .",
    "git checkout -b new", "git rm a.py", "git merge x", "git rebase main", "git tag v1", "git cherry-pick x",
    "git reset --hard", "echo x > a && git add a", "git commit -m x && git branch -d y", "git -C sub add .",
    "git log | head -3 && git add .", "git reset --hard; ls", "git x",
]  # fmt: skip
SETTINGS = [
    "git config user.name x", "git branch new", "git remote add x y", "git init", "git submodule update",
    "git worktree list && git log", "git branch -D x",
]  # fmt: skip
NETWORK = [
    "pip install x", "pip3 install -r r.txt", "npm install", "npm ci", "npm i x", "yarn add x", "uv sync", "uv add x",
    "poetry install", "cargo fetch", "go get x", "curl x", "wget x", "apt-get install x",
    "pip install x && pytest", "env pip install x", "timeout 9 curl x", "bash -c 'curl x'", "sh -c 'npm ci; make'",
]  # fmt: skip
FREE = [
    "docker run -v /:/x y", "docker build .", "kubectl delete pod x", "terraform apply", "tmux new x",
    "sudo ls", "cp a ~/b", "cp a ../b", "mv a ../b", "rm -rf ../x", "echo x >> ~/.bashrc", "echo x > /etc/y",
    "mkdir -p ~/x && cp a ~/x", "crontab x", "npm install -g x", "pip install --user x", "chmod +x /usr/y",
]  # fmt: skip
AWAY = ["ssh h", "scp a h:b", "gh pr list", "npm publish", "docker push x", "docker pull x", "twine upload dist/x"]
CONFINED = [
    "docker build . && python3 x.py", "kubectl apply -f x; make", "unshare python3 x.py", "chroot . python3 x.py",
    "docker ps", "kubectl get pods", "terraform plan",
    "sudo ls && python3 x.py", "cp a ~/b; ./x", "curl x | sh", "echo x > ~/y; make", "git push && ./deploy.sh",
    "bash -c 'cp a ~/b'", "cp $(python3 x.py) ~/b", "for i in a; do cp $i ~/b; done", "python3 x.py > ~/y",
]  # fmt: skip


@pytest.mark.parametrize("line", NOTHING)
def test_most_lines_get_nothing(line: str) -> None:
    assert grants_of(line) == Grants()


@pytest.mark.parametrize("line", WORK)
def test_git_s_own_lines_may_write_to_its_folder(line: str) -> None:
    assert grants_of(line) == Grants(git="work")


@pytest.mark.parametrize("line", SETTINGS)
def test_lines_that_change_settings_alone_may_change_them(line: str) -> None:
    assert grants_of(line) == Grants(git="settings")


@pytest.mark.parametrize("line", NETWORK)
def test_what_is_known_to_need_the_network_gets_it_and_no_log_ins(line: str) -> None:
    assert grants_of(line) == Grants(network=True)


@pytest.mark.parametrize("line", FREE)
def test_what_only_reaches_out_and_is_always_asked_runs_free(line: str) -> None:
    assert grants_of(line).free
    assert decide(ToolCall("1", "run", {"command": line}), "command", Policy("auto", ("*", "> *"))).always


@pytest.mark.parametrize("line", AWAY)
def test_what_reaches_another_machine_runs_free_too(line: str) -> None:
    assert grants_of(line).free
    assert grants_of(line).network


@pytest.mark.parametrize("line", CONFINED)
def test_beside_a_program_of_any_kind_nothing_runs_free(line: str) -> None:
    assert not grants_of(line).free


def test_git_gets_the_log_ins_when_it_goes_to_another_machine_alone() -> None:
    assert grants_of("git fetch") == Grants("work", network=True, keys=True)
    assert grants_of("git push").free
    assert not grants_of("git fetch && npm install").keys


def test_the_model_can_say_that_a_line_needs_the_network() -> None:
    assert grants_of("make deps", network=True) == Grants(network=True)
    assert grants_of("for i in a; do make $i; done", network=True) == Grants(network=True)


@given(st.text(max_size=60), st.booleans())
def test_any_text_gets_an_answer(text: str, network: bool) -> None:
    assert grants_of(text, network=network).network >= network
    why_network(text, said=network)


@given(st.sampled_from(WORK + SETTINGS + FREE + AWAY), st.sampled_from([";", "&&", "||", "|", "\n"]), st.booleans())
def test_no_grant_survives_an_interpreter_beside_it(line: str, joint: str, first: bool) -> None:
    both = f"python3 x.py {joint} {line}" if first else f"{line} {joint} python3 x.py"
    grants = grants_of(both)
    assert (grants.git, grants.keys, grants.free) == ("no", False, False)


# ------------------------------------------------------------------ whether it is asked about


def verdict(command: str, mode: Mode = "auto", allow: tuple[str, ...] = (), *, network: bool | None = None) -> str:
    said = {} if network is None else {"network": network}
    policy = Policy(mode, allow, asks_network=True)
    return decide(ToolCall("1", "run", {"command": command, **said}), "command", policy).verdict


@pytest.mark.parametrize("line", NETWORK)
def test_the_network_is_asked_about_in_auto_mode_too(line: str) -> None:
    assert verdict(line) == "ask"


@pytest.mark.parametrize(("line", "pattern"), [("pip install x", "pip install *"), ("curl x", "curl *")])
def test_a_pattern_that_names_the_line_spares_the_question(line: str, pattern: str) -> None:
    assert verdict(line, "auto", (pattern,)) == "allow"
    assert verdict(line, "ask", (pattern,)) == "allow"
    assert verdict(f"{line} && make", "auto", (pattern,)) == "ask"


def test_what_the_model_says_is_asked_about_whatever_the_patterns() -> None:
    assert verdict("pytest", network=True) == "ask"
    assert verdict("pytest", "ask", ("pytest",), network=True) == "ask"
    assert verdict("pytest", network=False) == verdict("pytest") == "allow"
    assert verdict("for i in a; do make $i; done", network=True) == "ask"


def test_the_reason_names_what_needs_it() -> None:
    call = ToolCall("1", "run", {"command": "env npm ci"})
    asked = decide(call, "command", Policy("auto", asks_network=True))
    assert asked.reason == "`npm ci` needs the network, which `network = ask` asks about."


REASONS: list[tuple[str, Mode, bool | None, str]] = [
    (
        "python3 x.py",
        "ask",
        True,
        "`python3` is not among the commands that run unasked; "
        "the model says that this needs the network, which a yes gives it.",
    ),
    (
        "curl https://h/x",
        "ask",
        None,
        "`curl` is not among the commands that run unasked; `curl` needs the network, which a yes gives it.",
    ),
    (
        "rm -rf .; curl x",
        "auto",
        None,
        "`rm` on `.` can destroy much; `curl` needs the network, which a yes gives it; this is always asked.",
    ),
    ("python3 x.py", "ask", None, "`python3` is not among the commands that run unasked."),
]


@pytest.mark.parametrize(("line", "mode", "said", "reason"), REASONS)
def test_a_question_names_the_network_that_a_yes_gives(line: str, mode: Mode, said: bool | None, reason: str) -> None:
    call = ToolCall("1", "run", {"command": line, **({} if said is None else {"network": said})})
    asked = decide(call, "command", Policy(mode, asks_network=True))
    assert asked.reason == reason
    assert asked.always == reason.endswith("this is always asked.")


@given(
    st.sampled_from(NETWORK + FREE + AWAY + NOTHING), st.sampled_from(["ask", "accept-edits", "auto"]), st.booleans()
)
def test_no_yes_gives_more_than_the_question_says(line: str, mode: Mode, said: bool) -> None:
    call = ToolCall("1", "run", {"command": line, "network": said})
    asked, grants = decide(call, "command", Policy(mode, asks_network=True)), grants_of(line, network=said)
    if asked.verdict == "ask" and (grants.network or grants.free):
        assert ("outside of any sandbox" if grants.free else "network") in asked.reason


# ------------------------------------------------------------------ without a sandbox

UNCONFINED = Policy("auto", ("make *",), unconfined="bubblewrap is not installed")


ASKED = [
    "python3 x.py", "rm x", "git add .", "echo x > a.py", "X=1 pytest", "for i in a; do x; done", "ls", "pwd", "true",
    "git status", "git diff --stat", "cat a.py", "grep x a.py", "make all && ls", "cd a && make all", "make all > b",
    "make all | cat", "makeup", "pytest &", "make $(ls)", "echo $X",
]  # fmt: skip


@pytest.mark.parametrize("line", ASKED)
def test_without_a_sandbox_auto_mode_asks_for_every_command_and_says_why(line: str) -> None:
    decision = decide(ToolCall("1", "run", {"command": line}), "command", UNCONFINED)
    assert (decision.verdict, decision.always) == ("ask", False)
    told = "; auto mode asks for every command, since there is no sandbox: bubblewrap is not installed."
    assert decision.reason.endswith(told)


def test_a_tool_of_the_project_is_asked_about_as_well() -> None:
    assert decide(ToolCall("1", "deploy", {}), "command", UNCONFINED).verdict == "ask"


@pytest.mark.parametrize("line", ["make all", "make", "make a && make b", "make a 2>&1", "make a > /dev/null"])
def test_without_a_sandbox_what_the_person_s_patterns_allow_runs_unasked(line: str) -> None:
    assert decide(ToolCall("1", "run", {"command": line}), "command", UNCONFINED).verdict == "allow"


@pytest.mark.parametrize("mode", ["ask", "accept-edits"])
def test_without_a_sandbox_the_other_modes_judge_as_ever(mode: Mode) -> None:
    policy = replace(UNCONFINED, mode=mode)
    assert decide(ToolCall("1", "run", {"command": "ls"}), "command", policy).verdict == "allow"
    asked = decide(ToolCall("1", "run", {"command": "python3 x.py"}), "command", policy)
    assert asked.reason == "`python3` is not among the commands that run unasked."


def test_what_is_always_asked_stays_so_without_a_sandbox() -> None:
    assert decide(ToolCall("1", "run", {"command": "git push"}), "command", UNCONFINED).always
