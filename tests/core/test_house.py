# SPDX-License-Identifier: Apache-2.0
"""The rules of the house: who imports whom, what is imported when, headers, sizes, versions."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tests.core.conftest import REPO
from vendor_core import __version__

FLOORS = {
    1: {"arrays", "devices", "errors", "files", "frames", "linalg", "npz", "parallel", "pickles"}
    | {"rotations", "skeleton"},
    2: {"body"},
    3: {"motion", "prior"},
    4: {"ik"},
    5: {"mocap", "retarget"},
    6: {"training"},
    7: {"evaluation"},
    8: {"cli", "commands", "info", "job_params", "jobs", "probe", "take_jobs", "worker", "__main__"},
}
FLOOR_OF = {room: floor for floor, rooms in FLOORS.items() for room in rooms}
FOLDERS = ("addon", "vendor_core", "tests", "tools", "demo", "bench", "fuzz", "recipes", ".ci")
SOURCES = sorted(
    [path for folder in FOLDERS for path in (REPO / folder).rglob("*.py")] + [*REPO.glob("*.py"), REPO / ".ci" / "run"]
)
CORE = [path for path in SOURCES if (REPO / "vendor_core") in path.parents]
ADDON = [path for path in SOURCES if (REPO / "addon") in path.parents]


def name_of(path: Path) -> str:
    return path.relative_to(REPO).as_posix()


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """(line, module) of each import, relative ones resolved to a dotted name from the repository's root."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.lineno, node.module or ""
        elif isinstance(node, ast.ImportFrom):
            base = path.relative_to(REPO).parts[: -node.level]
            if node.module:
                yield node.lineno, ".".join((*base, node.module))
            else:  # from . import a, b
                yield from ((node.lineno, ".".join((*base, alias.name))) for alias in node.names)


def test_a_room_of_the_core_imports_only_from_floors_below() -> None:
    faults = []
    for path in CORE:
        room = path.relative_to(REPO / "vendor_core").parts[0].removesuffix(".py")
        for line, module in imports(path):
            top, *rest = module.split(".")
            if top == "vendor_core" and rest and rest[0] not in (room, "__version__"):
                allowed = room != "__init__" and _is_below(rest[0], room)
            else:
                allowed = top not in ("bpy", "mathutils", "bmesh", "gpu", "addon")
            if not allowed:
                faults.append(f"{name_of(path)}:{line} imports {module}")
    assert not faults


def _is_below(imported: str, room: str) -> bool:
    one_room = FLOOR_OF[imported] in (1, 8)  # the modules of these floors are one room
    return FLOOR_OF[imported] < FLOOR_OF[room] or (one_room and FLOOR_OF[imported] == FLOOR_OF[room])


def test_own_packages_are_imported_relatively() -> None:
    faults = []
    for path in CORE + ADDON:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            if {name.split(".")[0] for name in names} & {"vendor_core", "addon", "tools", "tests"}:
                faults.append(f"{name_of(path)}:{getattr(node, 'lineno', 0)} imports {names} absolutely")
    assert not faults


def test_the_addon_has_no_threads_and_no_torch() -> None:
    unwanted = {"torch", "threading", "multiprocessing", "concurrent", "asyncio", "scipy"}
    assert not [
        f"{name_of(path)}:{line} imports {module}"
        for path in ADDON
        for line, module in imports(path)
        if module.split(".")[0] in unwanted
    ]


def test_the_core_imports_neither_bpy_nor_torch() -> None:
    code = """if True:
        import importlib, pkgutil, sys
        import vendor_core
        found = pkgutil.walk_packages(vendor_core.__path__, "vendor_core.")
        names = [m.name for m in found if "__main__" not in m.name]
        for name in names:
            importlib.import_module(name)
        heavy = {"bpy", "mathutils", "torch", "scipy", "smplx", "ezc3d", "anny", "matplotlib"} & set(sys.modules)
        assert not heavy, heavy
        assert len(names) > 20, names
    """
    done = subprocess.run([sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_names_of_joints_need_no_numpy() -> None:
    """Panels look for a body at every drawing, also before anything of Poise has been used."""
    code = """if True:
        import sys
        import vendor_core.errors, vendor_core.skeleton
        assert "numpy" not in sys.modules
    """
    done = subprocess.run([sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    light = {"bpy", "typing", "functools", "collections", "re", "rig", "vendor_core.errors", "vendor_core.skeleton"}
    for room in ("operators/common", "rig/names"):
        asked = {module.removeprefix("addon.") for _, module in imports(REPO / f"addon/{room}.py")}
        assert {m if m.startswith("vendor_core") else m.split(".")[0] for m in asked} <= light, room


def test_every_source_says_its_licence() -> None:
    faults = []
    for path in SOURCES:
        gpl = path in ADDON or path == REPO / "__init__.py"
        wanted = f"# SPDX-License-Identifier: {'GPL-3.0-or-later' if gpl else 'Apache-2.0'}"
        if wanted not in path.read_text(encoding="utf-8").splitlines()[:2]:
            faults.append(f"{name_of(path)} does not begin with {wanted}")
    assert not faults


def test_no_file_is_too_long() -> None:
    lengths = {name_of(path): path.read_text(encoding="utf-8").count("\n") for path in SOURCES}
    assert not {name: length for name, length in lengths.items() if length > 350}


def test_nothing_catches_everything() -> None:
    faults = []
    for path in SOURCES:
        tree = ast.parse(path.read_text(encoding="utf-8")) if path.suffix == ".py" else ast.Module([], [])
        for node in ast.walk(tree):
            if isinstance(node, ast.ExceptHandler):
                broad = node.type is None or getattr(node.type, "id", "") in ("Exception", "BaseException")
                cleans_up = isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None
                if broad and not cleans_up:
                    faults.append(f"{name_of(path)}:{node.lineno}")
    assert not faults


def test_what_operators_report_can_be_translated() -> None:
    """An f-string has its values in before a translation could be looked up: `texts.told` puts them in afterwards."""
    assert not [
        f"{name_of(path)}:{node.lineno}"
        for path in ADDON
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "report" and len(node.args) == 2
        if isinstance(node.args[1], ast.JoinedStr)
    ]


def test_no_source_names_a_place_on_one_machine() -> None:
    places = {name_of(path): re.findall(r"/(?:work|root|home/\w+|tmp/\w+)/\w+", path.read_text()) for path in SOURCES}
    assert not {name: found for name, found in places.items() if found}


def test_the_manifest_agrees_with_the_package() -> None:
    manifest = tomllib.loads((REPO / "blender_manifest.toml").read_text(encoding="utf-8"))
    assert manifest["version"] == __version__
    assert manifest["id"] == "poise" and manifest["blender_version_min"] == "4.2.0"
    assert len(manifest["tagline"]) <= 64 and manifest["tagline"][-1].isalnum()
    assert all(len(reason) <= 64 and reason[-1].isalnum() for reason in manifest["permissions"].values())


def test_the_bundled_wheels_are_pinned_and_pure() -> None:
    manifest = tomllib.loads((REPO / "blender_manifest.toml").read_text(encoding="utf-8"))
    pins = re.findall(r"^([\w-]+)==([\d.]+) --hash=sha256:[0-9a-f]{64}$", _requirements("wheels"), flags=re.MULTILINE)
    expected = {f"./wheels/{name.replace('-', '_')}-{version}-py3-none-any.whl" for name, version in pins}
    assert set(manifest["wheels"]) == expected and len(pins) == 3


def test_blenders_environments_hold_nothing_that_shadows_a_bundled_wheel() -> None:
    bundled = set(re.findall(r"^([\w-]+)==", _requirements("wheels"), flags=re.MULTILINE))
    for environment in ("blender", "blender52"):
        there = set(re.findall(r"^([\w.-]+)==", _requirements(environment), flags=re.MULTILINE))
        assert there and not there & bundled


def _requirements(name: str) -> str:
    return (REPO / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
