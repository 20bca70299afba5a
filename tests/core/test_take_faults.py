# SPDX-License-Identifier: Apache-2.0
"""The faults that recipes put into takes are those that they say, and the same every time."""

from pathlib import Path

import numpy as np
import pytest

from recipes.take_faults import LIMBS, labelled_right, with_swaps, without_labels, without_limb
from vendor_core.mocap.c3d import C3D, read_c3d
from vendor_core.mocap.layouts import LabelMap, gather_markers, map_markers


@pytest.fixture(scope="module")
def take(shared_data: Path) -> C3D:
    return read_c3d(shared_data / "c3d" / "btk_pig_gait_FlatFoot-Full.c3d")


def test_names_are_gone_and_every_marker_frame_is_there_once(take: C3D) -> None:
    known = map_markers(take)
    bare, truth = without_labels(take, 3, cuts=2)
    assert np.array_equal(bare.points, without_labels(take, 3, cuts=2)[0].points, equal_nan=True)
    assert len(truth) >= 3 * len(known.markers) and set(truth) == set(known.markers)
    assert bare.labels[:2] == ("*1", "*2") and not set(take.labels) & set(bare.labels)
    full = LabelMap("", "", 1.0, dict(enumerate(truth)), (), ())
    assert labelled_right(bare, truth, full) == 1.0
    for marker in ("LFHD", "RTOE"):
        own = take.points[:, take.labels.index(marker)]
        again = np.stack([bare.points[:, i] for i, name in enumerate(truth) if name == marker])
        assert (np.isfinite(again).all(-1).sum(0) == np.isfinite(own).all(-1)).all()
        assert np.array_equal(np.nansum(again, 0), np.nan_to_num(own))
    every = {i: "C7" for i in range(len(truth))}
    assert labelled_right(bare, truth, LabelMap("", "", 1.0, every, (), ())) == pytest.approx(1 / 35, abs=1e-3)


def test_ghosts_are_as_many_as_asked_for_and_no_marker(take: C3D) -> None:
    bare, truth = without_labels(take, 0, ghosts=0.1)
    ghost = np.array([name == "" for name in truth])
    share = bare.visible[:, ghost].sum() / bare.visible[:, ~ghost].sum()
    assert 0.09 < share < 0.13
    at_rest = np.linalg.norm(np.diff(bare.points[:, ghost], axis=0), axis=-1) == 0
    assert 0.85 < at_rest.mean() < 0.95


def test_what_was_swapped_is_told(take: C3D) -> None:
    known = map_markers(take)
    _, before = gather_markers(take, known)
    for frames, near in ((1, False), (100, True)):
        swapped, order = with_swaps(take, known, 0.05, 1, frames, near)
        share = np.mean(order != np.arange(order.shape[1]))
        assert share == pytest.approx(0.05, abs=0.005 if frames == 1 else 0.05) and share > 0
        _, points = gather_markers(swapped, known)
        again = np.take_along_axis(points, order[..., None], 1)
        assert np.array_equal(again, before, equal_nan=True) and not np.array_equal(points, before, equal_nan=True)


def test_a_limb_is_hidden_and_nothing_else(take: C3D) -> None:
    known = map_markers(take)
    for limb, n in zip(LIMBS, (5, 5, 6, 6), strict=True):
        spoilt, hidden = without_limb(take, known, limb, 100, 50)
        assert hidden.sum() == 50 * n and hidden[100:150].any(0).sum() == n
        assert not (spoilt.visible & hidden).any() and np.array_equal(spoilt.visible | hidden, take.visible)
