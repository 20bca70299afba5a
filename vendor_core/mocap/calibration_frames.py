# SPDX-License-Identifier: Apache-2.0
"""Which frames of a take calibrate its subject: well seen ones, as different as can be, and those beside them."""

import numpy as np

from ..errors import TargetError

N_FRAMES = 64
LEAST_MARKERS = 4  # seen in a frame, below which it is left out
_ALIKE, _FEWEST = 0.004, 8  # metres that markers are apart in frames that tell the same, and frames chosen even so


def usable_frames(markers: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Finite markers and what is seen, of the frames that show enough, and which these are."""
    seen = seen & np.isfinite(markers).all(-1)
    rows = np.flatnonzero(seen.sum(1) >= LEAST_MARKERS)
    if not len(rows):
        raise TargetError(f"no frame shows {LEAST_MARKERS} markers at once; expected a take of a whole body")
    return np.where(seen[rows][..., None], markers[rows], 0.0), seen[rows], rows


def spread_frames(markers: np.ndarray, seen: np.ndarray, n: int = N_FRAMES) -> np.ndarray:
    """Up to n well-seen frames whose poses differ most, by farthest-point selection: the most different first.

    Frames that hardly differ tell nothing new, so that of a person who stands still only a few are chosen.

    Args:
        markers: (F, M, 3) metres, any number where unseen.
        seen: (F, M) bool.
    """
    count = seen.sum(1)
    good = np.flatnonzero(count >= min(markers.shape[1], np.quantile(count[count > 0], 0.6)))
    good = good[:: max(1, len(good) // 400)]
    weights = seen[good].astype(float)
    centre = np.sum(markers[good] * weights[..., None], axis=1) / weights.sum(1)[:, None]
    centred = (markers[good] - centre[:, None]) * weights[..., None]
    chosen, nearest = [0], np.full(len(good), np.inf)
    while len(chosen) < min(n, len(good)):
        apart = np.linalg.norm(centred - centred[chosen[-1]], axis=-1).mean(1)
        nearest = np.minimum(nearest, apart)
        if nearest.max() < _ALIKE and len(chosen) >= _FEWEST:
            break
        chosen.append(int(nearest.argmax()))
    return good[chosen]


def with_neighbours(frames: np.ndarray, n_frames: int) -> np.ndarray:
    """(3 K,) the frames, then those after them, then those before them; at an end the one on the other side."""
    after = np.where(frames + 1 < n_frames, frames + 1, frames - 1)
    before = np.where(frames > 0, frames - 1, frames + 1)
    return np.clip(np.concatenate([frames, after, before]), 0, n_frames - 1)
