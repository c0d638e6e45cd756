"""A tool's parameters as a JSON schema, for programs and servers; the model itself never sees one. Pure."""

from __future__ import annotations

from typing import Any

from qagent.types import Parameter, ToolSpec


def json_schema(spec: ToolSpec) -> dict[str, Any]:
    """`forms` become an `anyOf` of what is required beside the parameters that always are."""
    properties = {parameter.name: _property(parameter) for parameter in spec.parameters or ()}
    required = [parameter.name for parameter in spec.parameters or () if parameter.required]
    schema: dict[str, Any] = {"type": "object", "properties": properties, "required": required}
    if spec.forms:
        schema["anyOf"] = [{"required": list(form)} for form in spec.forms]
    return schema


def _property(parameter: Parameter) -> dict[str, Any]:
    """JSON Schema has no type for "any": leaving it out says that."""
    kind = {} if parameter.type == "any" else {"type": parameter.type}
    return {**kind, "description": parameter.words}
