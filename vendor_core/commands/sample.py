# SPDX-License-Identifier: Apache-2.0
"""Poses drawn from the prior."""

from argparse import Namespace
from typing import Any

import numpy as np

from ..body import BodyModel, default_body
from ..errors import PoiseError, TargetError
from ..ik.balls import default_balls
from ..ik.untangle import untangle
from ..motion import read_motion, write_motion
from ..prior import load_prior
from ..prior.draw import variations
from ..prior.plausibility import load_plausibility
from ..rotations import exp_so3
from ..skeleton import BODY_JOINTS, JOINT_GROUPS, N_BODY
from .shared import body_motion

_UPRIGHT = np.array([np.pi / 2, 0.0, 0.0])


def sample(options: Namespace) -> dict[str, Any]:
    """Poses drawn from the prior, or from around a given pose, standing on the ground."""
    prior, body, count = load_prior(options.prior), default_body(), options.n
    drawn = prior.decode(prior.sample(count, options.seed))
    root, betas = exp_so3(_UPRIGHT), None
    if options.near is not None:
        near = read_motion(options.near)
        R_near = exp_so3(near.poses[0, :N_BODY])
        root = R_near[0]
        names = _locked(options.lock)
        kept = np.array([name in names for name in BODY_JOINTS[1:]])
        amount = 0.5 if options.amount is None else options.amount
        plausibility = load_plausibility(options.prior)
        drawn = variations(prior, plausibility, R_near[1:], count, options.seed, amount, kept)
        betas = near.betas if near.body_name else None
    elif options.lock or options.amount is not None:
        raise PoiseError("--lock and --amount say what to keep of a pose; give that pose with --near POSE.npz")
    R_local = np.concatenate([np.broadcast_to(root, (count, 1, 3, 3)), drawn], axis=1)
    if options.untangle:
        R_local = untangle(default_balls() if betas is None else default_balls().with_betas(betas), prior, R_local)
    lowest = np.array([_lowest(body, R, betas) for R in R_local])
    trans = np.stack([np.zeros(count), np.zeros(count), -lowest], axis=1)
    write_motion(options.out, body_motion(R_local, trans, body, betas))
    print(f"{options.out}: {count} poses")
    return {"poses": count, "seed": options.seed, "prior": prior.name}


def _lowest(body: BodyModel, R_local: np.ndarray, betas: np.ndarray | None) -> float:
    """Height of the lowest vertex of a posed body whose trans is zero, metres."""
    vertices = body.pose(R_local, betas=betas, vertices=True).vertices
    assert vertices is not None
    return float(vertices[:, 2].min())


def _locked(text: str) -> list[str]:
    """Joint names of a list of groups and joints.

    Raises:
        TargetError: no such group or joint.
    """
    names: list[str] = []
    for word in filter(None, text.split(",")):
        if word not in JOINT_GROUPS and word not in BODY_JOINTS[1:]:
            known = ", ".join((*JOINT_GROUPS, *BODY_JOINTS[1:]))
            raise TargetError(f'No joint group or joint is called "{word}". Expected some of: {known}')
        names += JOINT_GROUPS.get(word, (word,))
    return names
