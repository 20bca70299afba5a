# SPDX-License-Identifier: Apache-2.0
"""What priors are judged on: poses of subjects that no prior was trained on, on one body, its root unturned."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from ..body import BodyModel, default_body
from ..errors import MotionError
from ..skeleton import N_BODY
from ..training.data import PoseSet, load_clips, load_poses, pack_files
from ..training.gather import gather, read_turns, told
from ..training.people import SPLITS

SEED = 1234
_POINTS = 400  # vertices whose mean distance stands for that of the whole skin
_CHUNK = 2048  # poses at a time: a mesh of each is held


@dataclass(frozen=True)
class EvaluationData:
    """Training poses, mirrored too, poses of a split that training never saw, and that split's continuous clips."""

    split: str
    train: PoseSet
    held_out: PoseSet
    clips: tuple[np.ndarray, ...]  # (F, 22, 3, 3) each, the root's world orientation first, 30 Hz
    body: BodyModel

    @cached_property
    def points(self) -> np.ndarray:
        """Vertices (P,), spread at random over the body, that distances between poses are measured at."""
        rng = np.random.default_rng(SEED)
        return np.sort(rng.choice(len(self.body.v_template), min(_POINTS, len(self.body.v_template)), replace=False))

    @cached_property
    def rest_joints(self) -> np.ndarray:
        """Rest joints (22, 3) of the body, metres, pelvis at the origin."""
        rest = np.asarray(self.body.joints_template[:N_BODY], dtype=np.float32)
        return rest - rest[0]

    def surface(self, R: np.ndarray, points: np.ndarray | None = None) -> np.ndarray:
        """Vertices (N, P, 3), metres, float32, of poses R (N, 21, 3, 3); the root neither turned nor moved."""
        points = self.points if points is None else points
        body = self._single
        parts = [np.asarray(body.pose(with_root(part), vertices=points).vertices) for part in chunks(R)]
        return np.concatenate(parts) if parts else np.zeros((0, len(points), 3), np.float32)

    def joints(self, R: np.ndarray) -> np.ndarray:
        """Joints (N, 22, 3), metres, float32, of poses R (N, 21, 3, 3); the root neither turned nor moved."""
        body = self._single
        return np.concatenate([body.pose(with_root(part)).joints[:, :N_BODY] for part in chunks(R)])

    @cached_property
    def _single(self) -> BodyModel:
        """The body in single precision, without joints of hands and face: they are carried rigidly."""
        body = self.body
        body = replace(
            body, joint_names=body.joint_names[:N_BODY], parents=body.parents[:N_BODY],
            weights=body.weights_of_first(N_BODY), joints_template=body.joints_template[:N_BODY],
            joint_shape_dirs=body.joint_shape_dirs[:N_BODY],
        )  # fmt: skip
        return body.like(np.zeros(1, np.float32))

    def some(self, n: int, seed: int = SEED) -> np.ndarray:
        """n poses (n, 21, 3, 3) of the split, or as many as it has, in an order that the seed decides."""
        rng = np.random.default_rng(seed)
        return self.held_out.R[rng.permutation(len(self.held_out))[:n]]


def with_root(R: np.ndarray) -> np.ndarray:
    """Poses R (N, 21, 3, 3) with an unturned root before them: (N, 22, 3, 3), float32."""
    root = np.broadcast_to(np.eye(3, dtype=np.float32), (len(R), 1, 3, 3))
    return np.concatenate([root, np.asarray(R, dtype=np.float32)], axis=1)


def chunks(R: np.ndarray, size: int = _CHUNK) -> Iterator[np.ndarray]:
    """The rows of an array, some at a time."""
    for first in range(0, len(R), size):
        yield R[first : first + size]


def read_evaluation_data(
    folder: str | Path, split: str = "test", say: Callable[[str], None] = lambda text: None
) -> EvaluationData:
    """Read a folder of motion packs, or of AMASS and BVH files.

    Args:
        folder: with train.npz and SPLIT.npz, or with folders of people.
        split: of packs, "test" or "val"; of files, "subjects" or "amass": those are judged on whom `train` holds out.
        say: called with what the user should know.

    Raises:
        MotionError: a pack is missing, damaged or empty; or files leave nobody to train on, or nobody to judge on.
    """
    folder = Path(folder)
    if split in SPLITS:
        if is_of_packs(folder):
            raise MotionError(f"{folder} holds motion packs, which come split; expected --split test or val")
        return _of_files(folder, split, say)
    for name in ("train", split):
        if not (folder / f"{name}.npz").is_file():
            raise MotionError(
                f"{folder} has no {name}.npz; expected a folder with train.npz and {split}.npz, motion packs; "
                f"AMASS and BVH files are split by {' or '.join(SPLITS)}"
            )
    held_out = pack_files([folder], split)
    train = load_poses(pack_files([folder], "train"), mirror=True)
    return EvaluationData(split, train, load_poses(held_out, mirror=False), tuple(load_clips(held_out)), default_body())


def is_of_packs(folder: Path) -> bool:
    """Whether a folder holds motion packs rather than files of people."""
    return (folder / "train.npz").is_file()


def _of_files(folder: Path, split: str, say: Callable[[str], None]) -> EvaluationData:
    found = gather([folder], split, lambda _fraction, _text: None, say)
    if found.skipped:
        say(f"{len(found.skipped)} files were skipped ({told(found.skipped)})")
    if found.held_out is None:
        raise MotionError(f"{folder} has nobody to judge on; expected several people, one folder each")
    clips = [R for R, moves in map(read_turns, found.held_out_files) if moves]
    return EvaluationData(split, found.train, found.held_out, tuple(clips), default_body())
