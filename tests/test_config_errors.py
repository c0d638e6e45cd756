from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest
from config_files import Places, read, refused
from hypothesis import example, given, settings
from hypothesis import strategies as st

from qagent.config import KEYS, Folders, Settings, folders, load
from qagent.errors import ConfigProblem


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("\nmodle = 'x'", "line 2: there is no setting `modle`; did you mean `mode` or `model`?"),
        ("max-turns = 3", "line 1: there is no setting `max-turns`; did you mean `max_turns`?"),
        ("api_key = 'sk-1'", "line 1: there is no setting `api_key`; did you mean `api_key_env`?"),
        ("models = 3", "line 1: `models` must be a table in config.toml, not `3`"),
        ("[[models]]\ntop_k = 1", "line 1: `models` must be a table in config.toml, not `[{…}]`"),
        ("\n[models]\n7b = 1", "line 3: `models.7b` must be a table in config.toml, not `1`"),
        (
            "[models.7b]\ntemperature = 0\n\n[models.14b]\ntemperature = 3",
            "line 5, in the table `14b`: `temperature` must be at most 2, not `3`",
        ),
        (
            "[models.'qwen2.5-coder:7b']\ntemprature = 0",
            "line 2, in the table `qwen2.5-coder:7b`: there is no setting `temprature`; did you mean `temperature`?",
        ),
        ("[models.7b]\nmodel = 'x'", "line 2, in the table `7b`: there is no setting `model`"),
        ("models = {7b = {top_k = -1}}", "line 1, in the table `7b`: `top_k` must be at least 0, not `-1`"),
        ("models.7b.top_k = -1", "line 1, in the table `7b`: `top_k` must be at least 0, not `-1`"),
        ("[models.7b]\nstops = ['$END']", "line 2, in the table `7b`: `stops` holds the text `$END`"),
        ('[models."\\u001b"]\ntop_k = -1', "in the table '\\x1b': `top_k` must be at least 0, not `-1`"),
        ("[models.qwen2.5-coder]\ntop_k = 1", "line 1: the name `qwen2.5-coder` has dots, so it needs quotes"),
        ("[models.a.b.c]\ntop_k = 1", "the name `a.b.c` has dots, so it needs quotes"),
        ("[models.7b]\ntop_k = {a = 1}", "`top_k` must be a whole number, not `{…}`"),
        ("[models.13b]\ntop_k = 1", "line 1: Qwen 2.5 Coder has no size `13b`"),
        ("[model.7b]\ntop_k = 1", "line 1: a model's own table is called `models`"),
        ("base_url = 'x'", "line 1: there is no setting `base_url`; did you mean `host`?"),
        ("context_length = 1", "line 1: there is no setting `context_length`; did you mean `num_ctx`?"),
        ("[models.7b]\nmax_tokens = 1", "there is no setting `max_tokens`; did you mean `reply_tokens`?"),
        ("server = 'vllm'", "not `vllm`; did you mean `openai`?"),
        ("server = 'llama.cpp'", "not `llama.cpp`; did you mean `llamacpp`?"),
        ("profile = '8b'", "`profile` must be '0.5b', '1.5b', '3b', '7b', '14b', '32b' or 'other', not `8b`"),
        ("[ollama]\nhost = 'x'", "line 1: there is no setting `ollama`"),
        ("a.b = 1", "line 1: there is no setting `a`"),
        ('"\\u001b[2J" = 1', "there is no setting '\\x1b[2J'"),
        ("deny_commands = ['''\nmodle = 1\n''']\nmodle = 2", "line 4: there is no setting `modle`"),
        ("num_ctx = '32k'", "line 1: `num_ctx` must be a whole number, not `32k`"),
        ("num_ctx = true", "line 1: `num_ctx` must be a whole number, not `true`"),
        ("num_ctx = 1.5", "line 1: `num_ctx` must be a whole number, not `1.5`"),
        ("num_ctx = [1, 'a', true]", "line 1: `num_ctx` must be a whole number, not `[1, 'a', true]`"),
        ("num_ctx = {a = 1}", "line 1: `num_ctx` must be a whole number, not `{…}`"),
        ("num_ctx = 1979-05-27", "line 1: `num_ctx` must be a whole number, not `1979-05-27`"),
        ("num_ctx = 100", "line 1: `num_ctx` must be at least 2048, not `100`"),
        ("'temperature' = 3", "line 1: `temperature` must be at most 2, not `3`"),
        ("temperature = nan", "line 1: `temperature` must be a number, not `nan`"),
        ("temperature = 'hot'", "line 1: `temperature` must be a number, not `hot`"),
        ("timeout = 'soon'", "line 1: `timeout` must be a time such as 90, 90s, 15m or 2h, not `soon`"),
        ("mode = 'yolo'", "line 1: `mode` must be 'plan', 'ask', 'accept-edits' or 'auto', not `yolo`"),
        ("agents_md = 1", "line 1: `agents_md` must be true or false, not `1`"),
        ("model = ''", "line 1: `model` must be text that is not blank"),
        ('host = "a\\u001bb"', "line 1: `host` must be text that is not blank, on one line"),
        ("deny_commands = 'rm'", "line 1: `deny_commands` must be a list of texts, not `rm`"),
        ("deny_commands = ['rm', 5]", "line 1: `deny_commands[1]` must be a text, not `5`"),
        ("keep_alive = '5 minutes'", "line 1: `keep_alive` must be a time such as 30m"),
        ("model = 'a'\nmodel = ", "line 2, column 9: Invalid value"),
        ("model = 'a'\nmodel = 'b'", "line 2, column 12: Cannot overwrite a value"),
        ("x = [" + "[" * 20_000, "config.toml: nested too deeply"),
        ("x = " + "1" * 5_000, "config.toml: "),
    ],
)
def test_an_error_names_file_line_key_and_what_is_expected(text: str, what: str) -> None:
    problem = refused(text)
    assert "config.toml" in problem.what
    assert what in problem.what


@pytest.mark.parametrize(
    ("places", "what"),
    [
        ({"env": {"QAGENT_MODLE": "x"}}, "no setting `QAGENT_MODLE`; did you mean `QAGENT_MODE` or `QAGENT_MODEL`?"),
        ({"env": {"QAGENT_model": "x"}}, "no setting `QAGENT_model`; did you mean `QAGENT_MODEL`"),
        ({"env": {"QAGENT_NUM_CTX": "many"}}, "QAGENT_NUM_CTX: `num_ctx` must be a whole number, not `many`"),
        (
            {"env": {"QAGENT_NUM_CTX": "1" * 5_000}},
            "QAGENT_NUM_CTX: `num_ctx` must be a whole number of a sensible size",
        ),
        ({"env": {"QAGENT_AGENTS_MD": "maybe"}}, "QAGENT_AGENTS_MD: `agents_md` must be true or false, not `maybe`"),
        ({"env": {"QAGENT_TEMPERATURE": "hot"}}, "QAGENT_TEMPERATURE: `temperature` must be a number, not `hot`"),
        ({"env": {"OLLAMA_HOST": "$GPU"}}, "OLLAMA_HOST: `host` holds the text `$GPU`"),
        ({"sets": ["modle=x"]}, "--set: there is no setting `modle`; did you mean `mode` or `model`?"),
        ({"sets": ["model"]}, "--set `model`: there is no `=`"),
        ({"sets": ["max_turns="]}, "--set: `max_turns` must be a whole number, not ''"),
        ({"sets": ["models=x"]}, "--set: `models` must be a table in config.toml, not `x`"),
        ({"sets": ["models.7b.top_k=1"]}, "--set `models.7b.top_k`: a model's own table stands in config.toml alone"),
        ({"env": {"QAGENT_BASE_URL": "x"}}, "no setting `QAGENT_BASE_URL`; did you mean `QAGENT_HOST`?"),
        ({"env": {"QAGENT_MODELS": "[]"}}, "QAGENT_MODELS: `models` must be a table in config.toml, not `[]`"),
        ({"env": {"QAGENT_TOP_P": "0"}}, "QAGENT_TOP_P: `top_p` must be more than 0, not `0`"),
        ({"sets": ["=x"]}, "there is no setting ''"),
        ({"flags": {"max_turns": 0}}, "--max-turns: `max_turns` must be at least 1, not `0`"),
    ],
)
def test_an_error_names_variable_or_flag(places: Places, what: str) -> None:
    assert what in refused(**places).what


def test_a_near_setting_is_explained_and_only_without_one_are_all_named() -> None:
    near, far = refused("base_url = 'x'").todo, refused("zzzzzz = 1").todo
    assert near.startswith("`host`: the server's address")
    assert "max_turns" not in near
    assert "max_turns" in far
    assert "models" not in far.split(", ")
    assert refused("[models.qwen2.5-coder]\ntop_k = 1").todo == 'write [models."qwen2.5-coder"]'


@pytest.mark.parametrize(
    "key", ["sk-proj-1234", "abc def", "x" * 200, "a1b2c3d4e5f6secretkey", "Team_Key", "_TEAM_KEY", "1TEAM", "ſKEYſKEY"]
)
def test_a_key_in_place_of_its_variable_s_name_is_not_shown(key: str) -> None:
    for problem in (
        refused(f"api_key_env = '{key}'"),
        refused(env={"QAGENT_API_KEY_ENV": key}),
        refused(sets=[f"api_key_env={key}"]),
    ):
        assert "must be the name of an environment variable" in problem.what
        assert key[:5] not in problem.what + problem.todo


@pytest.mark.parametrize(
    ("key", "value", "name"),
    [
        ("model", "$MODEL", "MODEL"),
        ("model", "${MODEL:-x}", "MODEL:-x"),
        ("host", "http://{env:GPU}:80", "GPU"),
        ("host", "http://$GPU:80", "GPU"),
        ("deny_commands", "$WHAT", "WHAT"),
    ],
)
def test_a_variable_that_nobody_filled_in_is_refused(key: str, value: str, name: str) -> None:
    text = f"{key} = ['ok', '{value}']" if key == "deny_commands" else f"{key} = '{value}'"
    for problem in (
        refused(f"\n{text}"),
        refused(env={f"QAGENT_{key.upper()}": value}),
        refused(sets=[f"{key}={value}"]),
    ):
        assert f"`{key}` holds the text `" in problem.what
        assert f"the variable `{name}` is not filled in" in problem.what


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("api_key_env", "$ecretPass1"),
        ("api_key_env", "{env:ecret}"),
        ("host", "https://user:$ecret@box"),
        ("host", "https://user:ecret@${BOX}"),
        ("host", "https://box/v1?key=$ecret"),
        ("host", "https://user:ecret@box\\u0007"),
        ("allow_hosts", "https://user:ecret@$BOX"),
    ],
)
def test_neither_a_key_nor_an_address_with_one_in_it_is_shown(key: str, value: str) -> None:
    text = f'["ok", "{value}"]' if key == "allow_hosts" else f'"{value}"'
    value = value.replace("\\u0007", "\a")
    for problem in (
        refused(f"{key} = {text}"),
        refused(env={f"QAGENT_{key.upper()}": value}),
        refused(sets=[f"{key}={value}"]),
        refused(sets=[f"{key}:{value}"]),
    ):
        assert "ecret" not in problem.what + problem.todo


def test_a_file_that_is_not_utf_8_names_the_line() -> None:
    assert "config.toml, line 2: this is not UTF-8" in refused(b"# \xc3\xa9\nmodel = '\xe9'").what


def test_a_byte_order_mark_does_no_harm() -> None:
    assert read(b"\xef\xbb\xbfmax_turns = 7\r\n").settings.max_turns == 7


def test_what_is_no_file_or_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "plain").write_text("")
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "pipe")
    for name, what in [
        ("folder", "is not a file"),
        ("pipe", "is not a file"),
        ("plain/x", "cannot read"),
        ("loop", "cannot read"),
    ]:
        with pytest.raises(ConfigProblem, match=what) as caught:
            load(flags={}, sets=(), env={}, user_file=tmp_path / name, project_file=None)
        assert str(tmp_path / name) in caught.value.what


def test_a_file_without_rights_is_told(tmp_path: Path) -> None:
    (tmp_path / "config.toml").touch(mode=0)
    if os.access(tmp_path / "config.toml", os.R_OK):
        pytest.skip("root may read everything")
    with pytest.raises(ConfigProblem, match="cannot read"):
        load(flags={}, sets=(), env={}, user_file=tmp_path / "config.toml", project_file=None)


KEY = st.sampled_from([*KEYS, "models.7b.top_k", "[models.7b]\ntop_k"]) | st.text(max_size=8)
VALUE = st.one_of(
    st.sampled_from(["1", "true", "'ask'", "[]", "['a']", "0.5", "nan", "{a=1}", "1979-05-27", "'''\n'''", "-1"]),
    st.text(max_size=12),
)
LINES = st.lists(st.builds("{} = {}".format, KEY, VALUE) | st.text(max_size=20), max_size=5).map("\n".join)


@settings(deadline=None, max_examples=300)
@given(LINES | st.binary(max_size=60), st.booleans())
@example("x=" + "{a=" * 2000, False)
def test_any_file_gives_settings_or_a_config_problem(text: str | bytes, in_project: bool) -> None:
    # Anything else that is raised fails the test.
    with contextlib.suppress(ConfigProblem):
        loaded = read(project=text) if in_project and isinstance(text, str) else read(text)
        assert isinstance(loaded.settings, Settings)


@settings(deadline=None, max_examples=200)
@given(st.dictionaries(st.sampled_from([f"QAGENT_{key.upper()}" for key in KEYS]), st.text()), st.lists(st.text()))
def test_any_variables_give_settings_or_a_config_problem(env: dict[str, str], sets: list[str]) -> None:
    with contextlib.suppress(ConfigProblem):
        assert isinstance(read(env=env, sets=sets).settings, Settings)


# ------------------------------------------------------------------ the folders


def test_one_home_holds_everything(tmp_path: Path) -> None:
    found = folders({"QAGENT_HOME": str(tmp_path)})
    assert found == Folders(tmp_path, tmp_path / "data", tmp_path / "state")
    assert found.config_file == tmp_path / "config.toml"
    assert found.sessions == tmp_path / "data" / "sessions"
    assert list(tmp_path.iterdir()) == []


def test_without_it_the_xdg_folders_count(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path), "QAGENT_HOME": " ", "XDG_STATE_HOME": "relative"}
    usual = Folders(tmp_path / ".config/qagent", tmp_path / ".local/share/qagent", tmp_path / ".local/state/qagent")
    assert folders(home) == usual
    named = {f"XDG_{name}_HOME": str(tmp_path / name) for name in ("CONFIG", "DATA", "STATE")}
    assert folders(named) == Folders(*(tmp_path / name / "qagent" for name in ("CONFIG", "DATA", "STATE")))


@pytest.mark.parametrize(
    ("env", "what"),
    [
        ({}, "HOME is not set"),
        ({"HOME": ""}, "HOME is not set"),
        ({"HOME": "/dev/null"}, "/dev/null is not a folder"),
        ({"QAGENT_HOME": "~/q"}, "not an absolute path"),
        ({"QAGENT_HOME": "/dev/null/x"}, "/dev/null is not a folder"),
        ({"QAGENT_HOME": "/" + "x" * 5000}, "cannot look at"),
    ],
)
def test_no_home_is_told_with_the_way_out(env: dict[str, str], what: str) -> None:
    with pytest.raises(ConfigProblem, match=what) as caught:
        folders(env)
    assert "QAGENT_HOME" in caught.value.todo


def test_a_home_without_rights_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    if os.access(tmp_path, os.W_OK):
        pytest.skip("root may write everywhere")
    with pytest.raises(ConfigProblem, match="no right to write"):
        folders({"HOME": str(tmp_path)})
