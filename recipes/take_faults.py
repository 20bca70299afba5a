# SPDX-License-Identifier: Apache-2.0
"""Faults put into real takes, the same for the same seed: labels removed or swapped, a limb's markers unseen.

Each returns the spoilt take and what is true of it, so that what is made of the take can be held against it.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from vendor_core.mocap.c3d import C3D
from vendor_core.mocap.layout_table import body_parts
from vendor_core.mocap.layouts import LabelMap, map_markers

LIMBS = {"left arm": ("L", "arm"), "right arm": ("R", "arm"), "left leg": ("L", "leg"), "right leg": ("R", "leg")}
"""Limbs, and the side and the part of the body that their markers belong to."""

MISNAMED: Mapping[str, Mapping[str, str]] = {"btk_pig_static_FlatFoot-Full": {"LWRA": "LWRB", "LWRB": "LWRA"}}
"""What markers of a file really are that its labels have wrong.

In this one LWRA is 216 mm from LELB and LWRB 233 mm; in the gait take of the same person it is 230 and 217 mm, on the
right side 239 and 222 mm, and only here A lies behind B.
"""


def without_labels(take: C3D, seed: int, cuts: int = 0, ghosts: float = 0.0) -> tuple[C3D, tuple[str, ...]]:
    """A take as cameras see it: nameless trajectories *1, *2, ... in random order, each broken at its gaps.

    Points that software computed are left out: model outputs, and the virtual points whose names start with V.

    Args:
        take: with labels that fit a layout.
        seed: of the order, the cuts and the ghosts.
        cuts: at how many random frames each trajectory breaks besides.
        ghosts: points that are no marker, as a fraction of the marker-frames; they appear anywhere in the room that the
            markers cross, and stay there for a tenth of a second.

    Returns:
        The take, and the canonical marker of each of its points, "" for what is none.
    """
    rng, known = np.random.default_rng(seed), map_markers(take).columns
    kept = [c for c in take.markers().tolist() if c in known or not take.labels[c].upper().startswith("V")]
    trajectories, truth = [], []
    for column in kept:
        for frames in _stretches(take.visible[:, column], cuts, rng):
            trajectories.append((column, frames))
            truth.append(known.get(column, ""))
    n, n_ghosts, length = len(trajectories), 0, max(round(0.1 * take.rate), 1)
    if ghosts:
        n_ghosts = round(ghosts * take.visible[:, list(known)].sum() / length)
    columns = -(-n_ghosts * length // len(take.points)) if n_ghosts else 0
    points = np.full((len(take.points), n + columns, 3), np.nan, np.float32)
    residuals = np.full(points.shape[:2], -1, np.float32)
    for i, (column, frames) in enumerate(trajectories):
        points[frames, i], residuals[frames, i] = take.points[frames, column], take.residuals[frames, column]
    _haunt(points[:, n:], residuals[:, n:], take.points[:, list(known)], length, rng)
    order = rng.permutation(n + columns)
    truth += [""] * columns
    names = tuple(f"*{i + 1}" for i in range(len(order)))
    spoilt = replace(take, points=points[:, order], residuals=residuals[:, order], labels=names, model_outputs=())
    return spoilt, tuple(truth[i] for i in order)


def labelled_right(
    take: C3D, truth: tuple[str, ...], found: LabelMap, renamed: Mapping[str, str] = MappingProxyType({})
) -> float:
    """Fraction of the marker-frames of a take of `without_labels` that carry the right marker.

    Args:
        take, truth: of `without_labels`.
        found: the labels.
        renamed: what markers really are, such as of `MISNAMED`, where the file's own labels are wrong.
    """
    real = np.array([bool(marker) for marker in truth])
    right = np.array([found.columns.get(i) == renamed.get(marker, marker) for i, marker in enumerate(truth)])
    return float(take.visible[:, real & right].sum() / take.visible[:, real].sum())


def with_swaps(
    take: C3D, label_map: LabelMap, fraction: float, seed: int, frames: int = 1, near: bool = False
) -> tuple[C3D, np.ndarray]:
    """A take in which markers that are seen have another's label, two by two.

    Args:
        take: with labels.
        label_map: of `map_markers`.
        fraction: of the marker-frames that are exchanged.
        seed: of what is exchanged.
        frames: how long a swap lasts.
        near: exchange each marker with the nearest one that is free, as happens in earnest; else with any.

    Returns:
        The take, and its right order (F, M), as `TakeSolution.order` tells it: which of the M gathered markers each
        marker really is.
    """
    rng, labels = np.random.default_rng(seed), label_map.markers
    own = np.array([next(c for c, marker in label_map.columns.items() if marker == label) for label in labels])
    points, residuals = take.points.copy(), take.residuals.copy()
    order = np.tile(np.arange(len(labels)), (len(points), 1))
    for first in range(0, len(points), frames):
        block = slice(first, min(first + frames, len(points)))
        for a, b in _partners(take.points[block][:, own], fraction, near, rng):
            pair, swapped = own[[a, b]], own[[b, a]]
            points[block, pair], residuals[block, pair] = take.points[block, swapped], take.residuals[block, swapped]
            order[block, [a, b]] = b, a
    return replace(take, points=points, residuals=residuals), order


def without_limb(take: C3D, label_map: LabelMap, limb: str, first: int, n: int) -> tuple[C3D, np.ndarray]:
    """A take in which the markers of one of `LIMBS` are unseen in n frames from the first.

    Returns:
        The take, and what was hidden of it (F, P) bool.
    """
    side, part = LIMBS[limb]
    hidden = np.zeros(take.visible.shape, dtype=bool)
    of_limb = [c for c, marker in label_map.columns.items() if marker[0] == side and body_parts()[marker] == part]
    hidden[first : first + n, of_limb] = take.visible[first : first + n, of_limb]
    points, residuals = take.points.copy(), take.residuals.copy()
    points[hidden], residuals[hidden] = np.nan, -1
    return replace(take, points=points, residuals=residuals), hidden


def _stretches(seen: np.ndarray, cuts: int, rng: np.random.Generator) -> list[np.ndarray]:
    """The frames (N,) of each part of a trajectory that is seen without a break, cut at random frames besides."""
    edges = np.flatnonzero(np.diff(seen.astype(int))) + 1
    if cuts:
        edges = np.union1d(edges, rng.choice(np.arange(1, len(seen)), min(cuts, len(seen) - 1), replace=False))
    return [part for part in np.split(np.arange(len(seen)), edges) if seen[part[0]]]


def _haunt(
    points: np.ndarray, residuals: np.ndarray, markers: np.ndarray, length: int, rng: np.random.Generator
) -> None:
    """Fill trajectories (F, C, 3) with points, each at rest for some frames, anywhere among the markers (F, M, 3)."""
    if not points.shape[1]:
        return
    low, high = np.nanmin(markers, axis=(0, 1)), np.nanmax(markers, axis=(0, 1))
    for first in range(0, len(points), length):
        points[first : first + length] = rng.uniform(low, high, (points.shape[1], 3))
    residuals[:] = 0


def _partners(
    points: np.ndarray, fraction: float, near: bool, rng: np.random.Generator
) -> list[tuple[int, int]]:  # fmt: skip
    """Pairs of markers (F, M, 3), NaN where unseen, that are exchanged: of those seen throughout, each in one pair."""
    free = rng.permutation(np.flatnonzero(np.isfinite(points).all((0, 2)))).tolist()
    pairs = []
    for _ in range(rng.binomial(len(free) // 2, min(fraction * points.shape[1] / max(2 * (len(free) // 2), 1), 1.0))):
        a = free.pop()
        apart = np.linalg.norm(points[0, free] - points[0, a], axis=-1)
        pairs.append((a, free.pop(int(apart.argmin()) if near else -1)))
    return pairs
