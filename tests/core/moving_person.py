# SPDX-License-Identifier: Apache-2.0
"""A person who turns and walks for three seconds, seen by 41 markers: what tests of sequences share."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from vendor_core.body import default_body
from vendor_core.ik.points import BodyPoints, place
from vendor_core.ik.problem import Problem, Stage
from vendor_core.ik.residuals import Hearing, Position
from vendor_core.ik.smoothing import Smoothing
from vendor_core.ik.solver import minimise_in_chunks
from vendor_core.ik.state import PoseState, explained
from vendor_core.mocap.layouts import LAYOUTS
from vendor_core.mocap.marker_points import place_markers
from vendor_core.prior import load_prior
from vendor_core.rotations import exp_so3

RATE, N, SIGMA = 60.0, 181, 0.003
ONE_BY_ONE = Stage(iterations=10, damping=1e-3, tolerance=1e-3)
ROBUST = replace(ONE_BY_ONE, hearing=Hearing(robust=5.0))


@cache
def marker_points() -> BodyPoints:
    return place_markers(default_body().first_betas(10), LAYOUTS["CMU41"].markers).points


@cache
def true_motion() -> PoseState:
    """N frames of a body that turns, walks and goes from pose to pose, starting and stopping softly."""
    prior, t = load_prior(), np.arange(N) / RATE
    keys, at = prior.sample(4, seed=11), np.asarray(np.minimum(t, 2.999))
    share = 0.5 - 0.5 * np.cos(np.pi * np.mod(at, 1)).reshape(-1, 1)
    z = keys[at.astype(int)] * (1 - share) + keys[at.astype(int) + 1] * share
    state = explained(prior, z, exp_so3(np.outer(np.sin(t), [0.1, 0.8, 0.2])))
    return state.changed(trans=np.stack([0.6 * t, 0.02 * np.sin(6 * t), 0.3 * np.sin(t)], axis=1))


def problem_of(markers: np.ndarray) -> Problem:
    """The problem of markers (F, M, 3), NaN where unseen."""
    seen = np.asarray(np.isfinite(markers).all(-1))
    position = Position(seen.astype(float), SIGMA, marker_points(), np.where(seen[..., None], markers, 0.0))
    return Problem(marker_points().bones, load_prior(), (position,))


def true_markers(noise: float = 0.0, frames: slice = slice(None)) -> np.ndarray:
    markers = np.asarray(place(marker_points(), true_motion().on(marker_points().bones))[0])
    return (markers + np.random.default_rng(1).normal(size=markers.shape) * noise)[frames]


def one_by_one(
    markers: np.ndarray, stage: Stage = ONE_BY_ONE, frames: slice = slice(None)
) -> tuple[Problem, PoseState]:
    problem = problem_of(markers)
    return problem, minimise_in_chunks(problem, true_motion().take(np.arange(N)[frames]), stage)[0]


@cache
def noisy(noise: float) -> tuple[Problem, PoseState]:
    return one_by_one(true_markers(noise))


def joints_of(state: PoseState) -> np.ndarray:
    """(F, 22, 3) metres."""
    return state.on(marker_points().bones).p


def off(state: PoseState, frames: Any = slice(None)) -> np.ndarray:
    """(F, 22) metres from the truth."""
    return np.linalg.norm(joints_of(state) - joints_of(true_motion())[frames], axis=-1)


def shake(state: PoseState) -> float:
    """Mean error of the joints' accelerations, metres per frame squared."""
    return float(np.linalg.norm(np.diff(joints_of(state) - joints_of(true_motion()), n=2, axis=0), axis=-1).mean())


def smoothing_of(noise: float) -> Smoothing:
    return Smoothing(RATE, noise / SIGMA)
