# SPDX-License-Identifier: Apache-2.0
"""Training poses from motion packs: thinned, mirrored, weighted so that no subject drowns the others.

A pack is one npz of clips laid end to end: `poses` (N, 22, 3) axis-angle (rest facing +Z, Y up), `start`, `length`,
`subject`, `kind` of each clip, `jump` (N,) suspicious frames, `ref_rest_offsets` (22, 3) from parent to joint.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..body.kinematics import BODY_TREE
from ..errors import MotionError
from ..motion.amass import LARGEST_TURN
from ..npz import read_npz
from ..rotations import exp_so3
from ..skeleton import BODY_PARENTS, MIRROR, N_BODY

_KEYS = ("poses", "start", "length", "subject", "kind", "jump", "ref_rest_offsets")
_ORIGIN = ("license", "source")  # of each clip, in packs that say
_TYPES = {"poses": "f", "start": "iu", "length": "iu", "jump": "b", "ref_rest_offsets": "f"}
_THIN = 0.012  # metres: a frame is kept when its joints moved this far, on average, since the last one kept
_KIND_WEIGHT = {"dm": 0.25}  # DeepMimic retargets have elbows off by 15 to 28 degrees
_SWAP = np.array(MIRROR[:N_BODY])


@dataclass(frozen=True)
class PoseSet:
    """Poses to train on or to measure with.

    `R_root` (N, 3, 3) world orientations and `R` (N, 21, 3, 3) local rotations, float32; `weight` (N,) sums to 1;
    `rest_joints` (22, 3) metres, pelvis at the origin.
    """

    R_root: np.ndarray
    R: np.ndarray
    weight: np.ndarray
    rest_joints: np.ndarray

    @property
    def offsets(self) -> np.ndarray:
        """Rest offsets (22, 3) from parent to joint, the pelvis's own zero."""
        parents = self.rest_joints[np.maximum(BODY_PARENTS, 0)]
        return self.rest_joints - parents

    def __len__(self) -> int:
        return len(self.R)


@dataclass(frozen=True)
class Frames:
    """Frames worth training on: rotation vectors `w` (K, 22, 3), float32, and each one's `subject` and `kind` (K,)."""

    w: np.ndarray
    subject: np.ndarray
    kind: np.ndarray


def pack_files(data: Iterable[Path], split: str) -> list[Path]:
    """The files of a split: SPLIT.npz of each folder; a file named itself counts as "train"."""
    files: list[Path] = []
    for path in data:
        if path.is_dir():
            files.extend(p for p in [path / f"{split}.npz"] if p.is_file())
        elif split == "train":
            files.append(path)
    return files


def load_poses(files: Iterable[Path], mirror: bool) -> PoseSet:
    """Read packs, thin their clips, add the mirror image of each pose if asked, weight by subject.

    Raises:
        MotionError: no file, or a file is damaged or no motion pack.
    """
    packs = [read_pack(file) for file in files]
    if not packs:
        raise MotionError("No motion pack found; expected train.npz in the folder, or npz files of motion")
    rest = rest_of(packs[0])
    return pose_set([frames_of(pack, rest) for pack in packs], rest, mirror)


def pose_set(parts: Sequence[Frames], rest: np.ndarray, mirror: bool) -> PoseSet:
    """Frames as one set, with the mirror image of each if asked, weighted by subject.

    Args:
        parts: at least one frame in all.
        rest: rest joints (22, 3).
        mirror: whether.
    """
    w = np.concatenate([part.w for part in parts])
    weight = _weights(np.concatenate([part.subject for part in parts]), np.concatenate([part.kind for part in parts]))
    if mirror:
        w = np.concatenate([w, w[:, _SWAP] * np.array([1, -1, -1], dtype=w.dtype)])
        weight = np.concatenate([weight, weight])
    R = exp_so3(w)
    return PoseSet(R[:, 0], R[:, 1:], weight / weight.sum(), rest)


def load_clips(files: Iterable[Path]) -> Iterator[np.ndarray]:
    """Runs of frames (F, 22, 3, 3) in which nothing jumps, float32, the root's world orientation first."""
    for pack in map(read_pack, files):
        for start, length in zip(pack["start"].tolist(), pack["length"].tolist(), strict=True):
            cuts = np.flatnonzero(pack["jump"][start : start + length]).tolist()
            for first, end in zip([0, *(cut + 1 for cut in cuts)], [*cuts, length], strict=True):
                if end > first:
                    yield exp_so3(pack["poses"][start + first : start + end].astype(np.float32))


def read_pack(file: Path) -> dict[str, np.ndarray]:
    """The arrays of a motion pack.

    Raises:
        MotionError: the file is damaged or no motion pack.
    """
    pack = read_npz(file, (*_KEYS, *_ORIGIN), MotionError)
    missing = [key for key in _KEYS if key not in pack]
    if missing:
        raise MotionError(f'{file.name} has no "{missing[0]}"; expected a motion pack with {", ".join(_KEYS)}')
    n, clips = (pack[key].shape[0] if pack[key].ndim else 0 for key in ("poses", "start"))
    shapes = {"poses": (n, N_BODY, 3), "jump": (n,), "ref_rest_offsets": (N_BODY, 3)}
    shapes |= {key: (clips,) for key in ("start", "length", "subject", "kind")}
    for key, shape in shapes.items():
        if pack[key].shape != shape:
            raise MotionError(f"{file.name}: {key} has shape {pack[key].shape}; expected {shape}")
        if pack[key].dtype.kind not in _TYPES.get(key, pack[key].dtype.kind):
            raise MotionError(f"{file.name}: {key} is of type {pack[key].dtype}; expected a motion pack's numbers")
    if n == 0 or clips == 0 or pack["jump"].all():
        raise MotionError(f"{file.name} holds no usable frame; expected clips of poses")
    start, length = (pack[key].astype(np.int64) for key in ("start", "length"))
    if (start < 0).any() or (length < 0).any() or (start > n - length).any():
        raise MotionError(f"{file.name}: clips reach past frames 0 to {n}; get the file anew")
    if not (np.abs(pack["poses"]) < LARGEST_TURN).all():
        raise MotionError(f"{file.name}: poses are not finite, or far too large; expected rotation vectors")
    return pack


def rest_of(pack: dict[str, np.ndarray]) -> np.ndarray:
    """Rest joints (22, 3) of a pack's skeleton, the pelvis at the origin."""
    return BODY_TREE.sum_over_ancestors(pack["ref_rest_offsets"].astype(np.float32))


def frames_of(pack: dict[str, np.ndarray], rest: np.ndarray) -> Frames:
    """A pack's frames, thinned; how far joints move is measured on rest joints (22, 3)."""
    keep: list[np.ndarray] = []
    clips: list[np.ndarray] = []
    for clip, (start, length) in enumerate(zip(pack["start"].tolist(), pack["length"].tolist(), strict=True)):
        R = exp_so3(pack["poses"][start : start + length].astype(np.float32))
        rows = moved_frames(R, rest, np.flatnonzero(~pack["jump"][start : start + length]))
        keep.append(start + rows)
        clips.append(np.full(len(rows), clip))
    which = np.concatenate(clips)
    w = pack["poses"][np.concatenate(keep)].astype(np.float32)
    return Frames(w, pack["subject"][which], pack["kind"][which])


def moved_frames(R: np.ndarray, rest: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Which of some frames (K,) of poses R (F, 22, 3, 3) have moved since the last one taken, the pelvis aside."""
    R = R.copy()
    R[:, 0] = np.eye(3)
    p = BODY_TREE.positions(BODY_TREE.global_rotations(R), rest, np.zeros(3, dtype=np.float32))
    kept: list[int] = []
    for frame in frames.tolist():
        if not kept or np.linalg.norm(p[frame] - p[kept[-1]], axis=-1).mean() >= _THIN:
            kept.append(frame)
    return np.array(kept, dtype=np.int64)


def _weights(subject: np.ndarray, kind: np.ndarray) -> np.ndarray:
    """Weight (N,) of each frame: 1 / sqrt(frames of its subject), less for poor kinds of source."""
    _, which, frames = np.unique(subject, return_inverse=True, return_counts=True)
    return np.array([_KIND_WEIGHT.get(str(k), 1.0) for k in kind]) / np.sqrt(frames[which])
