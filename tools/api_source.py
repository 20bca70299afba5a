# SPDX-License-Identifier: Apache-2.0
"""What is public, read from the sources as they are written: nothing is imported."""

import ast
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from . import ROOT

_SECTIONS = ("Args:", "Attributes:", "Returns:", "Raises:", "Yields:")
OURS = {"DefaultMesh", "default_mesh", "VPOSER_SUFFIXES", "continuous_quaternions", "FORMATS", "require_format",
         "leg_scale", "status_counts"}  # fmt: skip
"""Of the extension: named in `__all__`, and no part of the page."""
_FIELDS_ONLY = {"BodyPoints", "Bones", "Kinematics", "BodyBalls", "Unknowns"}
"""Classes whose methods are the engine's."""
_INNER = {"deviation", "inputs", "believed", "normal"}
"""Methods that are public to neighbours alone."""


@dataclass(frozen=True)
class Public:
    """A public name, and where it is written."""

    name: str
    node: ast.FunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign
    module: str

    @property
    def doc(self) -> str:
        """The docstring; of a constant the text below it."""
        if isinstance(self.node, ast.FunctionDef | ast.ClassDef):
            return ast.get_docstring(self.node) or ""
        body = tree_of(self.module).body
        after = body[body.index(self.node) + 1 : body.index(self.node) + 2]
        return text_of(after[0]) if after else ""

    def faults(self) -> Iterator[str]:
        """What a reader would miss: docstrings, annotations."""
        if not self.doc:
            yield f"{self.module}.{self.name} has no docstring"
        for function in (self.node, *self.methods()) if not isinstance(self.node, ast.Assign | ast.AnnAssign) else ():
            if isinstance(function, ast.FunctionDef):
                yield from (f"{self.module}.{self.name}: {what}" for what in _unannotated(function))

    def methods(self) -> list[ast.FunctionDef]:
        """Public methods and properties that a class defines, and no base of it has described."""
        if not isinstance(self.node, ast.ClassDef) or self.name in _FIELDS_ONLY:
            return []
        described = {name for base in self.bases() for name in _described(self.module, base)}
        found = [node for node in self.node.body if isinstance(node, ast.FunctionDef)]
        return [node for node in found if not node.name.startswith("_") and node.name not in described | _INNER]

    def bases(self) -> list[str]:
        """Those that a class names; an `AutoEncoder` is a `Prior` too, which is a protocol."""
        named = [ast.unparse(base) for base in self.node.bases] if isinstance(self.node, ast.ClassDef) else []
        return [*named, "Prior"] if self.name == "AutoEncoder" else named


def publics(module: str, first: tuple[str, ...]) -> list[Public]:
    """The public names of a module, some of them first."""
    every = _all(module) or first
    if unknown := [name for name in first if name not in every]:
        raise KeyError(f"{module} does not name {unknown[0]} in __all__")
    names = (*first, *(name for name in every if name not in first and name not in OURS))
    return [Public(name, *definition(module, name)) for name in names]


def _unannotated(node: ast.FunctionDef) -> Iterator[str]:
    given = [a for a in (*node.args.args, *node.args.kwonlyargs) if a.arg not in ("self", "cls")]
    yield from (f"{node.name}'s {a.arg} has no annotation" for a in given if a.annotation is None)
    if node.returns is None:
        yield f"{node.name} does not say what it returns"
    if not ast.get_docstring(node):
        yield f"{node.name} has no docstring"


def _described(module: str, base: str) -> set[str]:
    """Names of the methods that a base, and its bases, have in this package."""
    try:
        node, where = definition(module, base.split("[")[0])
    except KeyError:
        return set()
    if not isinstance(node, ast.ClassDef):
        return set()
    own = {f.name for f in node.body if isinstance(f, ast.FunctionDef) and ast.get_docstring(f)}
    return own.union(*(_described(where, ast.unparse(above)) for above in node.bases))


def definition(module: str, name: str) -> tuple[ast.FunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign, str]:
    """Where a name that a module has is written.

    Raises:
        KeyError: it is not of this package.
    """
    for node in tree_of(module).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            return node, module
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        for target in targets:
            if name in [ast.unparse(t) for t in (target.elts if isinstance(target, ast.Tuple) else [target])]:
                assert isinstance(node, ast.Assign | ast.AnnAssign)
                return node, module
        if isinstance(node, ast.ImportFrom) and node.level:
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return definition(_absolute(module, node), alias.name)
    raise KeyError(f"{module} has no {name}")


def _absolute(module: str, node: ast.ImportFrom) -> str:
    package = module if _path(module).name == "__init__.py" else module.rpartition(".")[0]
    above = package.split(".")[: len(package.split(".")) - (node.level - 1)]
    return ".".join([*above, *([node.module] if node.module else [])])


def _all(module: str) -> tuple[str, ...]:
    for node in tree_of(module).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return tuple(ast.literal_eval(node.value))
    return ()


def text_of(node: ast.stmt) -> str:
    found = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    return node.value.value if found else ""  # type: ignore[attr-defined]


def _path(module: str) -> Path:
    place = ROOT.joinpath(*module.split("."))
    return place / "__init__.py" if place.is_dir() else place.with_suffix(".py")


@cache
def source_of(module: str) -> str:
    return _path(module).read_text(encoding="utf-8")


@cache
def tree_of(module: str) -> ast.Module:
    return ast.parse(source_of(module))


def sections_of(doc: str) -> dict[str, str]:
    parts = re.split(rf"^({'|'.join(_SECTIONS)})\n", doc, flags=re.M)
    return {
        title: textwrap.dedent(re.split(r"\n(?=\S)", text)[0])
        for title, text in zip(parts[1::2], parts[2::2], strict=True)
    }


def items_of(section: str) -> Iterator[tuple[str, str]]:
    """What a section says of each name."""
    for item in filter(None, re.split(r"\n(?=\S)", section.strip())):
        name, _, text = item.partition(":")
        yield name, joined(text)


def summary_of(doc: str) -> str:
    return joined(doc.split("\n\n")[0])


def joined(text: str) -> str:
    return " ".join(text.split())
