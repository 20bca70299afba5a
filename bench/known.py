# SPDX-License-Identifier: Apache-2.0
"""The engine of takes alone: points whose place on the body is known, so that nothing is calibrated."""

from dataclasses import dataclass

import numpy as np

from vendor_core.arrays import Array
from vendor_core.body import default_body
from vendor_core.ik.problem import Problem, Stage
from vendor_core.ik.residuals import Position
from vendor_core.ik.solver import minimise, minimise_in_chunks
from vendor_core.ik.state import PoseState, Unknowns
from vendor_core.linalg import one_blas_thread
from vendor_core.mocap.calibration_frames import spread_frames
from vendor_core.mocap.pose_starts import trunk_start
from vendor_core.mocap.solve_frames import FAR, NEAR, as_they_fit, similar_start, solve_frames
from vendor_core.mocap.subject import MARKER_SIGMA, MARKER_WEIGHTS, Subject, heard_within
from vendor_core.prior import load_prior
from vendor_core.skeleton import N_BODY

from .takes_made import MadeTake

_STARTS = 12  # poses: `similar_start` looks at no more
_SINGLE = np.zeros(1, np.float32)


@dataclass(frozen=True)
class KnownTake:
    """F frames of M points whose place on the body is known, ready to be solved as often as one likes."""

    subject: Subject
    targets: np.ndarray  # (F, M, 3) metres, zero where unseen
    seen: np.ndarray  # (F, M) bool
    rate: float  # Hz

    @one_blas_thread
    def in_sequence(self, like: Array = _SINGLE) -> np.ndarray:
        """Joints (F, 22, 3), metres, solved together, in the kind, dtype and device of an array."""
        return self._joints(solve_frames(self.subject, load_prior(), self.targets, self.seen, self.rate, like=like)[0])

    @one_blas_thread
    def frame_by_frame(self) -> np.ndarray:
        """Joints (F, 22, 3), metres, each frame solved on its own through the same stages."""
        position = Position(self.seen, MARKER_SIGMA, self.subject.points, self.targets)
        problem = Problem(self.subject.points.bones, load_prior(), (position,)).like(_SINGLE)
        state = similar_start(self.subject, self.targets, self.seen).like(_SINGLE)
        for stage in (FAR, NEAR):
            state, _ = minimise_in_chunks(problem, state, stage)
        state, _ = minimise_in_chunks(problem, state, as_they_fit(problem, state))  # as the sequence hears them
        return self._joints(state)

    def _joints(self, state: PoseState) -> np.ndarray:
        state = state.like(np.zeros(1))
        return default_body().pose(state.R_local, state.trans, self.subject.betas).joints[:, :N_BODY]


@one_blas_thread
def known_take(take: MadeTake) -> KnownTake:
    """A take ready for the engine: what calibration would find if it were perfect, and its poses to start from."""
    seen = np.all(np.isfinite(take.markers), axis=-1)
    targets = np.where(seen[..., None], take.markers, 0.0)
    points = take.points.with_offsets(take.subject.offsets)
    points = points.with_betas(take.subject.betas[: points.shape_dirs.shape[-1]])
    frames = spread_frames(targets, seen, _STARTS)
    position = Position(seen[frames].astype(float), MARKER_SIGMA, points, targets[frames])
    problem, state = Problem(points.bones, load_prior(), (position,)), trunk_start(position, load_prior(), 0)
    for metres, residual in ((0.6, False), (0.15, False), (0.15, True), (0.04, True)):  # as `calibrate_subject` does
        stage = Stage(Unknowns(residual=residual), MARKER_WEIGHTS, heard_within(metres), iterations=15)
        state, _ = minimise(problem, state, stage)
    subject = Subject(points, take.subject.betas, take.subject.offsets, frames, state)
    return KnownTake(subject, targets, seen, take.rate)
