"""A small byte-level BPE vocabulary with Qwen2.5's added tokens: any text goes in and comes out unchanged.

A few merges keep common words of code and of prompts in one token, so that prompts are not absurdly long; beside them
stands every single byte. The ids differ from Qwen's, the order and the types of the added tokens do not.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

NORMAL, CONTROL, USER_DEFINED = 1, 3, 4
"""GGUF's token types. Control tokens are matched in a prompt and print as nothing; user-defined ones print as text."""

CONTROL_TOKENS: Final = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|object_ref_start|>",
    "<|object_ref_end|>",
    "<|box_start|>",
    "<|box_end|>",
    "<|quad_start|>",
    "<|quad_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
TEXT_TOKENS: Final = (
    "<tool_call>",
    "</tool_call>",
    "<|fim_prefix|>",
    "<|fim_middle|>",
    "<|fim_suffix|>",
    "<|fim_pad|>",
    "<|repo_name|>",
    "<|file_sep|>",
)
"""Follow the control tokens; in the real tokenizer these are ordinary, printable added tokens."""

_WORDS: Final = """
    the and to of in is for with that this you are not it as be on or if else elif while return def class self import
    from try except raise async await const let var new function public static void int str bool float none true false
    file files line lines path content text string number type name value error result list dict test tests print
    user assistant system tool tools arguments read write edit run search replace command query code answer task
    please one only use each must call before after change changed done found
"""


def byte_alphabet() -> tuple[str, ...]:
    """The printable stand-in for each byte, as GPT-2's tokenizer has it: itself if visible, else from U+0100 on."""
    visible = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    spare = iter(range(0x100, 0x200))
    return tuple(chr(byte if byte in visible else next(spare)) for byte in range(0x100))


def spelled(text: str) -> str:
    """`text` as an ordinary token spells it."""
    alphabet = byte_alphabet()
    return "".join(alphabet[byte] for byte in text.encode())


class Vocabulary:
    """`extra`: texts that become one user-defined token each, found anywhere in a prompt, the longest first."""

    def __init__(self, extra: Iterable[str] = ()) -> None:
        self.types: dict[str, int] = dict.fromkeys(byte_alphabet(), NORMAL)
        self.merges: dict[str, None] = {}
        for word in _WORDS.split():
            self._learn(spelled(word))
            self._learn(spelled(f" {word}"))
        self._learn(spelled(" " * 8))
        self.types |= dict.fromkeys(CONTROL_TOKENS, CONTROL) | dict.fromkeys(TEXT_TOKENS, USER_DEFINED)
        for text in extra:
            self._define(text)
        self.ids = {token: at for at, token in enumerate(self.types)}

    def _learn(self, word: str) -> None:
        """The merges that build a word from its left end."""
        for end in range(2, len(word) + 1):
            self.types.setdefault(word[:end], NORMAL)
            self.merges.setdefault(f"{word[: end - 1]} {word[end - 1]}")

    def _define(self, text: str) -> None:
        if text in CONTROL_TOKENS:
            return
        if text in self.types and spelled(text) != text:
            raise ValueError(f"{text!r} is how the vocabulary spells other bytes")
        self.types[text] = USER_DEFINED

    @property
    def newline(self) -> int:
        return self.ids[spelled("\n")]
