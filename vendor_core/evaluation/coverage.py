# SPDX-License-Identifier: Apache-2.0
"""Does a prior sample what people do, and nothing else? Recall, precision, diversity, and the distance of densities.

Recall and precision by the nearest neighbour, in millimetres; by k-nearest balls as a share: Kynkaanniemi et al.,
"Improved Precision and Recall Metric", NeurIPS 2019; FID on joints: Heusel et al., NeurIPS 2017.
"""

from dataclasses import dataclass

import numpy as np

from ..ik.balls import default_balls
from ..ik.untangle import gaps_of
from ..linalg import one_blas_thread
from ..prior.base import Prior
from ..training.measure import frechet_distance
from .data import SEED, EvaluationData, chunks
from .limits import joint_limits
from .neighbours import NearestPose

_NEAR_MM = (20, 40, 60, 80)
_K = 3


@dataclass(frozen=True)
class CoverageSizes:
    """How many poses each figure is made from."""

    samples: tuple[int, ...] = (200_000, 20_000, 2_000)
    queries: int = 2_000
    apart: int = 500  # poses whose mean pairwise distance is the diversity


def coverage(prior: Prior, data: EvaluationData, sizes: CoverageSizes = CoverageSizes()) -> dict[str, object]:
    """Recall, precision, diversity, joint limits and densities of a prior's own samples.

    Returns:
        `recall` and `precision` as statistics in mm, `recall_curve` and `precision_curve` (101,) at 0 to 100 mm,
        `knn_precision`, `knn_recall`, `fid` (mm^2), `apd` (mm), `over_limits`, `intersecting` (shares), and the
        `worst` samples' numbers.
    """
    R = samples(prior, max(sizes.samples))
    queries = data.some(sizes.queries)
    found = {n: NearestPose(data, R[:n]).distances(queries) for n in sizes.samples}
    precision = NearestPose(data, data.train.R).distances(R[: sizes.queries])
    recall = found[max(sizes.samples)]
    return {
        "recall": _statistics(recall),
        **{f"recall_{n}": _statistics(found[n]) for n in sizes.samples[1:]},
        "recall_curve": _curve(recall),
        "precision": _statistics(precision),
        "precision_curve": _curve(precision),
        **_by_balls(data.joints(R[: len(queries)]), data.joints(queries)),
        "apd": diversity(data, R[: sizes.apart]),
        "over_limits": joint_limits(data.train.R).over(R[: 10 * sizes.queries]),
        "intersecting": intersecting(R[: sizes.queries]),
        "worst": np.argsort(precision)[-10:][::-1].tolist(),
    }


def floor(data: EvaluationData, sizes: CoverageSizes = CoverageSizes()) -> dict[str, object]:
    """The same of real poses: the split against the training poses, and these among themselves."""
    rng, train = np.random.default_rng(SEED), NearestPose(data, data.train.R)
    near = train.distances(data.some(sizes.queries))
    # An even draw by subject, as the prior was trained; a neighbour in time is a neighbour in pose.
    drawn = data.train.R[rng.choice(len(data.train), sizes.queries, p=data.train.weight)]
    return {
        "recall": _statistics(near),
        "recall_curve": _curve(near),
        "precision": _statistics(near),
        "train_to_train": _statistics(train.distances(drawn, itself=True)),
        "apd": diversity(data, data.some(sizes.apart)),
        "apd_train": diversity(data, drawn[: sizes.apart]),
        "over_limits": joint_limits(data.train.R).over(data.some(10 * sizes.queries)),
        "over_limits_train": joint_limits(data.train.R).over(data.train.R),
        "intersecting": intersecting(data.some(sizes.queries)),
        "intersecting_train": intersecting(drawn),
    }


def samples(prior: Prior, n: int, seed: int = SEED) -> np.ndarray:
    """n poses (n, 21, 3, 3), float32, of the prior's own density."""
    z = prior.sample(n, seed).astype(np.float32)
    return np.concatenate([prior.decode(part) for part in chunks(z, 8192)])


def intersecting(R: np.ndarray) -> float:
    """Share of poses R (N, 21, 3, 3) in which limbs are in the default body or in one another."""
    root = np.broadcast_to(np.eye(3), (len(R), 1, 3, 3))
    return float((gaps_of(default_balls(), np.concatenate([root, R], axis=1)) < 0).any(1).mean())


def diversity(data: EvaluationData, R: np.ndarray) -> float:
    """Average pairwise distance, mm: of the joints of poses R (N, 21, 3, 3), the mean over all pairs."""
    p = data.joints(R)
    apart = [np.linalg.norm(p - one, axis=-1).mean(-1).sum() for one in p]
    return 1e3 * float(np.sum(apart)) / (len(p) * (len(p) - 1))


@one_blas_thread
def _by_balls(drawn: np.ndarray, real: np.ndarray) -> dict[str, float]:
    """Precision and recall by balls that reach to the third neighbour, and FID, of joints (N, 22, 3)."""
    a, b = (1e3 * p.reshape(len(p), -1).astype(np.float64) for p in (drawn, real))
    apart = _distances(a, b)
    reach_a, reach_b = (np.partition(_distances(p, p), _K, axis=1)[:, _K] for p in (a, b))
    return {
        "knn_precision": float((apart <= reach_b[None, :]).any(1).mean()),
        "knn_recall": float((apart <= reach_a[:, None]).any(0).mean()),
        "fid": frechet_distance(a, b),
    }


def _distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    squared = np.sum(a * a, axis=1)[:, None] + np.sum(b * b, axis=1) - 2 * a @ b.T
    return np.sqrt(np.clip(squared, 0, None))


def _statistics(mm: np.ndarray) -> dict[str, float]:
    near = {f"within_{d}": float((mm <= d).mean()) for d in _NEAR_MM}
    return {"mean": float(mm.mean()), "median": float(np.median(mm)), **near}


def _curve(mm: np.ndarray) -> list[float]:
    return [round(float((mm <= d).mean()), 4) for d in range(101)]
