"""Models outside the family: what kind a name tells of, and whether a raw ChatML prompt means anything to it.

In: a model's name, or the chat template that a server has for it. Out: a row, or None for a name that tells nothing.
A model that was not trained on ChatML must be sent messages instead, so that its server writes its own template.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """`pattern` is looked for in a name in lower case. chatml: trained on it. trained_tag: it knows `<tool_call>` from
    its training. completes_only: it completes text and follows no instructions, so it gets no tools."""

    name: str
    pattern: str
    reason: str
    chatml: bool = False
    trained_tag: bool = False
    completes_only: bool = False


def _word(*names: str) -> str:
    """A name that does not begin in the middle of another one: `llama`, and not `codellama` or `ollama`."""
    return rf"(?<![a-z])(?:{'|'.join(names)})"


KINDS = (
    # its distillations carry the name of what they were made from, and have its template
    Kind("DeepSeek", _word(r"deepseek"), "### Instruction, or <｜User｜>"),
    # trained on ChatML; before the others, since their names may hold those too
    Kind("Qwen 3 Coder", _word(r"qwen[-_ ]?3[-_ ]?coder"), "ChatML; its own calls are <function=…> in tags", True),
    Kind("Qwen", _word(r"qwen", r"qwq"), "ChatML; trained on calls in <tool_call> tags", True, trained_tag=True),
    Kind("CodeQwen", _word(r"codeqwen"), "ChatML", True),
    Kind("Hermes", _word(r"(?:open|nous)?-?hermes"), "ChatML; trained on <tool_call> tags", True, trained_tag=True),
    Kind("Dolphin", _word(r"dolphin"), "ChatML, whatever it was made from", True),
    Kind("Yi", _word(r"yi(?=[-:_\d]|$)"), "ChatML", True),
    Kind("SmolLM", _word(r"smollm"), "ChatML", True),
    Kind("InternLM", _word(r"internlm"), "ChatML", True),
    # completes text
    Kind("StarCoder", _word(r"starcoder"), "completes code and follows no instructions", completes_only=True),
    Kind("CodeGen", _word(r"codegen", r"santacoder", r"stable-code"), "completes code", completes_only=True),
    # templates of their own
    Kind("Code Llama", _word(r"codellama", r"code-llama"), "[INST] … [/INST]"),
    Kind("Llama", _word(r"(?:tiny|meta-?)?llama"), "<|start_header_id|> or [INST], never ChatML"),
    Kind("Mistral", _word(r"mistral", r"mixtral", r"ministral", r"magistral", r"codestral", r"devstral"), "[INST]"),
    Kind("Gemma", _word(r"gemma", r"codegemma"), "<start_of_turn>"),
    Kind("Phi", _word(r"phi(?=[-:_\d]|$)"), "<|user|>; Phi 4 has <|im_sep|> where ChatML has a newline"),
    Kind("Granite", _word(r"granite"), "<|start_of_role|>"),
    Kind("GPT-OSS", _word(r"gpt-?oss"), "the harmony format, <|start|> and <|channel|>"),
    Kind("GLM", _word(r"(?:chat)?glm", r"codegeex"), "[gMASK]<sop><|user|>"),
    Kind("Command", _word(r"command", r"aya"), "<|START_OF_TURN_TOKEN|>"),
    Kind("Falcon", _word(r"falcon"), "User: and Assistant:, later <|user|>"),
    Kind("Vicuna", _word(r"vicuna", r"wizard"), "USER: and ASSISTANT:, or ### Instruction"),
    Kind("OLMo", _word(r"olmo", r"tulu"), "<|user|>"),
    Kind("Zephyr", _word(r"zephyr"), "<|user|>"),
)
"""Sources: the chat templates that these models were published with. The first that fits counts."""


def kind_of(model: str) -> Kind | None:
    """What a name tells: of `hf.co/user/Llama-3-8B-GGUF` the last part counts first, then the whole."""
    name = model.lower()
    for text in (name.rstrip("/").rpartition("/")[2], name):
        for kind in KINDS:
            if re.search(kind.pattern, text):
                return kind
    return None


def speaks_chatml(template: str) -> bool | None:
    """Whether a chat template is ChatML; None for an empty one, or one that only passes the prompt on.

    Phi 4's has `<|im_start|>` too, with `<|im_sep|>` behind the role.
    """
    plain = re.sub(r"\s+", "", template)
    if plain in ("", "{{.Prompt}}"):
        return None
    return "<|im_start|>" in plain and "<|im_sep|>" not in plain
