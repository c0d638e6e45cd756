"""What a real server makes of our prompts: the same text as Qwen's chat template, and no control token but ours."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest
import tiny_qwen
from hypothesis import given, settings
from hypothesis import strategies as st
from llama_agent import agent_on, asked, git, place, repository_in, token_ids, token_pieces
from llama_fixtures import Script, StartLlama
from scripted_agent import BUGGY, DONE, EDIT, READ, RUN, call
from tiny_models import write_random
from tiny_vocab import CONTROL_TOKENS, TEXT_TOKENS

from qagent.qwen import chatml
from qagent.types import AssistantMessage, Message, SystemMessage, ToolResult, UserMessage
from qagent.wiring import prefix

pytestmark = pytest.mark.llamacpp

SPECIAL: Final = (*CONTROL_TOKENS, *TEXT_TOKENS)
"""The 22 tokens that Qwen2.5's tokenizer adds."""
SPELLINGS: Final = (*SPECIAL, "<tool_response>", "</tool_response>", "<~|im_end|>", "<~~tool_call>")
START, END = "<|im_start|>", "<|im_end|>"

# ------------------------------------------------------------------ the chat template

SYSTEM: Final = SystemMessage("You are qagent.\n\n# Tools\n- read_file(path): show a file\n")
FENCED: Final = r"""Here:
```python
def f() -> str:
    return f"{'a'}" + '''b\n'''
```
That is `f`, ``with ` in it``.
~~~
\n \\ {{ x }} {% y %} {# z #}
"""


def ask(text: str) -> UserMessage:
    return UserMessage(text)


def say(raw: str) -> AssistantMessage:
    return AssistantMessage(raw)


def result(text: str) -> ToolResult:
    return ToolResult("1.1", text)


CONVERSATIONS: Final[dict[str, list[Message]]] = {
    "one question": [SYSTEM, ask("What does calc.py do?")],
    "several turns": [SYSTEM, ask("Hi."), say("Hello."), ask("And?"), say("Nothing."), ask("Bye.")],
    "read, edit, run": [
        SYSTEM,
        ask("Fix it."),
        say(READ),
        result(BUGGY),
        say(EDIT),
        result("edited"),
        say(RUN),
        result("exit 0"),
    ],
    "results in a row": [
        SYSTEM,
        ask("All."),
        say(f"{READ}\n{READ}\n{READ}"),
        result("a"),
        result(""),
        result("c\n\n"),
        say("So."),
        ask("?"),
    ],
    "unicode": [
        SYSTEM,
        ask("Grüße 🙂 漢字 \u200b\u2028 e\u0301 𝄞 \u202e\t\x7f"),
        say("→ ✓ 漢"),
        result("\ufeffçå\r\n\x0b\x85"),
        say("fi"),
        ask("נ"),
    ],
    "blank texts": [SystemMessage(""), ask(""), say(""), ask("  \n "), say("\n\n"), result(""), say(" x "), ask("\n")],
    "prose and calls": [
        SYSTEM,
        ask("Both."),
        say(f"First I look.\n{READ}\nThen I wait. <tool_call> </tools>"),
        result("{}"),
        say(DONE),
        ask("ok"),
    ],
    "code": [
        SYSTEM,
        ask(FENCED),
        say(FENCED + call("write_file", FENCED, path="a.py")),
        result(FENCED),
        say(FENCED),
        ask(FENCED),
    ],
    "long": [
        SystemMessage("rule\n" * 200),
        *(m for n in range(40) for m in (ask(f"{n}?" * 20), say(READ), result("line\n" * n))),
        ask("end"),
    ],
    "marked": [
        SYSTEM,
        ask("What is " + " ".join(SPELLINGS)),
        say("Wait: <~|im_end|>"),
        result("".join(SPELLINGS)),
        result("no"),
        say("x"),
        ask("y"),
    ],
}


def as_chat(messages: Sequence[Message]) -> Iterator[dict[str, str]]:
    """The same conversation for a server that has the template."""
    for message in messages:
        match message:
            case SystemMessage(text):
                yield {"role": "system", "content": text}
            case UserMessage(text):
                yield {"role": "user", "content": chatml.mark(text)}
            case AssistantMessage(raw):
                yield {"role": "assistant", "content": raw}
            case ToolResult(_, text):
                yield {"role": "tool", "content": chatml.result_content(text)}


def templated(url: str, messages: Sequence[Message]) -> str:
    return asked(url, "/apply-template", messages=list(as_chat(messages)))["prompt"]


@pytest.mark.parametrize("messages", CONVERSATIONS.values(), ids=CONVERSATIONS)
def test_our_text_is_what_the_chat_template_makes(llama_server: StartLlama, messages: list[Message]) -> None:
    assert chatml.render(messages) == templated(llama_server().url, messages)


@pytest.mark.skipif("QWEN_TEMPLATE" not in os.environ, reason="QWEN_TEMPLATE names no file with the published template")
def test_our_text_is_what_the_published_template_makes(
    llama_server: StartLlama, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiny_qwen, "CHAT_TEMPLATE", Path(os.environ["QWEN_TEMPLATE"]))
    url = llama_server(write_random(tmp_path / "published.gguf")).url
    for messages in CONVERSATIONS.values():
        assert chatml.render(messages) == templated(url, messages)


# ------------------------------------------------------------------ control tokens


def special_ids(url: str) -> dict[int, str]:
    return dict(zip(token_ids(url, "".join(SPECIAL)), SPECIAL, strict=True))


def specials_in(url: str, text: str) -> list[tuple[int, str]]:
    """Where, counted in bytes, the server finds which special token in a prompt."""
    names, at = special_ids(url), 0
    found: list[tuple[int, str]] = []
    for number, piece in token_pieces(url, text):
        if number in names:
            found.append((at, names[number]))
        at += len(piece)
    assert at == len(text.encode())
    return found


def written_by_us(messages: Sequence[Message]) -> list[tuple[int, str]]:
    """Where the turns of a prompt begin and end, told from its growth alone: it only ever grows at its end."""
    ends = [at for at in range(1, len(messages) + 1) if not _both_results(messages[at - 1 : at + 1])]
    begins = [len(chatml.render(messages[:at]).encode()) - len(chatml.OPEN_TURN) for at in ends]
    tokens = [(0, START)]
    for begin in begins:
        tokens += [(begin - len(f"{END}\n"), END), (begin, START)]
    return tokens


def _both_results(pair: Sequence[Message]) -> bool:
    """Neighbouring results share a turn."""
    return len(pair) == 2 and all(isinstance(message, ToolResult) for message in pair)


def test_the_proof_would_see_a_control_token_in_foreign_text(llama_server: StartLlama) -> None:
    url = llama_server().url
    messages = [SYSTEM, ask("x")]
    broken = chatml.render(messages).replace("x", f"x{END}")
    assert specials_in(url, broken) != written_by_us(messages)
    assert [name for _, name in specials_in(url, "".join(SPECIAL))] == list(SPECIAL)


def test_only_our_own_control_tokens_are_in_a_prompt_full_of_special_spellings(
    llama_server: StartLlama, tmp_path: Path
) -> None:
    url = llama_server().url
    foreign = "\n".join((*SPELLINGS, "".join(SPELLINGS), *(f"a{spelling}b" for spelling in SPELLINGS)))
    (tmp_path / "AGENTS.md").write_text(f"Never write\n{foreign}\n")
    notes, _ = prefix(place(tmp_path))
    assert "<~|im_end|>" in notes
    messages = [
        SystemMessage(notes),
        ask(f"What does this mean?\n{foreign}"),
        say(READ),
        result(f"calc.py, lines 1-9 of 9\n{foreign}"),
        say(RUN),
        result(f"exit 1, 0.1 s\n{foreign}"),
        result(foreign),
        UserMessage(foreign, "harness"),
        say(DONE),
        ask(foreign),
    ]
    text = chatml.render(messages)
    assert specials_in(url, text) == written_by_us(messages)
    assert text.count("<tool_response>") == text.count("</tool_response>") == 3


FOREIGN: Final = st.lists(
    st.sampled_from([*SPELLINGS, "<", "|", ">", "~", "<|", "|>", "im_end", "<|im_", "\n", "é", "x"]), max_size=12
).map("".join)


@settings(max_examples=40, deadline=None)
@given(texts=st.lists(FOREIGN, min_size=3, max_size=3))
def test_no_foreign_text_makes_a_control_token(llama_server: StartLlama, texts: list[str]) -> None:
    messages = [SYSTEM, ask(texts[0]), say(READ), result(texts[1]), result(texts[2])]
    assert specials_in(llama_server().url, chatml.render(messages)) == written_by_us(messages)


# ------------------------------------------------------------------ a file that is full of them

PARTS: Final = "".join(f"    {spelling!r},\n" for spelling in SPELLINGS)
FILE: Final = f"LIMIT = 1\nWORDS = (\n{PARTS})\n# kept: {' '.join(SPELLINGS)}\n"
OLD: Final = f"LIMIT = 1\nWORDS = (\n    {SPELLINGS[0]!r},\n"
NEW: Final = f"LIMIT = 2  # all of {''.join(SPELLINGS)}\nWORDS = (\n"
REWRITE: Final = call(
    "edit_file",
    f"<<<<<<< SEARCH\n{chatml.mark(OLD)}=======\n{chatml.mark(NEW)}>>>>>>> REPLACE\n",
    path="words.py",
)
LOOK: Final = call("read_file", path="words.py")
SHOW: Final = call("run", command="cat words.py AGENTS.md")
SPOKEN: Final = Script(LOOK, {"LIMIT = 1": REWRITE, "edited words.py": SHOW, "exit 0": "The limit is 2."})


async def test_a_file_that_holds_every_special_spelling_is_read_and_edited(
    llama_server: StartLlama, tmp_path: Path
) -> None:
    url = llama_server(SPOKEN).url
    folder = repository_in(tmp_path, {"words.py": FILE, "AGENTS.md": f"Notes: {SPELLINGS}\n"})
    async with agent_on(url, folder) as agent:
        outcome = await agent.run(f"Raise the limit. {SPELLINGS}")
    assert (outcome.reason, outcome.answer) == ("done", "The limit is 2.")
    assert (folder / "words.py").read_text() == FILE.replace(OLD, NEW)
    messages = agent.session.messages
    assert sum(isinstance(message, ToolResult) and SPELLINGS[0] in message.text for message in messages) == 3
    for at in range(1, len(messages) + 1):
        assert specials_in(url, chatml.render(messages[:at])) == written_by_us(messages[:at])
    assert git(folder, "diff", "--numstat") == "1\t2\twords.py\n"
