# SPDX-License-Identifier: Apache-2.0
"""Any motion file, as the motion of a given body: AMASS npz, BVH of Poise, BVH of foreign skeletons."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..body import BodyModel, body_from_joints
from ..errors import MotionError
from ..motion import Motion, read_motion
from ..motion.bvh import read_bvh
from ..motion.bvh_motion import has_own_rest, motion_of
from ..skeleton import JOINTS, N_BODY, PARENTS
from .by_rotation import retargeted

FORMATS = (".npz", ".bvh")


@dataclass(frozen=True)
class LoadedMotion:
    """A motion file's motion, and whose it is."""

    motion: Motion  # with betas of the body that it was loaded for: zeros where the file's are of another kind
    rest_joints: np.ndarray | None  # (22, 3) metres, of the body that does it; None where its shape is not known
    note: str = ""  # about the shape, in half a sentence


def require_format(path: Path) -> None:
    """Raises a MotionError where a path's ending is of no motion file."""
    if path.suffix.lower() not in FORMATS:
        raise MotionError(f"{path.name} is of no format known; expected a motion as {' or '.join(FORMATS)}")


def load_motion(path: Path, body: BodyModel, prior: str = "vae", own_joints: np.ndarray | None = None) -> LoadedMotion:
    """Read a motion file for a body.

    Args:
        path: of an AMASS npz or a BVH file.
        body: whose betas are wanted.
        prior: name or path, of what poses some frames of a skeleton that does not stand at rest.
        own_joints: (22 | 55, 3) metres at rest, of a rig whose shape stays as it is: limbs of a foreign skeleton are
            then laid on its own instead of the body's.

    Raises:
        MotionError: no such file, or none that holds a motion.
    """
    require_format(path)
    if path.suffix.lower() == ".npz":
        return _with_betas_of(read_motion(path), body)
    clip = read_bvh(path)
    own = has_own_rest(clip, body.rest_joints())
    if not own and own_joints is not None:
        body = body_from_joints(_with_fingers(own_joints))
    motion = motion_of(clip, body) if own else retargeted(clip, body, prior)
    if not (np.isfinite(motion.poses).all() and np.isfinite(motion.trans).all()):
        raise MotionError(f"{path.name} moves farther than numbers go; get the file anew")
    return LoadedMotion(motion, body.rest_joints(motion.betas)[:N_BODY])


def _with_fingers(rest: np.ndarray) -> np.ndarray:
    """Rest joints (55, 3): of what a rig lacks, the places of the joints that it would hang from."""
    full = np.concatenate([rest, np.zeros((len(JOINTS) - len(rest), 3))])
    for j in range(len(rest), len(JOINTS)):
        full[j] = full[PARENTS[j]]
    return full


def _with_betas_of(motion: Motion, body: BodyModel) -> LoadedMotion:
    betas, named = np.zeros(body.num_betas), bool(body.beta_names)
    if bool(motion.body_name) != named or not body.num_betas:
        note = "its shape is of another kind of body and was left out" if np.any(motion.betas) else ""
        return LoadedMotion(replace(motion, betas=betas, body_name="default" if named else ""), None, note)
    n = min(len(betas), len(motion.betas))
    betas[:n] = motion.betas[:n]
    cut = np.any(motion.betas[n:])
    note = f"its shape has {len(motion.betas)} numbers, of which the body has {n}" if cut else ""
    return LoadedMotion(replace(motion, betas=betas), body.rest_joints(betas)[:N_BODY], note)
