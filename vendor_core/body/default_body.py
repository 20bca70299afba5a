# SPDX-License-Identifier: Apache-2.0
"""The default body that ships with Poise, and bodies that are a joint tree alone."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from ..errors import BodyError
from ..npz import read_npz
from ..skeleton import JOINTS, N_BODY, PARENTS
from .formats import load_body
from .model import BodyModel

DEFAULT_BODY = Path(__file__).parent / "assets" / "default_body.npz"
"""CC0 file in SMPL-X layout, rebuilt by recipes/default_body."""


@dataclass(frozen=True)
class DefaultMesh:
    """What the default body needs to look like something, beyond what a body model holds."""

    quads: np.ndarray  # (Q, 4) vertex indices
    uv: np.ndarray  # (n, 2)
    quad_uv: np.ndarray  # (Q, 4) indices into uv
    material: np.ndarray  # (Q,) indices into the materials
    material_names: tuple[str, ...]
    material_colors: np.ndarray  # (n, 4) linear RGBA
    material_roughness: np.ndarray  # (n,)
    beta_names: tuple[str, ...]
    expression_names: tuple[str, ...]


@cache
def default_body() -> BodyModel:
    """The default body: an adult of 1.7 m in SMPL-X layout, float64."""
    return load_body(DEFAULT_BODY)


@cache
def default_mesh() -> DefaultMesh:
    """Quads, UVs, materials and slider names of the default body."""
    arrays = read_npz(DEFAULT_BODY, DefaultMesh.__dataclass_fields__, BodyError)
    texts = {k: tuple(str(s) for s in arrays[k]) for k in ("material_names", "beta_names", "expression_names")}
    return DefaultMesh(**(arrays | texts))  # type: ignore[arg-type]


def body_from_joints(rest_joints: np.ndarray, name: str = "rig") -> BodyModel:
    """A body without a mesh, for solving on any rig whose joints are known.

    Args:
        rest_joints: (22 | 55, 3) metres, SMPL's axes (Y up, facing +Z), in the order of `skeleton.JOINTS`.
        name: shown in messages.

    Raises:
        BodyError: another number of joints, or numbers that are not finite.
    """
    try:
        rest = np.asarray(rest_joints, dtype=np.float64)
    except (TypeError, ValueError):
        rest = np.zeros(0)
    n = len(rest) if rest.ndim else 0
    if n not in (N_BODY, len(JOINTS)) or rest.shape != (n, 3) or not np.isfinite(rest).all():
        expected = f"({N_BODY} | {len(JOINTS)}, 3)"
        raise BodyError(f"{name}: rest joints of shape {rest.shape}; expected {expected} finite metres")
    return BodyModel(
        name=name,
        joint_names=JOINTS[:n],
        parents=PARENTS[:n],
        v_template=np.zeros((0, 3)),
        faces=np.zeros((0, 3), dtype=np.int64),
        weights=np.zeros((0, n)),
        joints_template=rest,
        shape_dirs=np.zeros((0, 3, 0)),
        joint_shape_dirs=np.zeros((n, 3, 0)),
        num_betas=0,
    )
