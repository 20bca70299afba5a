# SPDX-License-Identifier: Apache-2.0
"""How paths between real poses run: evenly, straight, near to what people do, within joint limits.

R is the longest step of a path by its shortest, a step being the mean distance that the surface moves between two
frames: Davydov et al., "Adversarial Parametric Pose Prior", CVPR 2022. R alone says nothing of plausibility: each joint
turned on its own scores well, and re-timing makes any path even.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from ..errors import MotionError
from ..prior.base import Prior
from ..prior.interpolate import interpolate_poses
from ..rotations import rotation_angle
from .data import SEED, EvaluationData
from .limits import joint_limits
from .neighbours import NearestPose

Path = Literal["latent", "slerp", "geodesic"]
Timing = Literal["constant", "linear"]

_FINE = 120  # steps that measure a path's length
_MIDDLES = (0.25, 0.5, 0.75)
_CURVES = 30  # steps of the step curves
_ALIKE = 0.1  # mm: keys as near as this are one pose


@dataclass(frozen=True)
class PathSizes:
    """How many keys, and the numbers of steps between two of them."""

    keys: int = 128
    steps: tuple[int, ...] = (30, 10)


class Paths:
    """Pairs of real poses, and the training poses and limits that the paths between them are held against.

    Raises:
        MotionError: no two poses differ.
    """

    def __init__(self, data: EvaluationData, sizes: PathSizes = PathSizes()):
        self.data, self.sizes = data, sizes
        keys = data.some(sizes.keys).astype(np.float64)
        pairs = np.stack([keys[:-1], keys[1:]], axis=1)  # (pairs, 2, 21, 3, 3)
        self.apart = self._steps(pairs)[:, 0] if len(pairs) else np.zeros(0)
        if not (self.apart > _ALIKE).any():
            raise MotionError(f"{data.split} holds no two poses that differ, so there is no path; expected more poses")
        self.pairs, self.apart = pairs[self.apart > _ALIKE], self.apart[self.apart > _ALIKE]
        self.train, self.limits = NearestPose(data, data.train.R), joint_limits(data.train.R)

    def measure(self, prior: Prior, path: Path = "latent") -> dict[str, object]:
        """R raw and re-timed, path ratio, distance from data midway, limits, and how well keys are hit.

        Returns:
            `r_drawn` (as `r_30`, between drawn latents, so that nothing but the decoder counts); `r_T` and
            `r_retimed_T` (mean, median, p95, max) for each number of steps T; `path_ratio` (length by the distance of
            the keys); `mid_mm` (mean, median); `over_limits`; `key_error` (radians); `step_curve` and
            `step_curve_retimed` (30,), mean steps by the mean of their path.
        """
        found: dict[str, object] = {}
        timings: tuple[tuple[Timing, str], ...] = (("linear", "r"), ("constant", "r_retimed"))
        for steps in self.sizes.steps:
            for timing, name in timings:
                found[f"{name}_{steps}"] = _ratios(self._steps(self._along(prior, path, steps, timing), every=True))
        if path == "latent":
            found["r_drawn"] = self._between_draws(prior)
        curves = self._along(prior, path, _CURVES, "linear"), self._along(prior, path, _CURVES, "constant")
        fine = self._steps(self._along(prior, path, _FINE, "linear"))
        middles = curves[1][:, [round(t * _CURVES) for t in _MIDDLES]].reshape(-1, *self.pairs.shape[2:])
        near = self.train.distances(middles)
        return found | {
            "path_ratio": float((fine.sum(1) / self.apart).mean()),
            "mid_mm": {"mean": float(near.mean()), "median": float(np.median(near))},
            "over_limits": self.limits.over(curves[1].reshape(-1, *self.pairs.shape[2:])),
            "key_error": _key_error(curves[1], self.pairs),
            "step_curve": _mean_curve(self._steps(curves[0])),
            "step_curve_retimed": _mean_curve(self._steps(curves[1])),
        }

    def _along(self, prior: Prior, path: Path, steps: int, timing: Timing) -> np.ndarray:
        """Poses (pairs, steps + 1, 21, 3, 3)."""
        return np.stack([interpolate_poses(prior, pair, [steps], path, timing) for pair in self.pairs])

    def _between_draws(self, prior: Prior) -> dict[str, float]:
        z, t = prior.sample(self.sizes.keys, SEED), np.linspace(0, 1, _CURVES + 1)
        paths = np.stack([prior.decode(prior.space.between(a, b, t)) for a, b in pairwise(z)])
        return _ratios(self._steps(paths, every=True))

    def _steps(self, R: np.ndarray, every: bool = False) -> np.ndarray:
        """Mean movement (pairs, steps), mm, of the surface from frame to frame; of every vertex if asked."""
        points = np.arange(len(self.data.body.v_template)) if every else self.data.points
        surfaces = (self.data.surface(path, points) for path in R)
        return np.stack([1e3 * np.linalg.norm(np.diff(p, axis=0), axis=-1).mean(-1) for p in surfaces])


def _ratios(steps: np.ndarray) -> dict[str, float]:
    r = steps.max(1) / np.maximum(steps.min(1), 1e-9)
    p95 = float(np.quantile(r, 0.95))
    return {"mean": float(r.mean()), "median": float(np.median(r)), "p95": p95, "max": float(r.max())}


def _mean_curve(steps: np.ndarray) -> list[float]:
    return (steps / steps.mean(1, keepdims=True)).mean(0).round(4).tolist()


def _key_error(R: np.ndarray, pairs: np.ndarray) -> float:
    """Largest angle, radians, between the ends of paths (pairs, T, 21, 3, 3) and their keys (pairs, 2, 21, 3, 3)."""
    return float(rotation_angle(np.swapaxes(R[:, [0, -1]], -1, -2) @ pairs).max())
