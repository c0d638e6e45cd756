"""Joins the words of tools/*.toml with the functions behind them, by name. Types come from the functions alone.

A tool's function is `async (workspace, *, …arguments) -> ToolOutput`; its keyword parameters are what the model may
write. `ToolFailed` is how it says no.
"""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qagent.errors import ConfigProblem
from qagent.qwen import calls
from qagent.qwen.calls.schemas import json_schema as json_schema
from qagent.types import Parameter, Risk, ToolCall, ToolOutput, ToolSpec
from qagent.words import Words
from qagent.workspace.place import Workspace

if TYPE_CHECKING:
    from qagent.tools.reads import Known
    from qagent.tools.shell import Shell

Run = Callable[..., Awaitable[ToolOutput]]
Preview = Callable[..., str]

_JSON_TYPES: dict[Any, Any] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    list: "array",
    dict: "object",
}
_RISKS: tuple[Risk, ...] = ("read", "write", "command")


@dataclass(frozen=True, slots=True)
class Tool:
    """`preview` shows, as a diff, what a call would change; it changes nothing. `needs_read`: both take, behind the
    workspace, what the model has read. `doubt`: why a person should see a call though a rule allows it, or ""."""

    spec: ToolSpec
    run: Run
    preview: Preview | None = None
    needs_read: bool = False
    doubt: Preview | None = None


class Toolbox:
    """The tools of a session over one workspace, in the order in which the model sees them; it never changes."""

    def __init__(self, workspace: Workspace, tools: tuple[Tool, ...]) -> None:
        self.workspace = workspace
        self._tools = {tool.spec.name: tool for tool in tools}

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        return tuple(tool.spec for tool in self._tools.values())

    def spec(self, name: str) -> ToolSpec:
        return self._tools[name].spec

    def touches(self, call: ToolCall) -> str | None:
        """The file or folder that a call is about, links followed, relative to the workspace."""
        path = call.arguments.get("path")
        return self.workspace.touches(path) if isinstance(path, str) else None

    def preview(self, call: ToolCall, known: Known | None = None) -> str:
        """What the call would change, as a diff; "" when it changes nothing that can be shown. Raises ToolFailed."""
        tool = self._tools[call.name]
        return tool.preview(*self._given(tool, known), **call.arguments) if tool.preview else ""

    def doubt(self, call: ToolCall) -> str:
        """Why a person should see the call though a rule allows it, or ""."""
        tool = self._tools[call.name]
        return tool.doubt(self.workspace, **call.arguments) if tool.doubt else ""

    async def run(self, call: ToolCall, known: Known | None = None) -> ToolOutput:
        """`known`: what the model has read of files; None: nobody keeps that."""
        tool = self._tools[call.name]
        return await tool.run(*self._given(tool, known), **call.arguments)

    def _given(self, tool: Tool, known: Known | None) -> tuple[object, ...]:
        return (self.workspace, known) if tool.needs_read else (self.workspace,)


def standard_toolbox(workspace: Workspace, words: Words, shell: Shell | None = None) -> Toolbox:
    """The six tools. `shell` runs the commands; without one, a sandbox is looked for and nothing is granted."""
    from qagent.tools import edit, files, search
    from qagent.tools.shell import Shell

    functions: dict[str, tuple[Run, Preview | None]] = {
        "read_file": (files.read_file, None),
        "edit_file": (edit.edit_file, edit.preview_edit),
        "write_file": (files.write_file, files.preview_write),
        "list_files": (files.list_files, None),
        "search": (search.search, None),
        "run": ((shell or Shell()).run, None),
    }
    doubts: dict[str, Preview] = {"write_file": files.doubt_write, "edit_file": edit.doubt_edit}
    tools = (
        Tool(spec_of(name, run, words), run, show, needs_read=show is not None, doubt=doubts.get(name))
        for name, (run, show) in functions.items()
    )
    return Toolbox(workspace, tuple(tools))


def spec_of(name: str, run: Run, words: Words) -> ToolSpec:
    """What the model is told of a function, in the words of `tools/NAME.toml`."""
    table = words.tool(name)
    if table.get("risk") not in _RISKS or not isinstance(table.get("summary"), str):
        raise ConfigProblem(f"tools/{name}.toml needs a summary, and a risk out of {', '.join(_RISKS)}")
    spec = ToolSpec(
        name,
        table["summary"],
        _parameters(run, table.get("parameters", {}), name),
        tuple(map(tuple, table.get("forms", ()))),
        tuple(table.get("body", ())),
        table["risk"],
    )
    examples = tuple(_example(spec, example) for example in table.get("examples", ()))
    return ToolSpec(name, spec.summary, spec.parameters, spec.forms, spec.body, spec.risk, examples)


def _parameters(run: Run, words: Mapping[str, str], name: str) -> tuple[Parameter, ...]:
    hints = typing.get_type_hints(run)
    keywords = [p for p in inspect.signature(run).parameters.values() if p.kind is p.KEYWORD_ONLY]
    if {p.name for p in keywords} != set(words):
        raise ConfigProblem(f"tools/{name}.toml and the function {name} do not have the same parameters")
    return tuple(Parameter(p.name, _type(hints[p.name]), p.default is p.empty, words[p.name]) for p in keywords)


def _type(hint: Any) -> Any:
    if isinstance(hint, types.UnionType):
        hint = next(part for part in typing.get_args(hint) if part is not type(None))
    return _JSON_TYPES[typing.get_origin(hint) or hint]


def _example(spec: ToolSpec, table: Mapping[str, Any]) -> str:
    bare = calls.write(spec, {key: value for key, value in table.items() if key != "block"})
    block = str(table.get("block", "")).lstrip("\n")
    return f"{bare.removesuffix('</tools>')}{block}</tools>"


def signature(spec: ToolSpec) -> str:
    """One line that tells the model how to call the tool: a JSON schema would cost three times the tokens."""
    names = [p.name if p.required else f"{p.name}?" for p in spec.parameters or () if _in_header(spec, p)]
    block = " + block" if spec.body else ""
    return f"- {spec.name}({', '.join(names)}){block}: {spec.summary}"


def _in_header(spec: ToolSpec, parameter: Parameter) -> bool:
    """Long texts come as a block; `old` inside the JSON is read too, but not taught: it is code in JSON again."""
    return parameter.name not in spec.body and parameter.name != "old"
