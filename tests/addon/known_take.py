# SPDX-License-Identifier: Apache-2.0
"""Markers on the default body on its way between two poses: a take of which everything is known."""

from pathlib import Path

import numpy as np
from support import c3d_bytes, core


def known_take(frames: int, seed: int = 11) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """CMU's markers (F, 41, 3) on the skin, metres, Z up, the joints (F, 22, 3), and the labels."""
    body, prior = core("body").default_body(), core("prior").load_prior()
    keys = prior.decode(prior.sample(2, seed=seed))
    R_body = core("prior").interpolate_poses(prior, keys, [frames - 1])
    root = core("rotations").exp_so3(np.array([np.pi / 2, 0, 0]))
    R = np.concatenate([np.broadcast_to(root, (len(R_body), 1, 3, 3)), R_body], axis=1)
    trans = np.array([0.5, 0.2, 1.3]) + np.linspace(0, 1, len(R))[:, None] * (0.4, 0, 0)
    labels = core("mocap.layouts").LAYOUTS["CMU41"].markers
    placed = core("mocap.marker_points").place_markers(body, labels).points
    posed = body.pose(R, trans)
    local = placed.rest[:, None] - placed.bones.rest[None]
    carried = (posed.G[:, None, :22] @ local[None, ..., None])[..., 0] + posed.joints[:, None, :22]
    markers = np.sum(placed.weights[..., None] * carried, axis=2)
    return markers, posed.joints[:, :22], tuple(labels)


def write_take(path: Path, markers: np.ndarray, labels, rate: float = 60.0, **options) -> Path:
    """Write markers (F, M, 3), metres, as a C3D file in millimetres."""
    path.write_bytes(c3d_bytes(1000 * markers, labels, rate=rate, **options))
    return path
