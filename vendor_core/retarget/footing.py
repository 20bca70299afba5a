# SPDX-License-Identifier: Apache-2.0
"""How long the legs of a motion's person are, told by how high the pelvis is when the feet stand on the floor."""

import numpy as np

from ..body.kinematics import JointTree
from ..motion import Motion
from ..rotations import exp_so3
from ..skeleton import JOINTS, N_BODY, PARENTS

_TREE = JointTree(PARENTS[:N_BODY])
_FEET = [JOINTS.index(f"{side}_{part}") for side in ("left", "right") for part in ("ankle", "foot")]
_SOLE = 0.018  # metres from the sole to the lowest joint, in the ball of the foot
_STANDING = 95  # percentile: of frames in which a foot is on the floor there are more than the rest
_UPRIGHT = 0.6  # of the height at rest, below which the pelvis says nothing about legs
_LONGEST = 1.25  # times the body's legs that a person's may have, or this part of them


def leg_scale(motion: Motion, rest_joints: np.ndarray) -> float:
    """By what the steps of a motion are to be scaled so that a body's feet stand on the floor, Z = 0, as the person's
    did whose betas are not known; 1 where the motion does not tell.

    In a frame in which feet stand, the pelvis, scaled, is as high as the body's legs reach in its pose. In other frames
    feet are in the air, and reach less far: the largest scales are those of feet that stand.

    Args:
        motion: F frames.
        rest_joints: (22 | 55, 3) metres, of the body that is to do it.
    """
    rest = rest_joints[:N_BODY]
    G = _TREE.global_rotations(exp_so3(motion.poses[:, :N_BODY]))
    p = _TREE.positions(G, rest, np.zeros(3))
    above_sole = _SOLE + rest[_FEET, 1] - rest[_FEET, 1].min()  # of SMPL's axes Y is up
    reach = rest[0, 2] - (p[:, _FEET, 2] - above_sole).min(1)
    height = rest[0, 2] + motion.trans[:, 2]
    upright = (reach > _UPRIGHT * (rest[0, 1] - rest[_FEET, 1].min())) & (height > _UPRIGHT * reach.max())
    if not upright.any():
        return 1.0
    scale = float(np.percentile(reach[upright] / height[upright], _STANDING))
    return scale if 1 / _LONGEST < scale < _LONGEST else 1.0
