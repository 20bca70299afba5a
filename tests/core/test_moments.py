# SPDX-License-Identifier: Apache-2.0
"""Worst moments of a residual over time: peaks, not their slopes, each with its marker."""

import numpy as np

from vendor_core.mocap.moments import frame_residual, marker_medians, worst_moments


def _bumps(n: int = 400, markers: int = 10) -> np.ndarray:
    """A quiet residual with a broad bump at 100 of marker 3, a sharp one at 300 of marker 7."""
    residual = np.full((n, markers), 0.004)
    t = np.arange(n)
    residual[:, 3] += 0.2 * np.exp(-(((t - 100) / 40) ** 2))
    residual[:, 7] += 0.1 * np.exp(-(((t - 300) / 3) ** 2))
    return residual


def test_moments_are_peaks_with_the_marker_that_makes_them() -> None:
    moments = worst_moments(_bumps(), apart=30, most=5)
    assert [(m.frame, m.marker) for m in moments[:2]] == [(100, 3), (300, 7)]
    assert abs(moments[0].marker_residual - 0.204) < 1e-9
    # The broad bump stays above the sharp one for 40 frames on both sides: its slopes are no moments of their own.
    assert not [m for m in moments[1:] if 20 < abs(m.frame - 100) < 60]


def test_moments_keep_their_distance_on_a_plateau_and_on_noise() -> None:
    rng = np.random.default_rng(0)
    for residual in (np.full((200, 4), 0.02), rng.uniform(0, 0.04, (500, 6))):
        frames = sorted(m.frame for m in worst_moments(residual, apart=30, most=9))
        assert frames and np.diff(frames).min(initial=30) >= 30


def test_unseen_markers_and_empty_frames_count_for_nothing() -> None:
    residual = _bumps()
    residual[90:111] = np.nan
    residual[:, 0] = np.nan
    per_frame = frame_residual(residual)
    assert np.isnan(per_frame[90:111]).all() and np.isfinite(np.delete(per_frame, np.s_[90:111])).all()
    assert worst_moments(residual, 30, 1)[0].frame in (89, 111)
    assert np.isclose(per_frame[0], np.sqrt(np.mean(residual[0, 1:] ** 2)))
    assert np.isnan(marker_medians(residual)[0]) and np.isclose(marker_medians(residual)[1], 0.004)
    assert worst_moments(np.full((5, 2), np.nan), 2, 3) == ()
    assert worst_moments(np.full((1, 2), 0.01), 60, 3)[0].frame == 0
