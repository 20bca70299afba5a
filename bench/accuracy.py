# SPDX-License-Identifier: Apache-2.0
"""How exactly joints are reached: all of them, a few, and those of a body of another shape."""

import numpy as np

from vendor_core.body import default_body
from vendor_core.evaluation.metrics import joint_error
from vendor_core.ik import fit_joints
from vendor_core.prior import load_prior
from vendor_core.skeleton import BODY_JOINTS, N_BODY

from .drags import EFFECTORS
from .motion import random_poses
from .rows import Benchmark, Figure, Outcome, Settings
from .takes_made import unusual_subject

_POSES = 128
_SHAPES = 8  # bodies, each in _POSES_A_SHAPE poses
_POSES_A_SHAPE = 8


def _joints_and_effectors(settings: Settings) -> list[Outcome]:
    body, prior = default_body(), load_prior()
    _, joints = random_poses(settings, body, _POSES)
    columns = [BODY_JOINTS.index(name) for name in EFFECTORS]
    fitted = fit_joints(body, prior, BODY_JOINTS, joints)
    reached = body.pose(fitted.R_local, fitted.trans).joints[:, :N_BODY]
    few = fit_joints(body, prior, EFFECTORS, joints[:, columns])
    few_reached = body.pose(few.R_local, few.trans).joints[:, :N_BODY]
    error = 1e3 * np.linalg.norm(few_reached[:, columns] - joints[:, columns], axis=-1)
    others = [j for j in range(N_BODY) if j not in columns]
    unseen = joint_error(few_reached[:, others], joints[:, others])
    note = f"{_POSES} poses of the {settings.split} split"
    return [
        Outcome(joint_error(reached, joints), note=note),
        Outcome(float(error.max()), note=f"{note}; mean {error.mean():.2f} mm, joints without target {unseen:.0f} mm"),
    ]


def _wrong_shape(settings: Settings) -> list[Outcome]:
    body, prior = default_body(), load_prior()
    R_local, _ = random_poses(settings, body, _SHAPES * _POSES_A_SHAPE)
    betas = np.stack([unusual_subject(body, seed).betas for seed in range(_SHAPES)]).repeat(_POSES_A_SHAPE, axis=0)
    joints = body.pose(R_local, betas=betas).joints[:, :N_BODY]
    errors = {}
    for shape in (True, False):
        fitted = fit_joints(body, prior, BODY_JOINTS, joints, shape=shape)
        reached = body.pose(fitted.R_local, fitted.trans, fitted.betas if shape else None).joints[:, :N_BODY]
        errors[shape] = joint_error(reached, joints)
    note = f"{_SHAPES} shapes with half of the betas at 2 or -2, {_POSES_A_SHAPE} poses each, one frame at a time"
    return [Outcome(errors[True], "betas held at zero", errors[False], note)]


BENCHMARKS = (
    Benchmark(
        "joints",
        (
            Figure("22 joints, mean distance", "mm", "lower"),
            Figure("6 effectors, worst distance", "mm", "lower"),
        ),
        _joints_and_effectors,
    ),
    Benchmark(
        "wrong-shape",
        (Figure("22 joints of a wrong-shape target, betas free, mean distance", "mm", "lower", goal=5),),
        _wrong_shape,
    ),
)
