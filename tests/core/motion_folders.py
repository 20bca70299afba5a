# SPDX-License-Identifier: Apache-2.0
"""Folders of motion as people have them: AMASS files of both layouts and all spellings, by data set and subject."""

from pathlib import Path

import numpy as np

from vendor_core.body import default_body
from vendor_core.motion import Motion
from vendor_core.motion.bvh import write_bvh
from vendor_core.motion.bvh_motion import bvh_of

UPRIGHT = np.array([np.pi / 2, 0, 0])
_RATES = (30.0, 60.0, 100.0, 120.0)
_RATE_KEYS = ("mocap_framerate", "mocap_frame_rate", "fps")


def swinging(person: int, frames: int, rate: float, seed: int) -> np.ndarray:
    """Rotation vectors (frames, 22, 3) of a person upright in a Z-up world whose joints swing together."""
    axes = np.random.default_rng(person).normal(size=(3, 22, 3))
    phase = np.random.default_rng(1000 + seed).uniform(0, 6, 3)
    t = np.arange(frames)[:, None] / rate
    poses = 0.12 * np.einsum("fk,kjc->fjc", np.sin(t * (5.0, 8.0, 11.0) + phase), axes)
    poses[:, 0] = UPRIGHT
    return poses


def write_amass(path: Path, i: int, seconds: float = 0.2, **changes: np.ndarray | None) -> None:
    """One file, number i: SMPL-H if that is even, else SMPL-X; `changes` replaces arrays, or leaves them out."""
    rate = _RATES[i % 4]
    frames = int(seconds * rate) + 1
    body, smplx = swinging(i // 8, frames, rate, i).reshape(frames, 66), i % 2
    poses = np.concatenate([body, np.zeros((frames, 99 if smplx else 90))], axis=1)
    arrays: dict[str, np.ndarray | None] = {
        "poses": poses,
        "trans": np.zeros((frames, 3)),
        "betas": np.zeros(16),
        "gender": np.array(b"male") if i % 3 else np.array("neutral"),
        _RATE_KEYS[i % 3]: np.array(rate),
    }
    arrays |= {"surface_model_type": np.array("smplx"), "root_orient": body[:, :3]} if smplx else {"dmpls": np.zeros(8)}
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **{key: array for key, array in (arrays | changes).items() if array is not None})


def amass_folder(root: Path, files: int = 200) -> Path:
    """A folder of so many files, eight a person, five persons a data set: CMU, KIT, HDM05, SFU and one of one's own."""
    names = ("CMU", "KIT", "MPI_HDM05", "SFU", "mine")
    for i in range(files):
        person = i // 8
        place = root / names[person // 5 % 5] / f"subject{person}"
        write_amass(place / (f"take{i}_poses.npz" if i % 2 == 0 else f"take{i}_stageii.npz"), i)
    np.savez(root / "CMU" / "subject0" / "shape.npz", betas=np.zeros(16))  # AMASS has them, they are no motion
    np.savez(root / "CMU" / "subject0" / "neutral_stagei.npz", betas=np.zeros(16))
    return root


def write_own_bvh(path: Path, i: int, seconds: float = 0.5) -> None:
    """One BVH file of Poise's own skeleton, number i."""
    rate = _RATES[i % 4]
    frames = int(seconds * rate) + 1
    poses = np.zeros((frames, 55, 3))
    poses[:, :22] = swinging(i // 8, frames, rate, i)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bvh(path, bvh_of(Motion(poses, np.zeros((frames, 3)), rate), default_body().rest_joints()))
