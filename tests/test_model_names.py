from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qagent.errors import ModelMissing
from qagent.models.names import InstalledModel, canonical, choose, resolve

GB = 10**9
SIZES = {"0.5b": 398, "1.5b": 986, "3b": 1_930, "7b": 4_683, "14b": 8_988, "32b": 19_851}


def installed(*names: str) -> list[InstalledModel]:
    return [
        InstalledModel(name, 1_000_000 * SIZES.get(name.partition(":")[2].partition("-")[0], 4_683)) for name in names
    ]


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("qwen2.5-coder:32b", "qwen2.5-coder:32b"),
        ("qwen2.5-coder-32b", "qwen2.5-coder:32b"),
        ("QWEN2.5-Coder:32B", "qwen2.5-coder:32b"),
        ("qwen2.5-coder-32b-instruct", "qwen2.5-coder:32b"),
        ("qwen2.5-coder:32b-instruct", "qwen2.5-coder:32b"),
        ("Qwen/Qwen2.5-Coder-32B-Instruct", "qwen2.5-coder:32b"),
        ("Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF", "qwen2.5-coder:0.5b"),
        ("qwen-2.5-coder-1.5b", "qwen2.5-coder:1.5b"),
        ("Qwen 2.5 Coder 7B", "qwen2.5-coder:7b"),
        ("  qwen2.5-coder:7b  ", "qwen2.5-coder:7b"),
        ("qwen2.5-coder", "qwen2.5-coder"),
        ("qwen2.5-coder:latest", "qwen2.5-coder:latest"),
        ("qwen2.5-coder:7b-base", "qwen2.5-coder:7b-base"),
        ("qwen2.5-coder-7b-base", "qwen2.5-coder:7b-base"),
        ("qwen2.5-coder:7b-instruct-q4_K_M", "qwen2.5-coder:7b-instruct-q4_K_M"),
        ("qwen2.5-coder-7b-Instruct-q4_K_M", "qwen2.5-coder:7b-instruct-q4_K_M"),
        ("hf.co/Qwen/Qwen2.5-Coder-7B-Instruct-GGUF:Q4_K_M", "hf.co/Qwen/Qwen2.5-Coder-7B-Instruct-GGUF:Q4_K_M"),
        ("hhao/qwen2.5-coder-tools:7b", "hhao/qwen2.5-coder-tools:7b"),
        ("registry.example/me/qwen2.5-coder:7b", "registry.example/me/qwen2.5-coder:7b"),
        ("llama3.1:8b", "llama3.1:8b"),
        ("qwen2.5:7b", "qwen2.5:7b"),
        ("7b", "qwen2.5-coder:7b"),
        (" 32B ", "qwen2.5-coder:32b"),
        ("0.5b", "qwen2.5-coder:0.5b"),
        ("8b", "8b"),
    ],
)
def test_spellings_of_one_model_are_one_name(name: str, same: str) -> None:
    assert canonical(name) == same


@given(
    st.text(max_size=40) | st.from_regex(r"(?i)(qwen/)?qwen2\.5-coder[-:](7|32)b(-[a-z_0-9]{1,8}){0,3}", fullmatch=True)
)
def test_a_canonical_name_stays_as_it_is(name: str) -> None:
    assert canonical(canonical(name)) == canonical(name)


@pytest.mark.parametrize(
    ("wanted", "there", "found"),
    [
        ("qwen2.5-coder:7b", ["qwen2.5-coder:7b", "qwen2.5-coder:32b"], "qwen2.5-coder:7b"),
        ("qwen2.5-coder-7b", ["qwen2.5-coder:7b"], "qwen2.5-coder:7b"),
        ("qwen2.5-coder:7b-instruct", ["qwen2.5-coder:7b"], "qwen2.5-coder:7b"),
        ("qwen2.5-coder:7b", ["qwen2.5-coder:7b-instruct"], "qwen2.5-coder:7b-instruct"),
        ("qwen2.5-coder:7b-instruct", ["qwen2.5-coder:7b", "qwen2.5-coder:7b-instruct"], "qwen2.5-coder:7b-instruct"),
        ("qwen2.5-coder", ["qwen2.5-coder:latest"], "qwen2.5-coder:latest"),
        ("qwen2.5-coder:latest", ["qwen2.5-coder"], "qwen2.5-coder"),
        ("7B", ["qwen2.5-coder:7b"], "qwen2.5-coder:7b"),
        ("7b", ["qwen2.5-coder:7b", "7b:latest"], "7b:latest"),
        ("mine", ["mine:latest"], "mine:latest"),
        ("Mine:Q4_K_M", ["mine:q4_k_m"], "mine:q4_k_m"),
        ("hhao/Qwen2.5-Coder-tools:7b", ["hhao/qwen2.5-coder-tools:7b"], "hhao/qwen2.5-coder-tools:7b"),
    ],
)
def test_a_wanted_model_is_found_under_the_servers_name(wanted: str, there: list[str], found: str) -> None:
    assert resolve(wanted, installed(*there)) == found


@pytest.mark.parametrize("wanted", ["qwen2.5-coder:14b", "qwen2.5-coder-14b", "Qwen/Qwen2.5-Coder-14B-Instruct"])
def test_a_missing_model_is_named_with_the_nearest_and_the_command_that_gets_it(wanted: str) -> None:
    there = installed("llama3.1:8b", "qwen2.5-coder:7b", "qwen2.5-coder:32b", "qwen2.5-coder:1.5b", "gemma:2b")
    with pytest.raises(ModelMissing) as caught:
        resolve(wanted, there)
    for name in ("qwen2.5-coder:7b", "qwen2.5-coder:32b", "qwen2.5-coder:1.5b"):
        assert name in caught.value.what
    assert "llama" not in caught.value.what
    assert "`ollama pull qwen2.5-coder:14b`" in caught.value.todo


@pytest.mark.parametrize(
    ("wanted", "near", "todo"),
    [
        ("qwen2.5-coder:7", "qwen2.5-coder:7b,", "choose another with `-m NAME`"),
        ("qwen2.5", "qwen2.5-coder:7b, qwen2.5-coder:1.5b, qwen2.5-coder:32b", "choose another with `-m NAME`"),
        ("gem", "gemma:2b,", "choose another with `-m NAME`"),
        ("x; rm", "", "choose another with `-m NAME`"),
        ("", "", "choose another with `-m NAME`"),
        ("3b", "", "get it with `ollama pull qwen2.5-coder:3b`, or choose another with `-m NAME`"),
        ("mistral:7b", "", "get it with `ollama pull mistral:7b`, or choose another with `-m NAME`"),
        ("hf.co/a/b", "", "get it with `ollama pull hf.co/a/b`, or choose another with `-m NAME`"),
    ],
)
def test_what_is_proposed_exists_and_only_a_real_name_is_pulled(wanted: str, near: str, todo: str) -> None:
    there = installed("gemma:2b", "qwen2.5-coder:7b", "qwen2.5-coder:32b", "qwen2.5-coder:1.5b")
    with pytest.raises(ModelMissing) as caught:
        resolve(wanted, there)
    assert f"the nearest it has: {near}" in caught.value.what
    assert set(caught.value.what.partition("has: ")[2].split(", ")) <= {model.name for model in there}
    assert caught.value.todo == todo


def test_a_server_without_models_is_told_what_to_pull() -> None:
    with pytest.raises(ModelMissing, match="has no model") as caught:
        resolve("qwen2.5-coder:7b", [])
    assert caught.value.todo == "get it with `ollama pull qwen2.5-coder:7b`"
    with pytest.raises(ModelMissing) as caught:
        resolve("gem", [])
    assert caught.value.todo == "get one with `ollama pull qwen2.5-coder:7b`"


ALL = ("qwen2.5-coder:0.5b", "qwen2.5-coder:1.5b", "qwen2.5-coder:3b", "qwen2.5-coder:7b", "qwen2.5-coder:14b")


@pytest.mark.parametrize(
    ("there", "memory", "window", "chosen"),
    [
        ([*ALL, "qwen2.5-coder:32b"], 64 * GB, 32_768, "qwen2.5-coder:32b"),
        ([*ALL, "qwen2.5-coder:32b"], 24 * GB, 32_768, "qwen2.5-coder:14b"),
        (ALL, 16 * GB, 32_768, "qwen2.5-coder:7b"),
        (ALL, 16 * GB, 8_192, "qwen2.5-coder:14b"),
        (ALL, 8 * GB, 32_768, "qwen2.5-coder:7b"),
        (ALL, 4 * GB, 8_192, "qwen2.5-coder:3b"),
        (ALL, GB, 32_768, "qwen2.5-coder:0.5b"),
        ([*ALL, "qwen2.5-coder:32b"], None, 32_768, "qwen2.5-coder:7b"),
        (["qwen2.5-coder:1.5b", "qwen2.5-coder:3b", "qwen2.5-coder:14b"], None, 32_768, "qwen2.5-coder:3b"),
        (["qwen2.5-coder:32b", "qwen2.5-coder:14b"], None, 32_768, "qwen2.5-coder:14b"),
        (["qwen2.5-coder:14b-base", "qwen2.5-coder:3b"], 64 * GB, 32_768, "qwen2.5-coder:3b"),
        (["qwen2.5-coder:7b-base"], 64 * GB, 32_768, None),
        (["qwen2.5-coder:7b-base-q8_0"], None, 32_768, None),
        (["qwen2.5-coder:7b-instruct-q4_K_M", "qwen2.5-coder:7b"], 64 * GB, 32_768, "qwen2.5-coder:7b"),
        (["qwen2.5-coder:7b", "qwen2.5-coder:7b-instruct"], None, 32_768, "qwen2.5-coder:7b"),
        (["hhao/qwen2.5-coder-tools:32b", "qwen2.5-coder:1.5b"], 64 * GB, 32_768, "qwen2.5-coder:1.5b"),
        (["hhao/qwen2.5-coder-tools:7b", "qwen2.5:7b"], 64 * GB, 32_768, "hhao/qwen2.5-coder-tools:7b"),
        (["qwen2.5-coder:latest"], 64 * GB, 32_768, "qwen2.5-coder:latest"),
        (["llama3.1:8b", "qwen2.5:7b"], 64 * GB, 32_768, None),
        ([], None, 32_768, None),
    ],
)
def test_the_largest_model_of_the_family_that_fits_is_chosen(
    there: list[str], memory: int | None, window: int, chosen: str | None
) -> None:
    assert choose(installed(*there), memory, window) == chosen
    assert choose(installed(*reversed(there)), memory, window) == chosen


def test_a_fine_quantisation_counts_with_its_own_size() -> None:
    there = [InstalledModel("qwen2.5-coder:7b-instruct-q8_0", 8 * GB), InstalledModel("qwen2.5-coder:3b", 2 * GB)]
    assert choose(there, 8 * GB, 8_192) == "qwen2.5-coder:3b"
    assert choose(there, 16 * GB, 8_192) == "qwen2.5-coder:7b-instruct-q8_0"


def test_a_window_of_its_own_can_make_a_model_fit() -> None:
    there = installed("qwen2.5-coder:7b", "qwen2.5-coder:32b")
    assert choose(there, 24 * GB, 32_768) == "qwen2.5-coder:7b"
    assert choose(there, 24 * GB, 32_768, {"qwen2.5-coder:32b": 8_192}) == "qwen2.5-coder:32b"
    assert choose(there, 24 * GB, 8_192, {"qwen2.5-coder:32b": 32_768}) == "qwen2.5-coder:7b"


def test_who_cannot_pull_is_not_told_to() -> None:
    with pytest.raises(ModelMissing) as caught:
        resolve("qwen2.5-coder:14b", installed("qwen2.5-coder:7b"), can_pull=False)
    assert caught.value.todo == "choose another with `-m NAME`"
    with pytest.raises(ModelMissing) as caught:
        resolve("qwen2.5-coder:14b", [], can_pull=False)
    assert caught.value.todo == "ask the server's operator what it serves"


def test_a_name_without_a_size_is_answered_with_the_sizes_that_are_there() -> None:
    there = installed("qwen2.5-coder:1.5b-base", "qwen2.5-coder:14b", "qwen2.5-coder:7b", "qwen2.5-coder:0.5b")
    with pytest.raises(ModelMissing) as caught:
        resolve("qwen2.5-coder", there)
    assert caught.value.what == (
        "'qwen2.5-coder' names no size; the server has qwen2.5-coder:7b, qwen2.5-coder:0.5b, qwen2.5-coder:14b"
    )
    assert caught.value.todo == "give the size: `-m qwen2.5-coder:7b`"
