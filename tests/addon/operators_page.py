# SPDX-License-Identifier: Apache-2.0
"""The list of operators with all their parameters, as docs/scripting.md holds it, from what is registered."""

from collections.abc import Iterator
from typing import Any

import bpy

BEGIN, END = "<!-- the operators, from what is registered -->", "<!-- their end -->"
_ENDLESS = 1e9  # limits beyond are none


def listing() -> str:
    """Markdown of all operators but those that only the window uses."""
    names = [name for name in dir(bpy.ops.poise) if "INTERNAL" not in _options(name)]
    return "\n".join("\n".join(_operator(name)) for name in names)


def _options(name: str) -> set[str]:
    return getattr(getattr(bpy.types, f"POISE_OT_{name}"), "bl_options", set())


def _operator(name: str) -> Iterator[str]:
    rna = getattr(bpy.ops.poise, name).get_rna_type()
    shown = [p for p in rna.properties if p.identifier == "filepath" or not p.is_hidden]
    properties = sorted((p for p in shown if p.identifier != "rna_type"), key=lambda p: p.identifier)
    given = ", ".join(f"{p.identifier}={_value(p)}" for p in properties)
    yield f"### {rna.name}\n\n    bpy.ops.poise.{name}({given})\n\n{rna.description}.\n"
    for p in properties:
        text = "Of the file" if p.identifier == "filepath" else p.description
        yield f"- `{p.identifier}`: {'. '.join(part for part in (text, _choice(p)) if part)}."
    if properties:
        yield ""


def _value(p: Any) -> str:
    if p.type == "ENUM":
        return repr(set(p.default_flag) or set()) if p.is_enum_flag else f'"{p.default}"'
    if p.type == "STRING":
        return f'"{p.default}"'
    if p.type in ("INT", "FLOAT") and p.array_length:
        return f"({', '.join(f'{value:.4g}' for value in p.default_array)})"
    return f"{p.default:.4g}" if p.type == "FLOAT" else str(p.default)


def _choice(p: Any) -> str:
    if p.type == "ENUM":
        several = "Any of" if p.is_enum_flag else "One of"
        return f"{several} {', '.join(f'`{item.identifier}`' for item in p.enum_items)}"
    if p.type not in ("INT", "FLOAT"):
        return ""
    low = f"from {p.hard_min:g}" if p.hard_min > -_ENDLESS else ""
    high = f"to {p.hard_max:g}" if p.hard_max < _ENDLESS else ""
    return f"{low} {high}".strip().capitalize()
