# SPDX-License-Identifier: Apache-2.0
"""How plausible the poses of a motion are."""

from argparse import Namespace
from typing import Any

import numpy as np

from ..ik.balls import default_balls
from ..ik.untangle import gaps_of
from ..motion import read_motion
from ..prior.plausibility import load_plausibility
from ..rotations import exp_so3
from ..skeleton import BODY_JOINTS, N_BODY

_RARE = 0.05


def score(options: Namespace) -> dict[str, Any]:
    """The plausibility of each frame and joint of a motion, 0 to 1, and how deep the body is in itself."""
    motion, plausibility = read_motion(options.motion), load_plausibility(options.prior)
    frames, joints = plausibility.scores(exp_so3(motion.poses[:, 1:N_BODY]))
    balls = default_balls() if motion.body_name != "default" else default_balls().with_betas(motion.betas)
    depths = np.maximum(-gaps_of(balls, exp_so3(motion.poses[:, :N_BODY])).min(1), 0.0)
    worst = int(frames.argmin())
    print(
        f"{options.motion}: {len(frames)} frames, median plausibility {np.median(frames):.2f}, "
        f"{int(np.sum(frames < _RARE))} below {_RARE}; lowest {frames[worst]:.4f} in frame {worst}, "
        f"{BODY_JOINTS[1 + int(joints[worst].argmin())]} first; limbs in the body or in one another in "
        f"{int(np.sum(depths > 0))} frames"
    )
    return {
        "names": list(BODY_JOINTS[1:]), "frames": frames.round(6).tolist(), "joints": joints.round(6).tolist(),
        "intersection_mm": (1e3 * depths).round(2).tolist(),
    }  # fmt: skip
