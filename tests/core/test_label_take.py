# SPDX-License-Identifier: Apache-2.0
"""Takes without labels: real ones whose labels are removed, and points that are no person."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vendor_core.body import default_body
from vendor_core.errors import LayoutError
from vendor_core.ik.points import N_BETAS
from vendor_core.mocap.c3d import C3D, read_c3d
from vendor_core.mocap.label_take import label_take
from vendor_core.mocap.layouts import LabelMap, is_unlabelled, map_markers
from vendor_core.prior import load_prior


def unlabelled(take: C3D, parts: int = 1) -> tuple[C3D, list[str]]:
    """A take with its columns shuffled, cut into parts of different length, and nameless; and what each was."""
    known, rng = map_markers(take).columns, np.random.default_rng(0)
    points, residuals, truth = [], [], []
    for column in rng.permutation(list(known)):
        cuts = np.sort(rng.choice(np.arange(1, len(take.points)), parts - 1, replace=False))
        for frames in np.split(np.arange(len(take.points)), cuts):
            points.append(np.full((len(take.points), 3), np.nan, np.float32))
            residuals.append(np.full(len(take.points), -1, np.float32))
            points[-1][frames], residuals[-1][frames] = take.points[frames, column], take.residuals[frames, column]
            truth.append(known[int(column)])
    names = tuple(f"*{i}" for i in range(len(points)))
    return replace(take, points=np.stack(points, 1), residuals=np.stack(residuals, 1), labels=names), truth


def labelled(take: C3D, layout: str = "auto") -> LabelMap:
    return label_take(take, layout, default_body().first_betas(N_BETAS), load_prior(), lambda fraction, text: None)


def right(take: C3D, truth: list[str], found: LabelMap) -> float:
    """Fraction of the marker-frames that are labelled right."""
    correct = np.array([found.columns.get(i) == marker for i, marker in enumerate(truth)])
    return float((take.visible & correct).sum() / take.visible.sum())


@pytest.mark.parametrize(
    ("name", "layout", "least"),
    [("cmu_02_01", "CMU41", 1.0), ("momentum_motion_analysis_helen_hayes", "HelenHayes", 0.95)],
)
def test_labels_are_found_again(shared_data: Path, name: str, layout: str, least: float) -> None:
    take, truth = unlabelled(read_c3d(shared_data / "c3d" / f"{name}.c3d"))
    found = labelled(take)
    assert found.layout == layout and right(take, truth, found) >= least
    assert "carry no labels" in found.notes[0] and found.unmapped == ()


def test_trajectories_in_parts_and_the_wrong_axis_up(shared_data: Path) -> None:
    take, truth = unlabelled(read_c3d(shared_data / "c3d" / "cmu_02_01.c3d"), parts=4)
    wrong = "X" if take.up_axis != "X" else "Z"
    assert right(take, truth, labelled(replace(take, up_axis=wrong), "CMU41")) >= 0.97


def test_a_stretch_without_points_has_no_say(shared_data: Path) -> None:
    take, truth = unlabelled(read_c3d(shared_data / "c3d" / "cmu_02_01.c3d"))
    take.points[60:150], take.residuals[60:150] = np.nan, -1
    assert right(take, truth, labelled(take, "CMU41")) == 1.0


def test_a_few_names_among_many_are_labels(shared_data: Path) -> None:
    take = read_c3d(shared_data / "c3d" / "cmu_02_01.c3d")
    assert not is_unlabelled(take)
    bare, _ = unlabelled(take)
    assert is_unlabelled(bare)
    assert not is_unlabelled(replace(bare, labels=(*take.labels[:12], *bare.labels[12:])))


def cloud(n: int) -> C3D:
    points = np.random.default_rng(1).uniform(0, 2, (30, n, 3)).astype(np.float32)
    names = tuple(f"*{i}" for i in range(n))
    return C3D(points, np.zeros((30, n), np.float32), names, 100.0, "m", 1, "Z", (), (), "intel", ())


def test_points_that_are_no_person_are_refused_in_a_line() -> None:
    with pytest.raises(LayoutError, match=r"carry no labels, and no layout explains .* misses them by") as problem:
        labelled(cloud(40), "CMU41")
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize("n", [16, 200])
def test_too_few_or_too_many_points_are_refused_in_a_line(n: int) -> None:
    with pytest.raises(LayoutError, match=f"{n} of them are seen in a frame; expected about as many"):
        labelled(cloud(n))
