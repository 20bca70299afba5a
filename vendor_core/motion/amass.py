# SPDX-License-Identifier: Apache-2.0
"""Motion files: AMASS npz, SMPL-X and SMPL-H layout, read and written. The world is Z up.

Mahmood et al., "AMASS: Archive of Motion Capture as Surface Shapes", ICCV 2019.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..errors import MotionError
from ..npz import read_npz, text_of, write_npz
from ..skeleton import JOINTS

_RATE_KEYS = ("mocap_frame_rate", "mocap_framerate", "fps")
_PARTS = {
    "root_orient": (0, 1),
    "pose_body": (1, 22),
    "pose_jaw": (22, 23),
    "pose_eye": (23, 25),
    "pose_hand": (25, 55),
}
LARGEST_TURN = 1e4
"""Radians of a rotation vector; beyond, too few digits are left to tell where it points."""
_SLOWEST, _FASTEST = 1e-3, 1e4  # Hz
_LARGEST_BETA = 1e4  # standard deviations

SOLVED, HELD, BRIDGED = 0, 1, 2
"""Values of `frame_status`: solved from what was seen, held from the nearest solved frame, bridged from both sides."""

_STATUS_NAMES = {"solved": SOLVED, "held": HELD, "bridged": BRIDGED}


@dataclass(frozen=True)
class Motion:
    """A body's motion over N frames in a Z-up world; an upright pose has the root at (pi/2, 0, 0)."""

    poses: np.ndarray  # (N, 55, 3) rotation vectors relative to the parents, root first, radians
    trans: np.ndarray  # (N, 3) metres: the pelvis is at J0(betas) + trans
    rate: float = 30.0  # Hz
    betas: np.ndarray = field(default_factory=lambda: np.zeros(0))  # (B,), of the body that body_name says
    gender: str = "neutral"
    body_name: str = ""  # "default" where the betas are the default body's; empty where they are SMPL-X's
    frame_status: np.ndarray | None = None  # (N,) uint8: SOLVED, HELD or BRIDGED

    def __len__(self) -> int:
        return len(self.poses)


def read_motion(path: str | Path) -> Motion:
    """Read a motion file: SMPL-X (165 numbers a frame), SMPL-H (156) or body only (66).

    Raises:
        MotionError: the file is missing, damaged, or holds no motion.
    """
    name = Path(path).name
    wanted = ("poses", "trans", "betas", "gender", *_RATE_KEYS, *_PARTS, "poise_body", "poise_betas", "frame_status")
    arrays = read_npz(path, wanted, MotionError)
    if "poses" not in arrays and {"root_orient", "pose_body"} <= set(arrays):
        arrays["poses"] = _joined_parts(arrays, name)
    for key in ("poses", "trans"):
        if key not in arrays:
            raise MotionError(f'{name} lacks "{key}"; expected an AMASS motion file with poses and trans')
        if arrays[key].dtype.kind not in "fiu" or arrays[key].ndim != 2 or not np.all(np.isfinite(arrays[key])):
            raise MotionError(f'{name}: "{key}" is not a table of finite numbers; expected one row a frame')
    poses, trans = arrays["poses"], arrays["trans"]
    if np.abs(poses).max(initial=0) > LARGEST_TURN:
        raise MotionError(f"{name}: a pose turns by {np.abs(poses).max():.3g} radians; expected rotation vectors")
    if len(poses) == 0 or trans.shape != (len(poses), 3):
        raise MotionError(f"{name} has {len(poses)} poses and trans of shape {trans.shape}; expected (frames, 3)")
    body_name = text_of(arrays.get("poise_body"))
    betas = arrays.get("poise_betas" if body_name else "betas", np.zeros(0))
    if betas.dtype.kind not in "fiu" or not np.all(np.abs(betas) < _LARGEST_BETA):
        raise MotionError(f'{name}: "betas" are not finite, or far too large; expected one number a coefficient')
    status = arrays.get("frame_status")
    if status is not None and (status.dtype.kind not in "iu" or status.shape != (len(poses),)):
        raise MotionError(
            f'{name}: "frame_status" has shape {status.shape} of {status.dtype}; expected one number a frame'
        )
    return Motion(
        poses=_full_poses(poses.astype(np.float64), name),
        trans=trans.astype(np.float64),
        rate=_rate(arrays, name),
        betas=betas.astype(np.float64).reshape(-1),
        gender=text_of(arrays.get("gender"), "neutral"),
        body_name=body_name,
        frame_status=status,
    )


def _joined_parts(arrays: dict[str, np.ndarray], name: str) -> np.ndarray:
    """SMPL-X's poses (N, 165) from the parts that some files hold instead; parts that are missing are at rest."""
    n = len(np.atleast_1d(arrays["root_orient"]))
    poses = np.zeros((n, 3 * len(JOINTS)))
    for key, (a, b) in _PARTS.items():
        part = arrays.get(key, poses[:, 3 * a : 3 * b])
        if part.shape != (n, 3 * (b - a)) or part.dtype.kind not in "fiu":
            raise MotionError(f'{name}: "{key}" has shape {part.shape}; expected {3 * (b - a)} numbers in {n} frames')
        poses[:, 3 * a : 3 * b] = part
    return poses


def _full_poses(poses: np.ndarray, name: str) -> np.ndarray:
    """Poses (N, 55, 3) of any layout's rows, what the layout lacks at rest."""
    n, width = poses.shape
    full = np.zeros((n, len(JOINTS), 3))
    if width == 165:
        full[:] = poses.reshape(n, 55, 3)
    elif width == 156:
        full[:, :22], full[:, 25:] = poses[:, :66].reshape(n, 22, 3), poses[:, 66:].reshape(n, 30, 3)
    elif width in (66, 72):  # SMPL's two hand joints have no counterpart among the fingers
        full[:, :22] = poses[:, :66].reshape(n, 22, 3)
    else:
        raise MotionError(
            f'{name}: "poses" has {width} numbers a frame; expected 165 (SMPL-X), 156 (SMPL-H) or 66 (body)'
        )
    return full


def _rate(arrays: dict[str, np.ndarray], name: str) -> float:
    found = next((arrays[key] for key in _RATE_KEYS if key in arrays), np.array(30.0))
    try:
        rate = float(found.reshape(-1)[0])
    except (ValueError, IndexError, TypeError):
        rate = np.nan
    if not _SLOWEST <= rate <= _FASTEST:
        raise MotionError(f"{name}: frame rate {text_of(found)}; expected {_SLOWEST:g} to {_FASTEST:g} frames a second")
    return rate


def write_motion(path: str | Path, motion: Motion) -> None:
    """Write a motion file in AMASS's SMPL-X layout.

    Betas of the default body are not SMPL-X's: they stand in `poise_betas`, and `betas` is zero.

    Raises:
        MotionError: the motion's arrays do not fit or are not finite; the folder does not exist or is not writable.
    """
    _check(motion)
    n, own = len(motion), bool(motion.body_name)
    arrays: dict[str, np.ndarray] = {
        "poses": motion.poses.reshape(n, -1),
        "trans": motion.trans,
        "betas": np.zeros(10) if own else motion.betas,
        "num_betas": np.array(10 if own else len(motion.betas)),
        "gender": np.array(motion.gender),
        "mocap_frame_rate": np.array(motion.rate),
        "surface_model_type": np.array("smplx"),
    }
    arrays |= {key: motion.poses[:, a:b].reshape(n, -1) for key, (a, b) in _PARTS.items()}
    if own:
        arrays |= {"poise_body": np.array(motion.body_name), "poise_betas": motion.betas}
    if motion.frame_status is not None:
        arrays["frame_status"] = motion.frame_status
    try:
        write_npz(path, arrays)
    except OSError as problem:
        raise MotionError(f"{path} cannot be written ({problem.strerror}); choose another place") from None


def _check(motion: Motion) -> None:
    poses, trans = np.asarray(motion.poses), np.asarray(motion.trans)
    n = len(poses) if poses.ndim else 0
    if n == 0 or (poses.shape, trans.shape) != ((n, len(JOINTS), 3), (n, 3)):
        expected = f"(frames, {len(JOINTS)}, 3) and (frames, 3)"
        raise MotionError(f"a motion of poses {poses.shape} and trans {trans.shape}; expected {expected}")
    if not (np.isfinite(poses).all() and np.isfinite(trans).all()):
        raise MotionError("a motion holds numbers that are not finite; expected rotation vectors and metres")
    if not _SLOWEST <= motion.rate <= _FASTEST:
        raise MotionError(f"a motion at {motion.rate} Hz; expected {_SLOWEST:g} to {_FASTEST:g} frames a second")


def status_counts(status: np.ndarray) -> dict[str, int]:
    """How many frames of a `frame_status` are solved, held and bridged."""
    return {name: int(np.sum(status == value)) for name, value in _STATUS_NAMES.items()}
