# SPDX-License-Identifier: Apache-2.0
"""Takes without labels: real ones whose labels are removed, and points that are no person."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recipes.take_faults import MISNAMED, labelled_right, without_labels
from vendor_core.body import default_body
from vendor_core.errors import LayoutError
from vendor_core.ik.points import N_BETAS
from vendor_core.mocap.c3d import C3D, read_c3d
from vendor_core.mocap.label_take import label_take
from vendor_core.mocap.layouts import LabelMap, is_unlabelled
from vendor_core.prior import load_prior
from vendor_core.rotations import exp_so3


def labelled(take: C3D, layout: str = "auto") -> LabelMap:
    return label_take(take, layout, default_body().first_betas(N_BETAS), load_prior(), lambda fraction, text: None)


def real(folder: Path, name: str, last: int | None = None) -> C3D:
    take = read_c3d(folder / "c3d" / f"{name}.c3d")
    return replace(take, points=take.points[:last], residuals=take.residuals[:last])


def test_labels_and_the_layout_are_found_again(shared_data: Path) -> None:
    take, truth = without_labels(real(shared_data, "momentum_motion_analysis_helen_hayes"), 0)
    found = labelled(take)
    assert found.layout == "HelenHayes" and labelled_right(take, truth, found) == 1.0
    assert "carry no labels" in found.notes[0] and found.unmapped == ()


def test_trajectories_in_parts_among_ghosts_and_the_wrong_axis_up(shared_data: Path) -> None:
    take, truth = without_labels(real(shared_data, "cmu_02_01", 240), 0, cuts=6, ghosts=0.1)
    wrong = "X" if take.up_axis != "X" else "Z"
    found = labelled(replace(take, up_axis=wrong), "CMU41")
    assert labelled_right(take, truth, found) >= 0.98
    ghosts = [i for i, marker in enumerate(truth) if not marker and i in found.columns]
    assert take.visible[:, ghosts].sum() < 0.005 * take.visible.sum()


def test_a_marker_on_the_other_side_of_the_back_and_trajectories_written_twice(shared_data: Path) -> None:
    take, truth = without_labels(real(shared_data, "hdm05_mm_01-02_03_120", 480), 0)
    found = labelled(take, "CMU41")
    assert labelled_right(take, truth, found) == 1.0
    twice = [found.columns[i] for i, marker in enumerate(truth) if not marker]
    assert sorted(twice) == ["CLAV", "LFHD", "LFWT"]  # which the file repeats as *0, *1, *2


def test_a_wrist_is_labelled_as_the_other_wrist_is_though_the_file_exchanged_it(shared_data: Path) -> None:
    name = "btk_pig_static_FlatFoot-Full"
    take, truth = without_labels(real(shared_data, name), 0)
    found = labelled(take, "PlugInGait35")
    assert labelled_right(take, truth, found, MISNAMED[name]) == 1.0
    assert labelled_right(take, truth, found) == pytest.approx(33 / 35)


def test_somebody_who_turns_round_and_a_stretch_without_points_which_has_no_say(shared_data: Path) -> None:
    take = real(shared_data, "cmu_02_01", 240)
    angle = np.linspace(0, 2 * np.pi, len(take.points))
    turn = exp_so3(angle[:, None] * [0.0, 0.0, 1.0]).astype(np.float32)
    bare, truth = without_labels(replace(take, points=take.points @ np.swapaxes(turn, 1, 2)), 0)
    bare.points[60:110], bare.residuals[60:110] = np.nan, -1
    assert labelled_right(bare, truth, labelled(bare, "CMU41")) == 1.0


def test_a_few_names_among_many_are_labels(shared_data: Path) -> None:
    take = read_c3d(shared_data / "c3d" / "cmu_02_01.c3d")
    assert not is_unlabelled(take)
    bare, _ = without_labels(take, 0)
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
