# SPDX-License-Identifier: Apache-2.0
"""Random bodies in the layouts of SMPL, SMPL-H and SMPL-X files, for tests that may not ship a licensed one."""

import numpy as np

from vendor_core.skeleton import PARENTS

_SIZES = {"smpl": (6890, 24), "smplh": (6890, 52), "smplx": (10475, 55)}


def _parents(n_joints: int) -> np.ndarray:
    if n_joints == 24:
        return np.array([*PARENTS[:22], 20, 21])
    if n_joints == 52:
        return np.array([*PARENTS[:22], *(p if p < 22 else p - 3 for p in PARENTS[25:])])
    return np.array(PARENTS)


def body_arrays(kind: str, seed: int = 0, expressions: int = 10) -> dict[str, np.ndarray]:
    """Arrays of a body file of random shape whose numbers mean nothing but fit together."""
    rng = np.random.default_rng(seed)
    n_verts, n_joints = _SIZES[kind]
    parents = _parents(n_joints)
    weights = np.zeros((n_verts, n_joints), np.float32)
    for _ in range(4):
        np.add.at(weights, (np.arange(n_verts), rng.integers(n_joints, size=n_verts)), rng.random(n_verts))
    regressor = np.zeros((n_joints, n_verts))
    for joint in range(n_joints):
        regressor[joint, rng.integers(n_verts, size=12)] = 1 / 12
    regressor /= regressor.sum(1, keepdims=True)
    arrays = {
        "v_template": rng.normal(size=(n_verts, 3)) * 0.4,
        "f": rng.integers(n_verts, size=(2 * n_verts, 3)).astype(np.uint32),
        "weights": weights / weights.sum(1, keepdims=True),
        "J_regressor": regressor,
        "kintree_table": np.stack([np.where(parents < 0, 2**32 - 1, parents), np.arange(n_joints)]),
        "shapedirs": rng.normal(size=(n_verts, 3, 10 + (expressions if kind == "smplx" else 0))) * 0.01,
        "posedirs": rng.normal(size=(n_verts, 3, 9 * (n_joints - 1))).astype(np.float32) * 0.005,
    }
    return arrays | _smplx_package_needs(n_verts)


def _smplx_package_needs(n_verts: int) -> dict[str, np.ndarray]:
    """What the smplx package asks of a file beyond what a body needs."""
    hands = {f"hands_mean{s}": np.zeros(45) for s in "lr"} | {f"hands_components{s}": np.eye(45) for s in "lr"}
    return hands | {
        "lmk_faces_idx": np.zeros(51, np.int64), "lmk_bary_coords": np.full((51, 3), 1 / 3),
        "dynamic_lmk_faces_idx": np.zeros((79, 17), np.int64), "dynamic_lmk_bary_coords": np.full((79, 17, 3), 1 / 3),
    }  # fmt: skip
