# SPDX-License-Identifier: Apache-2.0
"""docs/api.md, made from the sources: `python -m tools.api_page` writes it, a test holds it to them.

Public is what a room's package names in `__all__`, and a few modules besides. Signatures, summaries, arguments and
fields are read from the code as it is written, nothing is imported.
"""

import ast
import re
import textwrap
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from . import ROOT
from .api_source import Public, definition, items_of, joined, publics, sections_of, source_of, summary_of, text_of

PAGE = ROOT / "docs" / "api.md"
_WIDTH = 110  # characters of a signature's line
_MADE = {"AutoEncoder", "VaePrior", "VPoserPrior", "GanPrior", "PriorModule", "Plausibility", "LivePose"}
"""Classes that functions make: how is no part of the page."""
_INTRO = """# The public API
What the [library](library.md) promises to keep, room by room. Names that are not here may change.

- Arrays are NumPy's; where it says `Array`, torch's too, and the answer is of the same kind, dtype and device.
  `...` in a shape is any batch.
- Metres, radians, seconds, hertz, pixels. Rotations are matrices `R_parent_child`, with
  `p_parent = R_parent_child @ p_child`; quaternions are w, x, y, z.
- Bodies rest Y up and face +Z; motion files are Z up.
- A pose `R` (..., 21, 3, 3) holds joints 1 to 21 of `BODY_JOINTS`, each relative to its parent; `R_local`
  (..., 22, 3, 3) begins with the root's orientation in the world.
- In targets and markers NaN is unseen. What is wrong with your input is a `PoiseError` of one line.

"""


@dataclass(frozen=True)
class Room:
    """A heading of the page: packages with `__all__`, or modules with names to show, in order."""

    title: str
    modules: dict[str, tuple[str, ...]]  # names that come first; of a module without `__all__` those that are public


ROOMS = (
    Room("Bodies", {"vendor_core.body": ("default_body", "load_body", "body_from_joints", "BodyModel")}),
    Room("Priors", {"vendor_core.prior": ("load_prior", "Prior", "AutoEncoder", "as_module", "PriorModule",
        "interpolate_poses", "inbetweens", "load_plausibility", "Plausibility", "repair", "variations")}),
    Room("Inverse kinematics", {
        "vendor_core.ik": ("solve", "fit_joints", "Solution", "Unknowns", "JointTargets", "SurfaceTargets",
            "RigidTargets", "OrientationTargets", "DirectionTargets", "LookTargets", "GroundTargets", "ImageTargets",
            "Camera", "LiveSolver", "LivePose", "Ground", "untangle", "gaps_of", "denoise", "Target", "Residual"),
        "vendor_core.ik.reference": ("minimise", "ReferenceStage", "ReferenceResult"),
    }),
    Room("Motion", {"vendor_core.motion": ("read_motion", "write_motion", "Motion"),
        "vendor_core.retarget": ("load_motion", "LoadedMotion")}),
    Room("Motion capture", {"vendor_core.mocap": ("read_take", "take_of_points", "solve_take", "TakeOptions",
        "TakeSolution", "calibrate_takes")}),
    Room("Training", {"vendor_core.training": ("train_prior",)}),
    Room("Evaluation", {"vendor_core.evaluation": ("evaluate", "read_evaluation_data", "EvaluationData",
        "table_text")}),
    Room("Rotations, joints, devices and errors", {
        "vendor_core.rotations": ("exp_so3", "log_so3", "rotation_from_6d", "rotation_angle", "matrix_to_quaternion",
            "quaternion_to_matrix", "nearest_rotation"),
        "vendor_core.skeleton": ("BODY_JOINTS", "JOINTS", "PARENTS", "JOINT_GROUPS", "mirrored_name"),
        "vendor_core.devices": ("chosen_device", "Device"),
        "vendor_core.errors": ("PoiseError", "BodyError", "PriorError", "MotionError", "C3DError", "LayoutError",
            "SubjectError", "TargetError", "Cancelled"),
    }),
)  # fmt: skip


def page() -> str:
    """The text of docs/api.md."""
    rooms = []
    for room in ROOMS:
        parts = [f"## {room.title}\n"]
        for module, first in room.modules.items():
            named = publics(module, first)
            parts.append(f"From `{module}`: {', '.join(f'`{public.name}`' for public in named)}.\n")
            parts += [_entry(public) for public in named]
        rooms.append("\n".join(parts))
    return _INTRO + "\n".join(rooms)


def _entry(public: Public) -> str:
    node = public.node
    if isinstance(node, ast.FunctionDef):
        return _block(_signature(node, public.module)) + _described_text(public.doc)
    if isinstance(node, ast.ClassDef):
        return _class(public, node)
    kind = f": {ast.unparse(node.annotation)}" if isinstance(node, ast.AnnAssign) else ""
    return f"`{public.name}{kind}`: {summary_of(public.doc)}\n"


def _class(public: Public, node: ast.ClassDef) -> str:
    bases = [ast.unparse(base) for base in node.bases if ast.unparse(base) not in ("Protocol", "ABC", "_Module")]
    if public.module.endswith(".errors"):
        return f"- `{public.name}({', '.join(bases)})` {summary_of(public.doc)}"
    init = next((f for f in node.body if isinstance(f, ast.FunctionDef) and f.name == "__init__"), None)
    if init is None or public.name in _MADE:
        fields = list(_fields(public.module, node))
        end = ":" if fields else f"({', '.join(bases)})" if bases else ""
        head = "\n".join([f"class {public.name}{end}", *fields])
    else:
        head = _signature(init, public.module, public.name)
    methods = []
    for method in public.methods():
        is_property = any("property" in ast.unparse(d) for d in method.decorator_list)
        line = _line(method, public.module)
        shown = f"{method.name}: {_type(method.returns)}" if is_property and method.returns else line
        methods.append(f"- `.{shown}` {summary_of(ast.get_docstring(method) or '')}\n")
    return _block(head) + _described_text(public.doc, brief=public.name in _MADE) + "".join(methods)


def _fields(module: str, node: ast.ClassDef) -> Iterator[str]:
    """Fields of a dataclass with the comments beside them, or the texts below, as comments."""
    lines = source_of(module).splitlines()
    told = dict(items_of(sections_of(ast.get_docstring(node) or "").get("Attributes:", "")))
    for i, field in enumerate(node.body):
        if not isinstance(field, ast.AnnAssign) or "init=False" in ast.unparse(field):
            continue
        if (name := ast.unparse(field.target)).startswith("_"):
            continue
        beside = re.search(r"#\s*(.*)", re.sub(r"# type: \S+\s*", "", lines[(field.end_lineno or 1) - 1]))
        below = joined(text_of(node.body[i + 1])) if i + 1 < len(node.body) else ""
        comment = told.get(name) or below or (beside.group(1) if beside else "")
        value = ""
        if field.value is not None and "field(" not in ast.unparse(field.value):
            value = f" = {_value(module, field.value)}"
        line = f"    {name}: {_type(field.annotation)}{value}"
        if comment and len(line) + len(comment) > _WIDTH:  # above it, as a formatter leaves it alone
            yield textwrap.fill(comment, _WIDTH, initial_indent="    # ", subsequent_indent="    # ")
        yield line + (f"  # {comment}" if comment and len(line) + len(comment) <= _WIDTH else "")


def _signature(node: ast.FunctionDef, module: str, name: str = "") -> str:
    """A function's head, on one line or with an argument a line."""
    line = _line(node, module, name)
    if len(line) <= _WIDTH:
        return line
    arguments = ",\n".join(f"    {part}" for part in _arguments(node, module))
    returns = f" -> {_type(node.returns)}" if node.returns and not name else ""
    return f"{name or node.name}(\n{arguments},\n){returns}"


def _line(node: ast.FunctionDef, module: str, name: str = "") -> str:
    returns = f" -> {_type(node.returns)}" if node.returns and not name else ""
    return f"{name or node.name}({', '.join(_arguments(node, module))}){returns}"


def _type(node: ast.expr) -> str:
    """An annotation, without the quotes of one that is not imported."""
    text = ast.unparse(node)
    return text.replace("'", '"') if "Literal" in text else text.replace("'", "")


def _value(module: str, node: ast.expr) -> str:
    """A default as one writes it; the number of a constant that has one."""
    if isinstance(node, ast.Name):
        with suppress(KeyError):
            found, _ = definition(module, node.id)
            if isinstance(found, ast.Assign) and isinstance(found.value, ast.Constant):
                node = found.value
    return ast.unparse(node).replace("'", '"')


def _arguments(node: ast.FunctionDef, module: str) -> list[str]:
    given = node.args.args[1:] if node.args.args and node.args.args[0].arg == "self" else node.args.args
    defaults = [None] * (len(given) - len(node.args.defaults)) + node.args.defaults[-len(given) or None :]
    found = []
    for argument, default in zip(given, defaults, strict=True):
        kind = f": {_type(argument.annotation)}" if argument.annotation else ""
        found.append(argument.arg + kind + ("" if default is None else f" = {_value(module, default)}"))
    return found


def _described_text(doc: str, brief: bool = False) -> str:
    """A summary, and what its sections say, as a list; of errors the kinds."""
    sections, lines = sections_of(doc), []
    if not brief:
        lines += [f"- `{name}`: {text}" for name, text in items_of(sections.get("Args:", ""))]
    if "Returns:" in sections:
        lines.append(f"- returns {joined(sections['Returns:'])}")
    if kinds := [] if brief else re.findall(r"^(\w+):", sections.get("Raises:", ""), re.M):
        lines.append(f"- raises {', '.join(f'`{kind}`' for kind in kinds)}")
    return summary_of(doc) + "\n" + ("\n" + "\n".join(lines) + "\n" if lines else "")


def _block(code: str) -> str:
    return f"```python\n{code}\n```\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
