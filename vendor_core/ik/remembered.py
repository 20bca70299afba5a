# SPDX-License-Identifier: Apache-2.0
"""Limbs whose points are all unseen, as the same body moved them when the rest of it did alike.

People repeat themselves: in a walk, what the left leg does while nobody sees it, it does a cycle earlier too, and the
right leg half a cycle later. So a hidden limb is turned as in the frames, or their mirror images, in which all other
joints are posed and move most alike (a locally weighted mean of nearest neighbours: Atkeson, Moore and Schaal, "Locally
Weighted Learning", 1997), and led over to where it was seen before and is seen after.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..motion.mirror import mirrored
from ..rotations import exp_so3, log_so3
from ..skeleton import BODY_JOINTS, JOINT_GROUPS, MIRROR, N_BODY
from .residuals.turn import Turn

SIGMA = 0.1  # radians that cost one unit
_SHORTEST = 0.1  # seconds unseen, below which evenness of motion does as well
_MOMENT = 0.05  # seconds on both sides that speed is taken over
_SPEED = 0.1  # seconds: how much a radian a second counts beside a radian
_UPRIGHT = 3.0  # how much the pelvis' upright direction counts beside a column of a joint's rotation
_ALIKE = 8  # frames that the mean is taken of
_LED = 0.15  # seconds in which a limb is led over
_MOST = 4000  # frames to choose from, spread over the take
_CHUNK = 256  # frames at a time
_LIMBS = {name: [BODY_JOINTS.index(joint) for joint in joints] for name, joints in JOINT_GROUPS.items()
          if name not in ("torso", "head")}  # fmt: skip


def remembered(R_local: np.ndarray, told: np.ndarray, rate: float) -> Turn | None:
    """Turns of limbs while they are unseen.

    Args:
        R_local: (F, J, 3, 3) rotations relative to the parents, of the 22 joints of the body first.
        told: (F, J) bool, of which joints points tell; frames without any ask for nothing.
        rate: Hz.

    Returns:
        What they are to be, sure where they are hidden; None where no limb is for long, or nothing is like it.
    """
    R, told = R_local[:, :N_BODY], told[:, :N_BODY]
    targets, sure = R.copy(), np.zeros(R.shape[:2])
    poses: tuple[_Poses, ...] = ()
    for run, limb in _hidden(told, rate):
        poses = poses or _as_seen_and_mirrored(R, told, rate)
        known = np.setdiff1d(np.flatnonzero(told[run].all(0)), limb)
        found = _from_alike(poses, run, limb, known)
        if found is not None:
            frames = np.arange(run.start, run.stop)
            targets[frames[:, None], limb] = _led_over(R[:, limb], found, run, rate)
            sure[frames[:, None], limb] = 1.0
    return Turn(sure, SIGMA, targets) if sure.any() else None


@dataclass(frozen=True)
class _Poses:
    """Frames by what does not depend on where they are and which way they face."""

    R: np.ndarray  # (F, 22, 3, 3)
    told: np.ndarray  # (F, 22)
    rows: np.ndarray  # (F, 21, 18) rotations of the joints, and their changes
    root: np.ndarray  # (F, 6) which way is up, and how the pelvis turns
    reach: int  # frames on both sides that speed is taken over

    @classmethod
    def of(cls, R: np.ndarray, told: np.ndarray, rate: float) -> "_Poses":
        n, reach = len(R), max(1, round(_MOMENT * rate))
        before, after = np.clip(np.arange(n) - reach, 0, n - 1), np.clip(np.arange(n) + reach, 0, n - 1)
        seconds = np.maximum(after - before, 1) / rate
        flat = R[:, 1:].reshape(n, N_BODY - 1, 9)
        change = (flat[after] - flat[before]) / seconds[:, None, None]
        turn = log_so3(np.swapaxes(R[before, 0], -1, -2) @ R[after, 0]) / seconds[:, None]
        root = np.concatenate([_UPRIGHT * R[:, 0, 2], np.sqrt(2) * _SPEED * turn], axis=1)  # of a small turn, so
        return cls(R, told, np.concatenate([flat, _SPEED * change], axis=2), root, reach)

    def features(self, frames: np.ndarray, joints: np.ndarray) -> np.ndarray:
        """(N, D) of frames (N,): of the root and of some joints."""
        chosen = self.rows[frames][:, joints[joints > 0] - 1]
        return np.concatenate([self.root[frames], chosen.reshape(len(frames), -1)], axis=1)

    def showing(self, run: slice, joints: np.ndarray) -> np.ndarray:
        """Frames outside a run, and far enough from it for their speed, that tell of joints; not more than `_MOST`."""
        frames = np.flatnonzero(self.told[:, joints].all(1))
        frames = frames[(frames < run.start - self.reach) | (frames >= run.stop + self.reach)]
        return frames[:: -(-len(frames) // _MOST)] if len(frames) else frames


def _as_seen_and_mirrored(R: np.ndarray, told: np.ndarray, rate: float) -> tuple[_Poses, _Poses]:
    left = R[:, 0, :, 0]
    return _Poses.of(R, told, rate), _Poses.of(mirrored(R, left), told[:, list(MIRROR[:N_BODY])], rate)


def _hidden(told: np.ndarray, rate: float) -> Iterator[tuple[slice, np.ndarray]]:
    """Stretches of frames in which joints of a limb are unseen that are seen elsewhere, and these joints."""
    for limb in _LIMBS.values():
        once = [joint for joint in limb if told[:, joint].any()]
        edges = np.flatnonzero(np.diff(np.concatenate([[False], ~told[:, once].all(1), [False]])))
        for first, stop in edges.reshape(-1, 2).tolist() if once else ():
            if (stop - first) / rate >= _SHORTEST:
                run = slice(first, stop)
                yield run, np.array(once)[~told[run][:, once].all(0)]


def _from_alike(poses: tuple[_Poses, ...], run: slice, limb: np.ndarray, known: np.ndarray) -> np.ndarray | None:
    """Rotations (N + 2, L, 3, 3) of a limb's joints in a run of N frames and in those before and after it.

    Args:
        poses: of the take, and of its mirror image.
        run: frames; at an end of the take the frame there stands for the one beyond.
        limb: (L,) the joints.
        known: (K,) joints that are seen all the while.
    """
    frames = [part.showing(run, np.union1d(limb, known)) for part in poses]
    if min(sum(map(len, frames)), len(known)) < _ALIKE:
        return None
    shown = np.concatenate([part.features(chosen, known) for part, chosen in zip(poses, frames, strict=True)])
    limbs = np.concatenate([part.R[chosen][:, limb] for part, chosen in zip(poses, frames, strict=True)])
    asked = poses[0].features(np.clip(np.arange(run.start - 1, run.stop + 1), 0, len(poses[0].R) - 1), known)
    found = [_mean_of_alike(shown, limbs, asked[i : i + _CHUNK]) for i in range(0, len(asked), _CHUNK)]
    return np.concatenate(found)


def _mean_of_alike(shown: np.ndarray, limbs: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Rotations (N, L, 3, 3), by features asked (N, D), from those (C, L, 3, 3) that features (C, D) show."""
    squares = np.sum(asked**2, 1)[:, None] + np.sum(shown**2, 1) - 2 * asked @ shown.T
    nearest = np.argpartition(squares, _ALIKE - 1, axis=1)[:, :_ALIKE]
    apart = np.maximum(np.take_along_axis(squares, nearest, axis=1), 1e-9)
    weight = np.exp(-0.5 * apart / apart.min(1, keepdims=True))
    U, _, Vt = np.linalg.svd(np.einsum("nk,nklab->nlab", weight, limbs[nearest]))
    U[..., 2] *= np.sign(np.linalg.det(U @ Vt))[..., None]
    return U @ Vt


def _led_over(R: np.ndarray, found: np.ndarray, run: slice, rate: float) -> np.ndarray:
    """Rotations (N, L, 3, 3) of a run as found (N + 2, L, 3, 3), turned to meet what is seen (F, L, 3, 3) around it."""
    turn, at = np.zeros((*found.shape[:2], 3)), np.arange(len(found))
    for edge, frame in ((0, run.start - 1), (len(found) - 1, run.stop)):
        if 0 <= frame < len(R):
            fades = np.exp(-np.abs(at - edge) / (rate * _LED))[:, None, None]
            turn += fades * log_so3(R[frame] @ np.swapaxes(found[edge], -1, -2))
    return (exp_so3(turn) @ found)[1:-1]
