# SPDX-License-Identifier: Apache-2.0
"""Fingers that carry markers, posed on top of the solved body, each on its own and all frames at once.

A finger is a chain of three joints on the wrist. Gauss-Newton on its nine rotation numbers: its markers under a robust
loss (Geman-McClure) that narrows, drawn weakly to a relaxed hand, more so where anatomy hardly turns; clamped to what
fingers can do. How far each marker sits from its place is found by turns with the poses.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..body import BodyModel
from ..body.hands import relaxed_hands
from ..ik.points import BodyPoints
from ..rotations import exp_so3
from ..skeleton import JOINTS
from .placement_table import placement_table

_SIGMA = 0.002  # metres, of a marker
_NARROWING = (0.1, 0.04, 0.02, 0.02)  # metres: scales of the robust loss
_ITERATIONS = 6  # at each scale
_TURNS = 3  # of poses and offsets
_OFFSET_SIGMA = 0.004  # metres, beside the noise of the mean over the frames
_LONGEST = 1.0  # seconds of a gap that is bridged
_HANDS, _FIRST = 25, 3  # the first joint of the hands among `JOINTS`; joints a finger
# Degrees by which the three joints stray from the relaxed hand: twist, spread and bend, as the axes X, Y and Z rest.
_STRAY = np.radians([[4, 15, 45], [2, 2, 45], [2, 2, 30]])
_STRAY_THUMB = np.radians([[20, 25, 20], [8, 15, 15], [5, 20, 10]])
_LOWEST, _HIGHEST = np.radians([-25, -5, -15]), np.radians([95, 110, 85])  # bend of a finger's joints
_COUPLED, _COUPLED_SIGMA = 0.6, np.radians(12)  # the last joint bends as far as the one before, this much of it


@dataclass(frozen=True)
class FingerMotion:
    """F frames of both hands."""

    poses: np.ndarray  # (F, 30, 3) rotation vectors; those of fingers without markers are relaxed
    places: np.ndarray  # (F, M, 3) metres, where the hands have their markers
    offsets: np.ndarray  # (M, 3) metres in the rest frame, from where the markers were placed


def finger_of(label: str) -> int | None:
    """The finger that a marker sits on, 0 to 9 in the order of `JOINTS`; None for the body's markers."""
    row = placement_table().get(label)
    joint = JOINTS.index(row.bone) if row is not None and row.bone else 0
    return (joint - _HANDS) // _FIRST if joint >= _HANDS else None


def has_fingers(body: BodyModel) -> bool:
    """Whether a body has joints for the fingers."""
    return JOINTS[_HANDS] in body.joint_names


def solve_fingers(
    points: BodyPoints, body: BodyModel, betas: np.ndarray, wrists: tuple[np.ndarray, np.ndarray],
    markers: np.ndarray, known: np.ndarray, rate: float, report: Callable[[float], None] = lambda fraction: None,
) -> FingerMotion:  # fmt: skip
    """Pose the fingers that carry markers.

    Args:
        points: M markers of fingers, on the body of the subject's betas.
        body: a body with fingers.
        betas: (B,).
        wrists: world rotations (F, 2, 3, 3) and places (F, 2, 3) of the left and the right wrist.
        markers: (F, M, 3) metres, NaN where unseen.
        known: (M, 3) offsets that are known, NaN where not.
        rate: Hz.
        report: called with the fraction done.
    """
    rest = np.asarray(body.rest_joints(betas))
    of = [finger_of(label) for label in points.names]
    poses = np.broadcast_to(relaxed_hands(), (len(markers), 30, 3)).copy()
    places, offsets = np.full(markers.shape, np.nan), np.where(np.isfinite(known), known, 0.0)
    for k, finger in enumerate(sorted({f for f in of if f is not None})):
        columns = [i for i, f in enumerate(of) if f == finger]
        side = finger // 5
        G, p = wrists[0][:, side], wrists[1][:, side]
        wrist = rest[body.joint_names.index("left_wrist" if side == 0 else "right_wrist")]
        local = (np.swapaxes(G, 1, 2)[:, None] @ (markers[:, columns] - p[:, None])[..., None])[..., 0] + wrist
        chain = _Finger.on(body, rest, finger, np.asarray(points.rest)[columns], [points.names[i] for i in columns])
        w, found = chain.solved(local, known[columns], rate)
        poses[:, 3 * finger : 3 * finger + 3] = w
        x = chain.forward(w, found)[0]
        places[:, columns] = (G[:, None] @ (x - wrist)[..., None])[..., 0] + p[:, None]
        offsets[columns] = found
        report((k + 1) / max(len(set(of)), 1))
    return FingerMotion(poses, places, offsets)


@dataclass(frozen=True)
class _Finger:
    """One finger at rest, in the wrist's rest frame."""

    joints: np.ndarray  # (3, 3) metres
    points: np.ndarray  # (K, 3) metres, its markers
    bones: np.ndarray  # (K,) which joint carries each
    relaxed: np.ndarray  # (3, 3) rotation vectors
    stray: np.ndarray  # (3, 3) radians
    side: float  # 1 left, -1 right
    thumb: bool

    @staticmethod
    def on(body: BodyModel, rest: np.ndarray, finger: int, points: np.ndarray, labels: Sequence[str]) -> "_Finger":
        names = JOINTS[_HANDS + 3 * finger : _HANDS + 3 * finger + 3]
        joints = rest[[body.joint_names.index(name) for name in names]]
        bones = np.array([names.index(placement_table()[label].bone or "") for label in labels])
        thumb, side = finger % 5 == 4, 1.0 if finger < 5 else -1.0
        relaxed = relaxed_hands()[3 * finger : 3 * finger + 3]
        return _Finger(joints, points, bones, relaxed, _STRAY_THUMB if thumb else _STRAY, side, thumb)

    def forward(self, w: np.ndarray, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Markers (F, K, 3), world rotations (F, 3, 3, 3) and places (F, 3, 3) of the joints."""
        R, G, p = exp_so3(w), np.zeros((len(w), 3, 3, 3)), np.zeros((len(w), 3, 3))
        G[:, 0], p[:, 0] = R[:, 0], self.joints[0]
        for j in (1, 2):
            G[:, j] = G[:, j - 1] @ R[:, j]
            p[:, j] = p[:, j - 1] + G[:, j - 1] @ (self.joints[j] - self.joints[j - 1])
        arms = self.points + offsets - self.joints[self.bones]
        return (G[:, self.bones] @ arms[..., None])[..., 0] + p[:, self.bones], G, p

    def solved(self, targets: np.ndarray, known: np.ndarray, rate: float) -> tuple[np.ndarray, np.ndarray]:
        """Rotation vectors (F, 3, 3) and offsets (K, 3) for markers (F, K, 3), NaN where unseen."""
        seen = np.all(np.isfinite(targets), axis=-1)
        told, fixed = np.flatnonzero(seen.any(1)), np.all(np.isfinite(known), axis=1)
        offsets = np.where(fixed[:, None], known, 0.0)
        w = np.broadcast_to(self.relaxed, (len(targets), 3, 3)).copy()
        if not len(told):
            return w, offsets
        there, near = targets[told], w[told]
        for turn in range(_TURNS):
            for scale in _NARROWING if turn == 0 else _NARROWING[-1:]:
                for _ in range(_ITERATIONS):
                    near = self._stepped(near, np.nan_to_num(there), seen[told], offsets, scale)
            if fixed.all() or turn == _TURNS - 1:
                break
            offsets = np.where(fixed[:, None], known, self._offsets(near, there, offsets))
        return _bridged(near, told, len(targets), rate), offsets

    def _stepped(
        self, w: np.ndarray, targets: np.ndarray, seen: np.ndarray, offsets: np.ndarray, scale: float
    ) -> np.ndarray:
        """Rotation vectors after a Gauss-Newton step; of each joint about its own axes."""
        x, G, p = self.forward(w, offsets)
        r = x - targets
        e = np.sum(r * r, axis=-1)
        weight = seen * (scale**2 / (scale**2 + e)) ** 2 / _SIGMA**2
        n, k = len(w), len(self.points)
        J = np.zeros((n, k, 3, 9))
        for j in range(3):
            turned = self.bones >= j
            arm = x[:, turned] - p[:, None, j]
            J[:, turned, :, 3 * j : 3 * j + 3] = -_cross(arm) @ G[:, None, j]
        J_w = (weight[..., None, None] * J).reshape(n, 3 * k, 9)
        H = np.swapaxes(J_w, 1, 2) @ J.reshape(n, 3 * k, 9)
        g = np.sum(J_w * r.reshape(n, 3 * k, 1), axis=1)
        away, ridge = (w - self.relaxed).reshape(n, 9), 1 / self.stray.reshape(-1) ** 2
        H[:, range(9), range(9)] += ridge
        g += ridge * away
        if not self.thumb:
            coupling = np.zeros(9)
            coupling[8], coupling[5] = 1.0, -_COUPLED
            H += np.outer(coupling, coupling) / _COUPLED_SIGMA**2
            g += (away @ coupling)[:, None] * coupling / _COUPLED_SIGMA**2
        step = -np.linalg.solve(H, g[..., None])[..., 0].reshape(n, 3, 3)
        return self._possible(w + np.clip(step, -0.5, 0.5))

    def _possible(self, w: np.ndarray) -> np.ndarray:
        """Rotation vectors within what a finger can do; a thumb within three times what it strays by."""
        low, high = self.relaxed - 3 * self.stray, self.relaxed + 3 * self.stray
        if not self.thumb:
            bend = np.stack([-self.side * _LOWEST, -self.side * _HIGHEST])
            low[:, 2], high[:, 2] = bend.min(0), bend.max(0)
        return np.clip(w, low, high)

    def _offsets(self, w: np.ndarray, targets: np.ndarray, offsets: np.ndarray) -> np.ndarray:
        """Offsets (K, 3) that explain what the poses miss in the middle of the frames."""
        x, G, _ = self.forward(w, offsets)
        missed = (np.swapaxes(G[:, self.bones], 2, 3) @ (targets - x)[..., None])[..., 0]
        n = np.isfinite(missed).all(-1).sum(0)[:, None]
        share = _OFFSET_SIGMA**2 / (_OFFSET_SIGMA**2 + _SIGMA**2 / np.maximum(n, 1))
        found = np.nan_to_num(np.array([np.nanmedian(m, axis=0) if np.isfinite(m).any() else np.zeros(3)
                                        for m in np.swapaxes(missed, 0, 1)]))  # fmt: skip
        return np.clip(offsets + np.where(n > 0, share * found, 0.0), -3 * _OFFSET_SIGMA, 3 * _OFFSET_SIGMA)


def _cross(v: np.ndarray) -> np.ndarray:
    """Matrices (..., 3, 3) that take the cross product of vectors with others."""
    x, y, z = np.moveaxis(v, -1, 0)
    zero = np.zeros_like(x)
    return np.stack([np.stack(row, -1) for row in ((zero, -z, y), (z, zero, -x), (-y, x, zero))], -2)


def _bridged(w: np.ndarray, told: np.ndarray, n_frames: int, rate: float) -> np.ndarray:
    """Rotation vectors of all frames from those of some: short gaps evenly, others as in the nearest frame."""
    frames = np.arange(n_frames)
    after = np.clip(np.searchsorted(told, frames), 0, len(told) - 1)
    before = np.maximum(after - (told[after] > frames), 0)
    gap = told[after] - told[before]
    t = np.clip((frames - told[before]) / np.maximum(gap, 1), 0.0, 1.0)
    t = np.where(gap > _LONGEST * rate + 1, np.round(t), t)[:, None, None]
    return w[before] * (1 - t) + w[after] * t
