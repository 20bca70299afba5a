# SPDX-License-Identifier: Apache-2.0
"""Real motion of subjects that training never saw, on the default body: single poses and continuous clips."""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from vendor_core.body import BodyModel
from vendor_core.body.model import PosedBody
from vendor_core.rotations import exp_so3, matrix_to_quaternion, quaternion_to_matrix
from vendor_core.skeleton import N_BODY

from .rows import Settings, Unavailable

PACK_RATE = 30.0  # Hz, of the motion packs
_TO_Z_UP = exp_so3(np.array([np.pi / 2, 0, 0]))


@dataclass(frozen=True)
class Clip:
    """F frames of continuous motion in one world."""

    name: str
    subject: str
    rate: float  # Hz
    R_local: np.ndarray  # (F, 22, 3, 3), the root's world orientation first
    pelvis: np.ndarray  # (F, 3) metres

    def __len__(self) -> int:
        return len(self.pelvis)

    def part(self, first: int, n: int) -> "Clip":
        """n frames from the first one given."""
        return replace(self, R_local=self.R_local[first : first + n], pelvis=self.pelvis[first : first + n])

    def z_up(self) -> "Clip":
        """The clip in the world of takes and motion files, from the body's world, in which Y is up."""
        R = self.R_local.copy()
        R[:, 0] = _TO_Z_UP @ R[:, 0]
        return replace(self, R_local=R, pelvis=self.pelvis @ _TO_Z_UP.T)

    def trans(self, body: BodyModel, betas: np.ndarray | None = None) -> np.ndarray:
        """(F, 3) metres: the body's translation, which counts from its rest pelvis."""
        return self.pelvis - body.rest_joints(betas)[0]

    def posed(self, body: BodyModel, betas: np.ndarray | None = None) -> PosedBody:
        """The body in these poses; its first 22 joints are the ground truth."""
        return body.pose(self.R_local, self.trans(body, betas), betas)

    def joints(self, body: BodyModel, betas: np.ndarray | None = None) -> np.ndarray:
        """(F, 22, 3) metres."""
        return self.posed(body, betas).joints[:, :N_BODY]


def pack_of(settings: Settings) -> dict[str, np.ndarray]:
    """The arrays of the split.

    Raises:
        Unavailable: the development data is not here.
    """
    return _pack(settings.data / "motion" / f"{settings.split}.npz")


@cache
def _pack(path: Path) -> dict[str, np.ndarray]:
    if not path.is_file():
        raise Unavailable(f"the development data is not here: no {path.parent.name}/{path.name}")
    with np.load(path) as archive:
        return dict(archive)


def random_poses(settings: Settings, body: BodyModel, n: int, seed: int = 1234) -> tuple[np.ndarray, np.ndarray]:
    """n poses of the split, each turned about the vertical and put somewhere at random.

    Returns:
        R_local (n, 22, 3, 3) and the joints (n, 22, 3) of the body in metres, Y up.
    """
    rng = np.random.default_rng(seed)
    pack = pack_of(settings)
    poses = pack["poses"][~pack["jump"]]
    R = exp_so3(poses[rng.choice(len(poses), n, replace=False)].astype(np.float64))
    R[:, 0] = exp_so3(rng.uniform(-np.pi, np.pi, (n, 1)) * [0, 1, 0]) @ R[:, 0]
    return R, body.pose(R, trans=rng.normal(size=(n, 3))).joints[:, :N_BODY]


def clips(settings: Settings, least: int = 60) -> list[Clip]:
    """Runs of at least so many frames in which nothing jumps, at 30 Hz, the longest first."""
    pack = pack_of(settings)
    found = []
    for c, (start, length) in enumerate(zip(pack["start"].tolist(), pack["length"].tolist(), strict=True)):
        cuts = np.flatnonzero(pack["jump"][start : start + length]).tolist()
        for first, end in zip([0, *(cut + 1 for cut in cuts)], [*cuts, length], strict=True):
            if end - first >= least:
                rows = slice(start + first, start + end)
                R = exp_so3(pack["poses"][rows].astype(np.float64))
                name, subject = str(pack["clip_id"][c]), str(pack["subject"][c])
                found.append(Clip(name, subject, PACK_RATE, R, pack["trans"][rows].astype(np.float64)))
    return sorted(found, key=lambda clip: -len(clip))


def one_clip_a_subject(settings: Settings, n_frames: int, rate: float = PACK_RATE) -> list[Clip]:
    """The middle n frames, at a rate, of each subject's longest clip, where it has as many."""
    longest: dict[str, Clip] = {}
    for clip in clips(settings):
        longest.setdefault(clip.subject, clip)
    fast = [at_rate(clip, rate) for clip in longest.values()]
    return [clip.part((len(clip) - n_frames) // 2, n_frames) for clip in fast if len(clip) >= n_frames]


def long_clip(settings: Settings, n_frames: int, rate: float) -> Clip:
    """n frames at a rate: the split's longest clip, played to and fro as often as it takes."""
    clip = at_rate(clips(settings)[0], rate)
    there_and_back = np.concatenate([np.arange(len(clip)), np.arange(len(clip) - 2, 0, -1)])
    rows = np.resize(there_and_back, n_frames)
    return replace(clip, R_local=clip.R_local[rows], pelvis=clip.pelvis[rows])


def at_rate(clip: Clip, rate: float) -> Clip:
    """A clip at another rate, on uniform cubic B-splines of its quaternions and places.

    The spline also smooths out the steps, about a milliradian, in which the packs store rotations: they would count as
    acceleration.
    """
    times = np.arange(0, (len(clip) - 1) / clip.rate + 1e-9, 1 / rate) * clip.rate
    q = matrix_to_quaternion(clip.R_local)
    turned = np.sign(np.sum(q[1:] * q[:-1], axis=-1, keepdims=True))
    q[1:] *= np.cumprod(np.where(turned == 0, 1, turned), axis=0)  # q and -q are one rotation: keep to one side
    R = quaternion_to_matrix(_spline(q, times))
    return replace(clip, rate=rate, R_local=R, pelvis=_spline(clip.pelvis, times))


def _spline(knots: np.ndarray, times: np.ndarray) -> np.ndarray:
    """The uniform cubic B-spline (T, ...) of control points (F, ...) at times in 0..F-1, straight on at the ends."""
    ends = 2 * knots[:1] - knots[1:2], 2 * knots[-1:] - knots[-2:-1]
    knots = np.concatenate([ends[0], knots, ends[1]])
    left = np.minimum(times.astype(int), len(knots) - 4)
    s = (times - left).reshape(-1, *[1] * (knots.ndim - 1))
    basis = ((1 - s) ** 3, 3 * s**3 - 6 * s**2 + 4, -3 * s**3 + 3 * s**2 + 3 * s + 1, s**3)
    return sum(b * knots[left + i] for i, b in enumerate(basis)) / 6  # type: ignore[return-value]
