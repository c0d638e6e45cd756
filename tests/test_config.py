from __future__ import annotations

from pathlib import Path

import pytest
from config_files import Places, read, refused
from pydantic import ValidationError

from qagent.config import KEYS, Loaded, Settings, load
from qagent.config.settings import ModelSettings
from qagent.errors import ConfigProblem

# ------------------------------------------------------------------ which place wins


def test_the_defaults_need_no_file(tmp_path: Path) -> None:
    loaded = load(flags={}, sets=(), env={}, user_file=tmp_path / "none.toml", project_file=tmp_path / "none")
    assert loaded.settings == Settings(host="http://127.0.0.1:11434")
    assert set(loaded.origins) == set(KEYS)
    assert set(loaded.origins.values()) == {"default"}
    assert loaded.notices == ()


PROJECT, VARIABLE = "max_turns = 20", {"QAGENT_MAX_TURNS": "50"}
SETS = ["max_turns=60", "max_turns=70"]


@pytest.mark.parametrize(
    ("places", "turns", "origin"),
    [
        ({}, 30, "config.toml, line 1"),
        ({"project": PROJECT}, 20, "project.toml, line 1"),
        ({"project": PROJECT, "env": VARIABLE}, 50, "QAGENT_MAX_TURNS"),
        ({"project": PROJECT, "env": VARIABLE, "sets": SETS}, 70, "--set"),
        ({"env": VARIABLE, "sets": SETS, "flags": {"max_turns": 80}}, 80, "--max-turns"),
        ({"env": VARIABLE, "flags": {"max_turns": None}}, 50, "QAGENT_MAX_TURNS"),
    ],
)
def test_each_place_wins_over_those_before_it(places: Places, turns: int, origin: str) -> None:
    loaded = read("max_turns = 30", **places)
    assert loaded.settings.max_turns == turns
    assert loaded.origins["max_turns"].endswith(origin)


def test_every_key_can_stand_in_the_file() -> None:
    text = """
        model = "qwen2.5-coder:14b"
        server = "llamacpp"
        host = "http://localhost:9000"
        allow_hosts = ["gpu.local"]
        num_ctx = 16384
        reply_tokens = 2048
        temperature = 0
        top_p = 0.9
        top_k = 40
        repeat_penalty = 1.05
        stops = ["<|im_end|>", "END"]
        profile = "32b"
        call_form = "tool_call"
        edit_form = "symbol"
        whole_file_lines = 80
        offered_tools = 4
        strip_tools = true
        endpoint = "chat"
        send_tools = true
        api_key_env = "TEAM_KEY"
        keep_alive = "-1m"
        stall_timeout = 60
        first_token_timeout = "5m"
        mode = "accept-edits"
        allow_commands = ["pytest *", "echo $HOME*"]
        deny_commands = ["git push*"]
        sandbox = "landlock"
        network = "off"
        sandbox_writes = ["~/.gradle"]
        check_command = "ruff check ."
        check_rounds = 2
        max_turns = 10
        timeout = "1.5h"
        bad_calls = 2
        agents_md = false
        agents_md_tokens = 500

        [models."qwen2.5-coder:32b"]
        num_ctx = 8192
    """
    loaded = read(text)
    assert loaded.settings.model_dump(exclude={"models"}) == {
        "model": "qwen2.5-coder:14b",
        "server": "llamacpp",
        "host": "http://localhost:9000",
        "allow_hosts": ("gpu.local",),
        "num_ctx": 16384,
        "reply_tokens": 2048,
        "temperature": 0.0,
        "top_p": 0.9,
        "top_k": 40,
        "repeat_penalty": 1.05,
        "stops": ("<|im_end|>", "END"),
        "profile": "32b",
        "call_form": "tool_call",
        "edit_form": "symbol",
        "whole_file_lines": 80,
        "offered_tools": 4,
        "strip_tools": True,
        "endpoint": "chat",
        "send_tools": True,
        "api_key_env": "TEAM_KEY",
        "keep_alive": "-1m",
        "stall_timeout": 60.0,
        "first_token_timeout": 300.0,
        "mode": "accept-edits",
        "allow_commands": ("pytest *", "echo $HOME*"),
        "deny_commands": ("git push*",),
        "sandbox": "landlock",
        "network": "off",
        "sandbox_writes": ("~/.gradle",),
        "check_command": "ruff check .",
        "check_rounds": 2,
        "max_turns": 10,
        "timeout": 5400.0,
        "bad_calls": 2,
        "agents_md": False,
        "agents_md_tokens": 500,
    }
    assert loaded.settings.models == (("qwen2.5-coder:32b", ModelSettings(num_ctx=8192)),)
    lines = [int(loaded.origins[key].rpartition(" ")[2]) for key in KEYS]
    assert sorted(lines) == [*range(2, 38), 39]
    assert all(
        text.split("\n")[line - 1].strip().startswith((key, f"[{key}")) for key, line in zip(KEYS, lines, strict=True)
    )


@pytest.mark.parametrize("text", ["true", "1", "yes", "on", "TRUE"])
def test_a_variable_can_say_yes_in_several_ways(text: str) -> None:
    assert read("agents_md = false", env={"QAGENT_AGENTS_MD": text}).settings.agents_md is True


@pytest.mark.parametrize(
    ("text", "items"),
    [("ls", ("ls",)), ("ls, cat ,", ("ls", "cat")), ("awk {a,b}\nls\n", ("awk {a,b}", "ls")), (" \n", ())],
)
def test_lists_stand_on_lines_or_between_commas(text: str, items: tuple[str, ...]) -> None:
    assert read(env={"QAGENT_ALLOW_COMMANDS": text}).settings.allow_commands == items
    assert read(sets=[f"allow_commands={text}"]).settings.allow_commands == items


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("90", 90), ("90s", 90), ("15m", 900), ("2h", 7200), ("0.5m", 30), (" 1 h ", 3600), (90, 90), (1.5, 1.5)],
)
def test_times_have_units(value: object, seconds: float) -> None:
    assert read(flags={"timeout": value}).settings.timeout == seconds


@pytest.mark.parametrize(
    "value", ["", "0", "-5", "nan", "inf", "5d", "1h30", "1e9", "²", 0, -1, True, float("nan"), []]
)
def test_what_is_no_time_is_refused(value: object) -> None:
    assert "15m" in refused(flags={"timeout": value}).what


def test_an_empty_variable_is_none_and_an_empty_set_empties() -> None:
    user = 'model = "m"\ntimeout = 5\ndeny_commands = ["x"]'
    kept = read(user, env={"QAGENT_MODEL": "", "QAGENT_DENY_COMMANDS": "", "QAGENT_HOME": "/x"}).settings
    assert (kept.model, kept.timeout, kept.deny_commands) == ("m", 5, ("x",))
    emptied = read(user, sets=["model=", "timeout=", "deny_commands="]).settings
    assert (emptied.model, emptied.timeout, emptied.deny_commands) == (None, None, ())


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        read().settings.model = "other"
    with pytest.raises(ValidationError):
        read("[models.7b]\ntop_k = 1").settings.models[0][1].top_k = 2


def test_every_key_is_described() -> None:
    assert all(field.description and len(field.description) < 90 for field in Settings.model_fields.values())


# ------------------------------------------------------------------ what depends on other values


@pytest.mark.parametrize(
    ("user", "env", "host", "origin"),
    [
        ("", {}, "http://127.0.0.1:11434", "default"),
        ("", {"OLLAMA_HOST": "gpu:1234"}, "gpu:1234", "OLLAMA_HOST"),
        ("", {"OLLAMA_HOST": " "}, "http://127.0.0.1:11434", "default"),
        ("server = 'llamacpp'", {"OLLAMA_HOST": "gpu:1234"}, "http://127.0.0.1:8080", "default"),
        ("", {"OLLAMA_HOST": "a", "QAGENT_HOST": "b"}, "b", "QAGENT_HOST"),
        ("", {"OPENAI_BASE_URL": "https://api.example/v1"}, "http://127.0.0.1:11434", "default"),
        ("server = 'openai'", {"OLLAMA_HOST": "gpu:1"}, "http://127.0.0.1:8000", "default"),
        ("server = 'openai'", {"OPENAI_BASE_URL": "http://gpu:1/v1"}, "http://gpu:1/v1", "OPENAI_BASE_URL"),
        ("server = 'openai'\nhost = 'x'", {"OPENAI_BASE_URL": "http://gpu:1"}, "x", "config.toml, line 2"),
    ],
)
def test_the_host_has_a_default(user: str, env: dict[str, str], host: str, origin: str) -> None:
    loaded = read(user, env=env)
    assert loaded.settings.host == host
    assert loaded.origins["host"].endswith(origin)


def test_openai_s_variable_for_the_model_counts_for_such_a_server_alone() -> None:
    env = {"OPENAI_MODEL": "team-coder"}
    assert read(env=env).settings.model is None
    assert read("server = 'openai'", env=env).settings.model == "team-coder"
    assert read("server = 'openai'", env=env).origins["model"] == "OPENAI_MODEL"
    assert read("server = 'openai'\nmodel = 'mine'", env=env).settings.model == "mine"


def test_a_chosen_reply_that_fills_the_window_is_refused() -> None:
    what = refused("num_ctx = 4096\nreply_tokens = 3000").what
    assert "`reply_tokens` 3000 (" in what
    assert "line 2) leaves no room" in what


# ------------------------------------------------------------------ what a project may do


def test_a_project_can_close_the_network_and_never_open_it() -> None:
    assert read('network = "on"', project='network = "ask"').settings.network == "ask"
    assert read(project='network = "off"').settings.network == "off"
    loaded = read(project='network = "on"')
    assert (loaded.settings.network, len(loaded.notices)) == ("ask", 1)
    for line in ('sandbox = "off"', 'sandbox_writes = ["/"]', 'check_command = "make"'):
        assert "a project may not set" in refused(project=line).what


def test_a_project_can_only_tighten() -> None:
    user = 'mode = "accept-edits"\ndeny_commands = ["rm *"]\ntimeout = 600'
    project = """
        model = "qwen2.5-coder:32b"
        mode = "plan"
        deny_commands = ["git push*", "rm *"]
        num_ctx = 16384
        reply_tokens = 1024
        max_turns = 10
        timeout = "5m"
        bad_calls = 1
        stall_timeout = 10
        first_token_timeout = 20
        agents_md = false
        agents_md_tokens = 100
    """
    loaded = read(user, project=project)
    assert loaded.notices == ()
    found = loaded.settings
    assert found.model == "qwen2.5-coder:32b"
    assert found.deny_commands == ("rm *", "git push*")
    assert (found.mode, found.num_ctx, found.reply_tokens, found.max_turns) == ("plan", 16384, 1024, 10)
    assert (found.timeout, found.bad_calls, found.stall_timeout, found.first_token_timeout) == (300, 1, 10, 20)
    assert (found.agents_md, found.agents_md_tokens) == (False, 100)
    assert loaded.origins["mode"].endswith("project.toml, line 3")


@pytest.mark.parametrize(
    ("user", "project"),
    [
        ("", 'mode = "auto"'),
        ('mode = "plan"', 'mode = "ask"'),
        ("", "num_ctx = 65536"),
        ("", "max_turns = 41"),
        ("timeout = 60", 'timeout = "2m"'),
        ("agents_md = false", "agents_md = true"),
        ("", "agents_md_tokens = 9999"),
        ("", "bad_calls = 9"),
        ("", "reply_tokens = 5000"),
    ],
)
def test_what_would_loosen_is_ignored_and_told(user: str, project: str) -> None:
    loaded = read(user, project=project)
    assert loaded.settings == read(user).settings
    [notice] = loaded.notices
    key = project.split(" ", maxsplit=1)[0]
    assert f"project.toml, line 1: `{key} = " in notice
    assert "is ignored" in notice


@pytest.mark.parametrize(
    "project",
    [
        'host = "http://evil.example"',
        'server = "ollama"',
        'endpoint = "chat"',
        'api_key_env = "MY_KEY"',
        'models = {"7b" = {top_k = 1}}',
        "strip_tools = false",
        "top_p = 0.5",
        'allow_hosts = ["evil.example"]',
        'allow_commands = ["*"]',
        'keep_alive = "30m"',
        "temperature = 0.0",
        'stall_timeout = "1h"',
        "first_token_timeout = 601",
    ],
)
def test_what_is_not_the_projects_is_an_error(project: str) -> None:
    problem = refused(project=f"# ours\n{project}")
    assert "project.toml, line 2: a project may not " in problem.what
    assert f"`{project.split(' ', maxsplit=1)[0]}`" in problem.what


def test_a_project_is_measured_by_the_persons_file_and_the_person_has_the_last_word() -> None:
    loaded = read('mode = "auto"', project='mode = "ask"', flags={"mode": "accept-edits"})
    assert loaded.settings.mode == "accept-edits"


def test_what_stands_in_a_project_s_file_is_not_read_again_by_who_has_it(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("max_turns = 29")

    def loaded(data: bytes | None) -> Loaded:
        nowhere = tmp_path / "nowhere.toml"
        return load(flags={}, sets=(), env={}, user_file=nowhere, project_file=file, project_data=data)

    assert loaded(None).settings.max_turns == 29
    assert loaded(b"\xef\xbb\xbfmax_turns = 9").settings.max_turns == 9
    assert loaded(b"max_turns = 9").origins["max_turns"] == f"{file}, line 1"
    assert loaded(b"").settings == Settings(host="http://127.0.0.1:11434")
    with pytest.raises(ConfigProblem, match="line 2: this is not UTF-8"):
        loaded(b"\n\xff")
