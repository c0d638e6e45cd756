"""What servers that speak OpenAI's protocol say when they refuse, as errors for people, and what a second try may do.

In: a refusal as `refusal.read_refusal` gives it. Out: one UserFacing error, or how to ask again. Words seen: vLLM's
(vllm/renderers/params.py, vllm#42474), SGLang's, llama.cpp's (b11549), LM Studio's (lmstudio-bug-tracker#237, #618,
#2256; opencode#11141). LM Studio refuses with status 200.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType

from qagent.errors import ConfigProblem, ModelMissing, NoSuchRoute, ToolsUnsupported, UserFacing
from qagent.models.openai_servers import Body
from qagent.models.refusal import Server, Told, explain

WINDOW = re.compile(
    r"maximum context length|context_length_exceeded|exceeds the available context size|context size has been exceeded"
    r"|longer than the (?:model's )?context length|context length of only|n_keep .* n_ctx|maximum model length"
)
REPLY = re.compile(r"output tokens|(?:in|for) the completion|max_(?:completion_)?tokens")
"""vLLM and SGLang refuse a prompt that fits when the longest reply does not fit behind it."""

WINDOW_TOKENS = re.compile(r"(?:maximum context length (?:is|of)|context length of only) (\d{1,9})")
PROMPT_TOKENS = re.compile(
    r"(?:contains (?:at least )?|your request has |keep the first )(\d{1,9})"
    r"|(\d{1,9}) (?:in the (?:messages|prompt)|tokens from the input)"
)
ASKED_TOKENS = re.compile(r"you requested (\d{1,9}) tokens")
NO_TOOLS = re.compile(
    r"does not support tools?|tools? (?:is|are) not supported|enable-auto-tool-choice|tools? param requires --jinja"
)
NO_MODEL = re.compile(r"model\b.*\b(?:does not exist|not found|is not loaded|not a valid)|no models? (?:is )?loaded")
NO_ROUTE = re.compile(r"unexpected endpoint or method|method not allowed")

CHECK_ADDRESS = "check the address: it usually ends in /v1"
OTHER_ENDPOINT = MappingProxyType(
    {
        "/v1/completions": '`endpoint = "auto"` would use its chat endpoint',
        "/v1/chat/completions": '`endpoint = "completions"` would send it qagent\'s own prompt',
    }
)
"""By the path that is not there: how another one is chosen."""

SMALLEST_REPLY = 512
"""A longest reply below this many tokens is no help; then the window counts as full."""

FIELDS_REFUSED = (400, 422)
"""What strict servers answer to a field that they do not know."""


def explained(told: Told, server: Server) -> UserFacing:
    """The error for a refusal. ModelMissing comes without the names that the server has."""
    for fits, made in _CASES:
        if fits(told, told.text.lower()):
            return made(told, server)
    return explain(told, server)


def again(told: Told, body: Body) -> Body | None:
    """The same request made smaller, so that what was refused is gone: a shorter reply, or no extras. None: no use."""
    if told.status not in FIELDS_REFUSED:
        return None
    if _is_window(told, told.text.lower()):
        return _shorter(told, body)
    if any(fits(told, told.text.lower()) for fits, _ in _CASES):
        return None
    return body.without(told.text)


def _shorter(told: Told, body: Body) -> Body | None:
    prompt, window = _numbers(told)
    asked = body.fields.get("max_tokens")
    if not REPLY.search(told.text) or not isinstance(asked, int) or asked < 2 * SMALLEST_REPLY:
        return None
    if prompt and window and prompt > window - SMALLEST_REPLY:
        return None
    return replace(body, fields={**body.fields, "max_tokens": asked // 2})


def _numbers(told: Told) -> tuple[int | None, int | None]:
    window, prompt = WINDOW_TOKENS.search(told.text), PROMPT_TOKENS.search(told.text)
    return (
        told.prompt_tokens or (int(prompt[1] or prompt[2]) if prompt else None),
        told.window or (int(window[1]) if window else None),
    )


def _is_window(told: Told, text: str) -> bool:
    return told.type == "exceed_context_size_error" or bool(WINDOW.search(text))


def _window(told: Told, server: Server) -> UserFacing:
    prompt, window = _numbers(told)
    asked = ASKED_TOKENS.search(told.text)
    numbers = (prompt, window, int(asked[1]) if asked else None)
    return explain(Told(None, told.text, "exceed_context_size_error", *numbers), server)


def _no_tools(told: Told, server: Server) -> UserFacing:
    return ToolsUnsupported(
        f"chat only: the model on {server.url} takes no native tools ({told.text})",
        todo="leave native tools out: qagent describes its tools in the prompt and reads the calls itself",
    )


def _sign_in(told: Told, server: Server) -> UserFacing:
    return ConfigProblem(
        f"the server at {server.url} does not let this request in ({told.status}): {told.text}",
        todo=server.sign_in,
    )


def _no_model(told: Told, server: Server) -> UserFacing:
    return ModelMissing(
        f"the server at {server.url} does not have the model: {told.text}", todo="choose another (`-m`)"
    )


def _no_route(told: Told, server: Server) -> UserFacing:
    return NoSuchRoute(f"the server at {server.url} does not answer there: {told.text}", todo=CHECK_ADDRESS)


def no_route(path: str, status: int | None, server: Server) -> NoSuchRoute:
    """The error for a path that the server does not have, and which setting would take another one."""
    told = f" (it answered {status})" if status else ""
    other = OTHER_ENDPOINT.get(path)
    return NoSuchRoute(
        f"the server at {server.url} has no {path}{told}",
        todo=f"{CHECK_ADDRESS}; {other}" if other else CHECK_ADDRESS,
    )


_CASES: tuple[tuple[Callable[[Told, str], bool], Callable[[Told, Server], UserFacing]], ...] = (
    (_is_window, _window),
    (lambda told, text: bool(NO_TOOLS.search(text)), _no_tools),
    (lambda told, text: told.status in (401, 403), _sign_in),
    (lambda told, text: told.status in (400, 404, None) and bool(NO_MODEL.search(text)), _no_model),
    (lambda told, text: told.status in (404, 405, 501) or bool(NO_ROUTE.search(text)), _no_route),
)
"""The first that fits wins: what the words say comes before what the status says."""
