from __future__ import annotations

from pathlib import Path

import pytest
from by_route import LLAMA_3, ByRoute, ollama
from command import Ran, qagent

from qagent.config.settings import MODEL_KEYS
from qagent.qwen.profiles import HABITS, PROFILES
from qagent.testing import LoopbackOllama
from qagent.testing.openai import LoopbackOpenAI

Capture = pytest.CaptureFixture[str]
NOBODY = ("--host", "http://127.0.0.1:9")


@pytest.fixture
def config(nobodys_environment: Path) -> Path:
    """The person's config.toml, not there yet."""
    file = nobodys_environment / "qagent_home" / "config.toml"
    file.parent.mkdir()
    return file


def table(ran: Ran) -> dict[str, str]:
    """The lines of a page by their first word, that of a long value's second line left out."""
    lines = [line.strip().partition(" ") for line in ran.out.splitlines() if line.startswith("  ")]
    return {name: rest.strip() for name, _, rest in lines}


@pytest.mark.parametrize("size", PROFILES)
def test_a_size_s_row_is_shown_with_where_each_value_comes_from(capsys: Capture, size: str) -> None:
    ran = qagent(capsys, "models", "show", size, NOBODY)
    row, shown = PROFILES[size], table(ran)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(f"qwen2.5-coder:{size}: row {size}")
    assert set(MODEL_KEYS) - {"profile"} <= set(shown)
    assert shown["num_ctx"].startswith("32,768")
    assert shown["num_ctx"].endswith(row.source("window"))
    assert shown["edit_form"].split()[0] == row.edit_form
    assert row.source("call_form") in ran.out
    assert all(HABITS[habit] in ran.out for habit in row.habits)
    assert "from the server: no answer at http://127.0.0.1:9" in ran.out


def test_as_json_everything_is_one_object(capsys: Capture) -> None:
    said = qagent(capsys, "models", "show", "7b", "--json", NOBODY).json
    assert (said["exit"], said["reason"], said["model"], said["row"]) == (0, "done", "qwen2.5-coder:7b", "7b")
    assert said["values"]["temperature"] == {"value": 0.1, "origin": PROFILES["7b"].source("temperature")}
    assert set(MODEL_KEYS) - {"profile"} <= set(said["values"])
    assert said["tools"] == ["read_file", "edit_file", "write_file", "list_files", "search", "run"]
    assert set(said["habits"]) == set(PROFILES["7b"].habits)
    assert (said["server"], said["notices"]) == (None, [])
    assert "no answer at" in said["trouble"]
    assert said["route"]["path"] == "/api/generate"


def test_what_is_set_is_shown_with_its_place(capsys: Capture, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config.write_text('top_p = 0.7\n\n[models."7b"]\nnum_ctx = 8192\ntop_k = 3\n')
    monkeypatch.setenv("QAGENT_TOP_K", "4")
    said = qagent(capsys, "models", "show", "7b", "--json", "--set", "temperature=0", NOBODY).json
    found = {name: (line["value"], line["origin"]) for name, line in said["values"].items()}
    assert found["top_p"] == (0.7, f"{config}, line 1")
    assert found["num_ctx"] == (8_192, f"{config}, line 4")
    assert found["top_k"] == (4, "QAGENT_TOP_K")
    assert found["temperature"] == (0.0, "--set")
    assert found["endpoint"] == ("auto", "default")


def test_what_ollama_tells_is_shown(capsys: Capture) -> None:
    with LoopbackOllama([], models=("qwen2.5-coder:7b-instruct",)) as server:
        ran = qagent(capsys, "models", "show", "7b", "--host", server.url)
        missing = qagent(capsys, "models", "show", "14b", "--host", server.url)
    assert ran.out.startswith("qwen2.5-coder:7b-instruct: row 7b")
    assert "the server tells\n" in ran.out
    assert table(ran)["capabilities"] == "completion, insert"
    assert table(ran)["quantization"] == "Q4_K_M"
    assert missing.code == 0
    assert "from the server: the server has no model 'qwen2.5-coder:14b'" in missing.out


def test_a_model_outside_the_family_is_shown_as_it_would_be_asked(capsys: Capture) -> None:
    with ollama("llama3.1:8b", shown=LLAMA_3) as server:
        ran = qagent(capsys, "models", "show", "llama3.1:8b", "--host", server.url)
        said = qagent(capsys, "models", "show", "llama3.1:8b", "--json", "--host", server.url).json
    assert "row other (outside the family" in ran.out
    assert "POST http://127.0.0.1" in ran.out
    assert "/api/chat" in ran.out
    assert "! llama3.1:8b is not a Qwen 2.5 Coder model" in ran.err
    assert said["values"]["num_ctx"] == {"value": 4_096, "origin": "the server"}
    assert said["values"]["chatml"]["value"] is False
    assert said["values"]["stops"]["value"] == ["<|eot_id|>", "<|start_header_id|>"]
    assert (said["server"]["chatml"], said["server"]["context"]) == (False, 4_096)
    assert len(said["notices"]) == 2


def test_what_llama_cpp_and_openai_compatible_servers_tell_is_shown(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    props = {"chat_template": "{{ '<|im_start|>' }}", "default_generation_settings": {"n_ctx": 16_384}}
    with ByRoute({"/props": props}) as server:
        llama = qagent(capsys, "models", "show", "7b", "--server", "llamacpp", "--host", server.url)
    assert "context length" in llama.out
    assert "16,384" in llama.out
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    with LoopbackOpenAI([], window=24_576, key="sk-secret") as server:
        vllm = qagent(capsys, "models", "show", "7b", "--server", "openai", "--host", f"{server.url}/v1", "--json")
        monkeypatch.setenv("OPENAI_API_KEY", "sk-wrong")
        refused = qagent(capsys, "models", "show", "7b", "--server", "openai", "--host", server.url)
        assert server.asked == []
    assert vllm.json["server"]["context"] == 24_576
    assert vllm.json["model"] == "Qwen/Qwen2.5-Coder-7B-Instruct"
    assert vllm.json["route"]["path"] == "/v1/completions"
    assert (refused.code, "401" in refused.out) == (0, True)
    assert "sk-" not in vllm.out + vllm.err + refused.out + refused.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--host", "https://models.example"), "is not this machine"),
        (("--host", "not a host"), "is not a server's address"),
        (("--server", "openai", "--set", "api_key_env=NOT_SET"), "NOT_SET is not set"),
    ],
)
def test_a_server_that_cannot_be_asked_is_no_error(capsys: Capture, arguments: tuple[str, ...], words: str) -> None:
    ran = qagent(capsys, "models", "show", "7b", arguments)
    assert ran.code == 0
    assert "from the server: " in ran.out
    assert words in ran.out


@pytest.mark.parametrize("rubbish", ["[]", "{", '{"template": 3}', '{"capabilities": 1}', '{"model_info": []}', ""])
def test_whatever_a_server_tells_it_is_no_error(capsys: Capture, rubbish: str) -> None:
    with ollama("llama3.1:8b") as server:
        server.answers["/api/show"] = rubbish
        ran = qagent(capsys, "models", "show", "llama3.1:8b", "--host", server.url)
    assert ran.code == 0
    assert "from the server: " in ran.out


def test_wrong_settings_and_wrong_usage_have_their_exit_codes(capsys: Capture, config: Path) -> None:
    assert qagent(capsys, "models", "show").code == 2
    assert qagent(capsys, "models", "show", "7b", "--set", "temprature=1").code == 2
    config.write_text("[models.7b]\ntemprature = 1\n")
    ran = qagent(capsys, "models", "show", "7b")
    assert ran.code == 10
    assert f"{config}, line 2, in the table `7b`: there is no setting `temprature`" in ran.err


@pytest.mark.parametrize(
    ("name", "what"),
    [("", "name is empty"), (" ", "name is empty"), ("13b", "no size 13b"), ("70B", "no size 70B"), ("7", "no size 7")],
)
def test_a_name_that_can_only_be_a_slip_is_wrong_usage(capsys: Capture, name: str, what: str) -> None:
    ran = qagent(capsys, "models", "show", name, NOBODY)
    assert (ran.code, ran.out) == (2, "")
    assert what in ran.err


def test_an_empty_list_keeps_its_name(capsys: Capture, config: Path) -> None:
    config.write_text('[models."7b"]\nstops = []\n')
    ran = qagent(capsys, "models", "show", "7b", NOBODY)
    assert table(ran)["stops"].split() == ["none", f"{config},", "line", "2"]
    config.write_text('stops = ["a", "b", "a long text indeed"]\n')
    shown = qagent(capsys, "models", "show", "7b", NOBODY).out.splitlines()
    (at,) = [number for number, line in enumerate(shown) if line.startswith("  stops  ")]
    assert shown[at].split("  ")[-1].strip() == "a b a long text indeed"
    assert shown[at + 1].strip() == f"{config}, line 1"


def test_the_memory_that_a_model_needs_is_told_where_it_runs_here(capsys: Capture) -> None:
    ran = qagent(capsys, "models", "show", "7b", NOBODY)
    assert "needs about 4.7 GB (weights) + 1.9 GB (window) + 1.1 GB (rest) = 7.6 GB; " in ran.out
    small = qagent(capsys, "models", "show", "7b", NOBODY, "--set", "num_ctx=8192", "--json").json
    assert small["needs_bytes"] == {"weights": 4_680_000_000, "window": 57_344 * 8_192, "rest": 1 << 30}
    with LoopbackOllama([], models=(("qwen2.5-coder:7b", 8_100_000_000),)) as server:
        assert "8.1 GB (weights)" in qagent(capsys, "models", "show", "7b", "--host", server.url).out
    elsewhere = qagent(capsys, "models", "show", "7b", "--server", "openai", NOBODY, "--json").json
    assert elsewhere["needs_bytes"] is None
    assert "needs about" not in qagent(capsys, "models", "show", "mistral:7b", NOBODY).out


def test_where_a_value_comes_from_is_true_whatever_else_is_set(capsys: Capture) -> None:
    said = qagent(capsys, "models", "show", "7b", "--set", "num_ctx=16384", "--json", NOBODY).json
    assert said["values"]["reply_tokens"] == {"value": 4_096, "origin": "our choice: about 400 lines of code"}
    with LoopbackOpenAI([], window=8_192) as server:
        said = qagent(capsys, "models", "show", "7b", "--server", "openai", "--host", server.url, "--json").json
    assert said["values"]["num_ctx"] == {"value": 8_192, "origin": "the server"}
    assert said["values"]["reply_tokens"] == {"value": 2_048, "origin": "the server: a quarter of its window"}


def test_the_way_to_the_server_is_told_in_words(capsys: Capture) -> None:
    ran = qagent(capsys, "models", "show", "7b", "--server", "openai", "--host", "http://127.0.0.1:9/v1")
    assert "asked by POST http://127.0.0.1:9/v1/completions (OpenAI-compatible, with qagent's own prompt)" in ran.out
    assert table(ran)["window"] == "set when the server is started"
    assert {"tokens", "known"} <= table(ran).keys()


def test_the_group_alone_lists_its_commands(capsys: Capture) -> None:
    ran = qagent(capsys, "models")
    assert ran.code == 0
    assert "show" in ran.out


def test_what_would_colour_the_screen_is_shown_harmlessly(capsys: Capture) -> None:
    ran = qagent(capsys, "models", "show", "mistral\x1b[31m:7b", NOBODY)
    assert ran.code == 0
    assert "\x1b" not in ran.out + ran.err
