from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qagent.qwen.outside import KINDS, kind_of, speaks_chatml


@pytest.mark.parametrize(
    ("model", "kind", "chatml"),
    [
        ("qwen2.5:7b", "Qwen", True),
        ("Qwen/Qwen2.5-7B-Instruct", "Qwen", True),
        ("qwq:32b", "Qwen", True),
        ("qwen3-coder:30b", "Qwen 3 Coder", True),
        ("codeqwen:7b", "CodeQwen", True),
        ("nous-hermes2:10.7b", "Hermes", True),
        ("openhermes:7b", "Hermes", True),
        ("dolphin-llama3:8b", "Dolphin", True),
        ("dolphin-mixtral:8x7b", "Dolphin", True),
        ("yi-coder:9b", "Yi", True),
        ("smollm2:1.7b", "SmolLM", True),
        ("codellama:34b", "Code Llama", False),
        ("llama3.1:8b", "Llama", False),
        ("tinyllama:1.1b", "Llama", False),
        ("hf.co/bartowski/Meta-Llama-3-8B-Instruct-GGUF:Q4_K_M", "Llama", False),
        ("mistral-nemo:12b", "Mistral", False),
        ("codestral:22b", "Mistral", False),
        ("devstral", "Mistral", False),
        ("gemma2:9b", "Gemma", False),
        ("codegemma:7b", "Gemma", False),
        ("deepseek-coder:6.7b", "DeepSeek", False),
        ("deepseek-r1-distill-qwen:7b", "DeepSeek", False),
        ("phi4:14b", "Phi", False),
        ("phi:2.7b", "Phi", False),
        ("starcoder2:15b", "StarCoder", False),
        ("granite-code:8b", "Granite", False),
        ("gpt-oss:20b", "GPT-OSS", False),
        ("command-r:35b", "Command", False),
    ],
)
def test_a_name_tells_what_kind_of_model_it_is(model: str, kind: str, chatml: bool) -> None:
    found = kind_of(model)
    assert found is not None
    assert (found.name, found.chatml) == (kind, chatml)


@pytest.mark.parametrize(
    "model",
    ["", "model", "the-team-s-coder", "ollama-model", "sophia:7b", "delphi", "yields", "graphite", "x/y:latest"],
)
def test_a_name_that_tells_nothing_is_no_kind(model: str) -> None:
    assert kind_of(model) is None


def test_what_completes_text_is_told_apart_from_what_follows_instructions() -> None:
    assert [kind.name for kind in KINDS if kind.completes_only] == ["StarCoder", "CodeGen"]
    assert all(not (kind.completes_only and kind.chatml) for kind in KINDS)
    assert all(kind.reason and re.compile(kind.pattern) for kind in KINDS)


@pytest.mark.parametrize(
    ("template", "chatml"),
    [
        ("<|im_start|>system\n{{ .System }}<|im_end|>", True),
        ("{% for m in messages %}{{'<|im_start|>' + m['role']}}{% endfor %}", True),
        ("<|im_start|>user<|im_sep|>{{ .Prompt }}<|im_end|>", False),
        ("[INST] {{ .System }} {{ .Prompt }} [/INST]", False),
        ("<start_of_turn>user\n{{ .Prompt }}<end_of_turn>", False),
        ("{{ .Prompt }}", None),
        (" {{  .Prompt  }}\n", None),
        ("", None),
    ],
)
def test_a_template_tells_for_sure(template: str, chatml: bool | None) -> None:
    assert speaks_chatml(template) is chatml


@given(st.text())
def test_any_name_and_any_template_is_read(text: str) -> None:
    kind_of(text)
    speaks_chatml(text)
