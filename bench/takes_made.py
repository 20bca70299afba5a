# SPDX-License-Identifier: Apache-2.0
"""Takes of our own, with known poses, shape and marker offsets: clean, and with the faults of real ones."""

from dataclasses import dataclass, replace

import numpy as np

from vendor_core.body import BodyModel
from vendor_core.ik.points import BodyPoints, surface_points
from vendor_core.mocap.c3d import C3D
from vendor_core.mocap.layout_table import LAYOUTS
from vendor_core.mocap.marker_points import place_markers

from .motion import Clip

LABELS = LAYOUTS["CMU41"].markers
SWAP_RUN, GAP_RUN = 15, 40  # frames
DISPLACEMENT = 0.3  # metres, sigma along each axis


@dataclass(frozen=True)
class MadeSubject:
    """A person to record: a shape, and markers that do not sit where the table says."""

    betas: np.ndarray  # (B,)
    offsets: np.ndarray  # (M, 3) metres from the table's places, rest frame


@dataclass(frozen=True)
class Faults:
    """What goes wrong in a recording; fractions are of all markers in all frames."""

    noise: float = 0.0  # metres, sigma along each axis
    swaps: float = 0.0  # pairs of labels exchanged, in runs of 15 frames
    outliers: float = 0.0  # markers put elsewhere, in runs of 15 frames
    gaps: float = 0.0  # markers unseen, in runs of 40 frames


@dataclass(frozen=True)
class MadeTake:
    """A recording, and the truth behind it. Metres, Z up."""

    clip: Clip
    subject: MadeSubject
    points: BodyPoints  # the markers on the body, before the subject's shape and offsets
    truth: np.ndarray  # (F, M, 3) where the markers were
    markers: np.ndarray  # (F, M, 3) where they were seen, NaN where they were not
    joints: np.ndarray  # (F, 22, 3)

    @property
    def rate(self) -> float:
        return self.clip.rate

    @property
    def labels(self) -> tuple[str, ...]:
        return self.points.names

    def c3d(self) -> C3D:
        """As the C3D reader would give it."""
        residuals = np.where(np.isfinite(self.markers).all(-1), 0.0, -1.0).astype(np.float32)
        return C3D(
            points=self.markers.astype(np.float32), residuals=residuals, labels=self.labels, rate=self.rate,
            units="m", first_frame=1, up_axis="Z", model_outputs=(), events=(), byte_order="intel", warnings=(),
        )  # fmt: skip


def mean_subject(body: BodyModel, n_markers: int = len(LABELS)) -> MadeSubject:
    """The default shape, every marker at the table's place."""
    return MadeSubject(np.zeros(body.num_betas), np.zeros((n_markers, 3)))


def unusual_subject(body: BodyModel, seed: int = 0, n_markers: int = len(LABELS), rms: float = 0.014) -> MadeSubject:
    """A shape far from the mean (half of the betas 2 long, the others small) and markers off by `rms` metres."""
    rng = np.random.default_rng(seed)
    betas = rng.normal(scale=0.3, size=body.num_betas)
    far = rng.choice(body.num_betas, body.num_betas // 2, replace=False)
    betas[far] = 2.0 * rng.choice([-1.0, 1.0], len(far))
    offsets = rng.normal(size=(n_markers, 3))
    return MadeSubject(betas, offsets * rms / np.sqrt(np.mean(np.sum(offsets**2, axis=-1))))


def record(
    clip: Clip, body: BodyModel, subject: MadeSubject | None = None, faults: Faults | None = None, seed: int = 0,
    points: BodyPoints | None = None,
) -> MadeTake:  # fmt: skip
    """Record a subject that moves as a clip (Y up) does.

    Args:
        clip: the motion.
        body: the body.
        subject: its shape and where its markers sit; by default the mean shape, all in place.
        faults: what goes wrong.
        seed: decides the faults.
        points: the markers on the body; by default those of the table.
    """
    points = place_markers(body, LABELS).points if points is None else points
    subject = mean_subject(body, len(points)) if subject is None else subject
    clip = clip.z_up()
    truth, joints = carried_markers(clip, body, subject, points)
    take = MadeTake(clip, subject, points, truth, truth, joints)
    return take if faults is None else with_faults(take, faults, seed)


def many_points(body: BodyModel, n: int) -> BodyPoints:
    """The table's markers, and vertices far from each other and from them until there are n points."""
    table = place_markers(body, LABELS).points
    v, chosen = np.asarray(body.v_template), []
    nearest = np.linalg.norm(v[:, None] - np.asarray(table.rest), axis=-1).min(1)
    for _ in range(n - len(table)):
        chosen.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, np.linalg.norm(v - v[chosen[-1]], axis=-1))
    corners, first = np.repeat(np.array(chosen)[:, None], 3, axis=1), np.tile([1.0, 0.0, 0.0], (len(chosen), 1))
    more = surface_points(body, [f"vertex {i}" for i in chosen], corners, first, np.zeros((len(chosen), 3)))
    arrays = {n: np.concatenate([getattr(table, n), getattr(more, n)]) for n in ("rest", "weights", "shape_dirs")}
    return replace(table, names=table.names + more.names, **arrays)


def carried_markers(
    clip: Clip, body: BodyModel, subject: MadeSubject, points: BodyPoints
) -> tuple[np.ndarray, np.ndarray]:
    """Markers (F, M, 3) on the skin by linear blend skinning, and joints (F, 22, 3)."""
    n_joints, n_betas = points.weights.shape[1], points.shape_dirs.shape[-1]
    posed = clip.posed(body, subject.betas)
    rest = points.rest + points.shape_dirs @ subject.betas[:n_betas] + subject.offsets
    local = rest[:, None] - body.rest_joints(subject.betas)[None, :n_joints]  # (M, J, 3)
    G, p = posed.G[:, :n_joints], posed.joints[:, :n_joints]
    markers = np.zeros((len(clip), len(points), 3))
    for j in np.flatnonzero(points.weights.any(0)):  # one joint at a time: a long take times all joints is a lot
        markers += points.weights[:, j, None] * (local[:, j] @ np.swapaxes(G[:, j], 1, 2) + p[:, j, None])
    return markers, posed.joints[:, :22]


def with_faults(take: MadeTake, faults: Faults, seed: int = 0) -> MadeTake:
    """The same take, recorded badly."""
    rng = np.random.default_rng(seed)
    seen = take.truth + rng.normal(size=take.truth.shape) * faults.noise
    n_frames, n_markers = seen.shape[:2]
    n_swapped = 2 * round(faults.swaps * n_markers / 2)
    n_displaced = round(faults.outliers * n_markers)
    for start in range(0, n_frames, SWAP_RUN):
        rows = slice(start, start + SWAP_RUN)
        bad = rng.permutation(n_markers)
        for a, b in bad[:n_swapped].reshape(-1, 2):
            seen[rows, [a, b]] = seen[rows, [b, a]]
        displaced = bad[n_swapped : n_swapped + n_displaced]
        seen[rows, displaced] += rng.normal(size=(n_displaced, 3)) * DISPLACEMENT
    for start in range(0, n_frames, GAP_RUN):
        lost = rng.permutation(n_markers)[: round(faults.gaps * n_markers)]
        seen[start : start + GAP_RUN, lost] = np.nan
    return replace(take, markers=seen)
