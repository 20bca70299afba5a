# SPDX-License-Identifier: Apache-2.0
"""The protocol: every task for every prior, and for the baselines that tell what its figures mean."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from ..errors import MotionError
from ..prior import load_prior
from ..prior.base import Prior
from ..prior.plausibility import Plausibility
from .coverage import CoverageSizes, coverage, floor
from .data import EvaluationData
from .denoising import DenoisingSizes, denoising
from .implausible import implausible, implausible_by_density, implausible_by_neighbours
from .inverse import inverse
from .latency import LatencySizes, latency
from .paths import Paths, PathSizes
from .pictures import PictureSizes, pictures
from .pose_mixture import pose_mixture
from .reconstruction import reconstruction
from .without_prior import WithoutPrior

ROWS = (
    "samples", "reconstruction", "interpolation", "inverse", "pictures", "implausible", "denoising", "latency",
)  # fmt: skip
"""What can be measured; `samples` are recall, precision, diversity and joint limits."""
REAL, GMM, SLERP, NO_PRIOR = BASELINES = ("real data", "GMM", "slerp", "no prior")
"""Names of the baselines among the results."""

Results = dict[str, dict[str, Any]]
"""One object a prior and a baseline, its keys the rows."""
Report = Callable[[float, str], None]


@dataclass(frozen=True)
class Sizes:
    """How much each task is made from; tests make it small."""

    coverage: CoverageSizes = field(default_factory=CoverageSizes)
    paths: PathSizes = field(default_factory=PathSizes)
    inverse: int = 128  # poses
    pictures: PictureSizes = field(default_factory=PictureSizes)
    implausible: int = 1000  # poses
    denoising: DenoisingSizes = field(default_factory=DenoisingSizes)
    latency: LatencySizes = field(default_factory=LatencySizes)


@dataclass(frozen=True)
class _Task:
    """One row for one prior or baseline."""

    name: str
    row: str
    measure: Callable[[], dict[str, Any]]


def evaluate(
    priors: Mapping[str, Prior], data: EvaluationData, only: Sequence[str] = ROWS, sizes: Sizes = Sizes(),
    report: Report = lambda fraction, text: None, critics: Mapping[str, Plausibility] = MappingProxyType({}),
) -> Results:  # fmt: skip
    """Measure priors and baselines.

    Args:
        priors: by the names that the results shall have.
        data: what they are judged on.
        only: some of `ROWS`.
        sizes: how much each task is made from.
        report: called with the fraction done and what is measured.
        critics: of the priors that have one, by the same names.

    Returns:
        One object a prior, its keys the rows, those of `coverage` for "samples"; then of the baselines, with the rows
        that make sense for them: `real data` (the split against the training poses), `GMM` (Gaussians over rotation
        vectors), `slerp` (each joint turned on its own), `no prior` (each joint drawn to rest).

    Raises:
        MotionError: there are no poses to train on or to judge by.
    """
    if not isinstance(priors, Mapping) or not isinstance(data, EvaluationData):
        raise MotionError(
            f"priors are a {type(priors).__name__}, data a {type(data).__name__}; expected a dictionary by name, and "
            "what read_evaluation_data gives"
        )
    if unknown := [row for row in only if row not in ROWS]:
        raise MotionError(f'"{unknown[0]}" is no row of the protocol; expected some of {", ".join(ROWS)}')
    if not len(data.train) or not len(data.held_out):
        raise MotionError(f"{data.split} or train holds no usable frame; expected motion packs of poses")
    paths = Paths(data, sizes.paths) if "interpolation" in only else None
    tasks = [
        task for name, prior in priors.items() for task in _of_prior(name, prior, data, sizes, paths, critics.get(name))
    ]
    tasks = [task for task in (*tasks, *_of_baselines(data, sizes, only, paths)) if task.row in only]
    results: Results = {name: {} for name in (*priors, *BASELINES)}
    for number, task in enumerate(tasks):
        report(number / len(tasks), f"{task.name}: {task.row}")
        results[task.name] |= task.measure()
    report(1.0, "")
    return {name: result for name, result in results.items() if result}


def _of_prior(
    name: str, prior: Prior, data: EvaluationData, sizes: Sizes, paths: Paths | None = None,
    critic: Plausibility | None = None,
) -> list[_Task]:  # fmt: skip
    measures: dict[str, Callable[[], dict[str, Any]]] = {
        "samples": lambda: coverage(prior, data, sizes.coverage),
        "reconstruction": lambda: {"reconstruction": reconstruction(prior, data)},
        "interpolation": lambda: {"interpolation": {"latent": paths.measure(prior)} if paths else {}},
        "inverse": lambda: {"inverse": _inverse(prior, data, sizes.inverse)},
        "pictures": lambda: {"pictures": pictures(prior, data, sizes.pictures)},
        "implausible": lambda: {"implausible": implausible(prior, data, sizes.implausible, critic)},
        "denoising": lambda: {"denoising": denoising(prior, data, sizes.denoising)},
        "latency": lambda: {"latency": latency(prior, data, sizes.latency)},
    }
    return [_Task(name, row, measure) for row, measure in measures.items()]


def _of_baselines(data: EvaluationData, sizes: Sizes, only: Sequence[str], paths: Paths | None) -> list[_Task]:
    tasks = [
        _Task(REAL, "samples", lambda: floor(data, sizes.coverage)),
        _Task(REAL, "implausible", lambda: {"implausible": implausible_by_neighbours(data, sizes.implausible)}),
    ]
    if {"samples", "implausible", "inverse", "pictures"} & set(only):
        mixture = pose_mixture(data, load_prior())
        tasks += [
            _Task(GMM, "samples", lambda: coverage(mixture, data, sizes.coverage)),
            _Task(GMM, "inverse", lambda: {"inverse": _inverse(mixture, data, sizes.inverse)}),
            _Task(GMM, "pictures", lambda: {"pictures": pictures(mixture, data, sizes.pictures)}),
            _Task(
                GMM, "implausible", lambda: {"implausible": implausible_by_density(mixture, data, sizes.implausible)}
            ),
        ]
    nothing = WithoutPrior(data.rest_joints)
    solving = ("inverse", "pictures", "denoising")
    tasks += [t for t in _of_prior(NO_PRIOR, nothing, data, sizes) if t.row in solving]
    if paths is not None:
        by_joint = _Task(SLERP, "interpolation", lambda: {"interpolation": {"slerp": paths.measure(nothing, "slerp")}})
        tasks.append(by_joint)
    return tasks


def _inverse(prior: Prior, data: EvaluationData, n_poses: int) -> dict[str, Any]:
    """With the pelvis known and free; and by the prior's poses alone, where there is more than one."""
    found = {
        "known_root": inverse(prior, data, "engine", "known", n_poses),
        "free_root": inverse(prior, data, "engine", "free", n_poses),
    }
    if not isinstance(prior, WithoutPrior):
        found["latent_alone"] = inverse(prior, data, "latent", "known", n_poses)
    return found
