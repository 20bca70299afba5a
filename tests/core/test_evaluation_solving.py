# SPDX-License-Identifier: Apache-2.0
"""The tasks that solve: what they ask is what they say, and what is easy is solved exactly."""

from pathlib import Path

import numpy as np
import pytest

from tests.core.evaluation_data import made_data
from vendor_core.body import default_body
from vendor_core.evaluation.data import EvaluationData
from vendor_core.evaluation.denoising import DenoisingSizes, denoising
from vendor_core.evaluation.inverse import SEEN, inverse, marker_vertices, whole_poses
from vendor_core.evaluation.latency import LatencySizes, latency
from vendor_core.evaluation.pictures import PictureSizes, _around, pictures
from vendor_core.evaluation.without_prior import WithoutPrior
from vendor_core.ik import JointTargets, solve
from vendor_core.prior import load_prior
from vendor_core.skeleton import BODY_JOINTS, N_BODY
from vendor_core.training.data import load_poses


def test_what_is_seen_is_reached_and_hiding_joints_costs() -> None:
    found = inverse(load_prior(), made_data(), n_poses=6)
    assert set(found) == {*SEEN, "markers_41"}
    assert found["joints_22"]["mm"] < 1 and "unseen_mm" not in found["joints_22"]
    assert found["effectors"]["seen_mm"] < 1 < found["effectors"]["unseen_mm"]
    assert found["head_wrists"]["mm"] > found["effectors"]["mm"] > found["joints_22"]["mm"]
    assert found["left_arm_unseen"]["unseen_mm"] > found["left_arm_unseen"]["mm"] > found["left_arm_unseen"]["seen_mm"]
    assert 1 < found["markers_41"]["mm"] < 40 and "seen_mm" not in found["markers_41"]
    assert all(0 < task["ms_p50"] <= task["ms_p95"] for task in found.values())


def test_figures_are_the_same_every_time() -> None:
    first, again = (inverse(load_prior(), made_data(), "latent", "free", n_poses=3) for _ in range(2))
    for task, figures in first.items():
        assert {k: v for k, v in figures.items() if not k.startswith("ms")} == {
            k: v for k, v in again[task].items() if not k.startswith("ms")
        }
    R = whole_poses(made_data(), 3).R_local
    np.testing.assert_array_equal(R, whole_poses(made_data(), 5).R_local[:3])


def test_markers_sit_on_every_bone_and_on_no_finger() -> None:
    body = default_body()
    vertices = marker_vertices(body, 41)
    bones = np.bincount(np.asarray(body.weights)[vertices].argmax(1), minlength=55)
    assert len(set(vertices.tolist())) == 41
    assert bones[:N_BODY].min() == 1 and bones[:N_BODY].max() == 2 and bones[N_BODY:].sum() == 0
    pairs = np.linalg.norm(body.v_template[vertices][:, None] - body.v_template[vertices], axis=-1)
    assert np.sort(pairs, axis=1)[:, 1].min() > 0.02  # metres: no two in one place


def test_without_a_prior_what_is_unseen_rests() -> None:
    body, poses = default_body(), whole_poses(made_data(), 4)
    nothing = WithoutPrior(made_data().rest_joints)
    solved = solve(body, nothing, [JointTargets(BODY_JOINTS[:20], poses.joints[:, :20])])  # all but the wrists
    wrists = solved.R_local[:, 20:]
    np.testing.assert_allclose(wrists, np.broadcast_to(np.eye(3), wrists.shape), atol=1e-9)
    reached = body.pose(solved.R_local, solved.trans).joints[:, :20]
    assert np.linalg.norm(reached - poses.joints[:, :20], axis=-1).mean() < 0.01


def test_pictures_look_at_the_pelvis_from_all_sides() -> None:
    poses = whole_poses(made_data(), 3)
    camera = _around(poses, 4)
    pelvis = np.tile(poses.joints[:, :1], (4, 1, 1))
    np.testing.assert_allclose(camera.in_camera(pelvis)[:, 0], [[0, 0, 5]] * 12, atol=1e-9)
    np.testing.assert_allclose(camera.project(pelvis)[:, 0], [[512, 512]] * 12)
    above = camera.project(pelvis + np.array([0, 0.5, 0]))[:, 0]
    assert (above[:, 1] < 400).all() and np.allclose(above[:, 0], 512)  # up is up, and rows count downwards
    assert np.linalg.norm(camera.R_camera_world[0] - camera.R_camera_world[3]) > 1


def test_noise_in_pictures_costs() -> None:
    found = pictures(load_prior(), made_data(), PictureSizes(6, 2, (0.0, 20.0)))
    assert found["noise_0"]["p_mpjpe"] < 50 and found["noise_0"]["p_mpjpe"] < found["noise_20"]["p_mpjpe"]
    assert all(task["p_mpjpe"] <= task["mm"] for task in found.values())


def test_without_noise_little_is_left_and_noise_is_taken_away() -> None:
    found = denoising(load_prior(), made_data(), DenoisingSizes(2, 60, (0.0001, 0.04)))
    clean, noisy = found["noise_0.1"], found["noise_40"]
    assert clean["single_frames"]["mm"] < 1 and clean["sequence"]["mm"] < 3
    assert noisy["noisy"]["mm"] == pytest.approx(40 * np.sqrt(8 / np.pi), rel=0.05)  # the mean length of such noise
    assert noisy["sequence"]["mm"] < noisy["single_frames"]["mm"] < noisy["noisy"]["mm"]
    assert noisy["sequence"]["acceleration"] < 0.3 * noisy["single_frames"]["acceleration"]


def test_clips_that_are_too_short_are_left_out() -> None:
    assert denoising(load_prior(), made_data(), DenoisingSizes(frames=62)) == {}


def test_latency_tells_one_pose_from_many() -> None:
    found = latency(load_prior(), made_data(), LatencySizes(20, 5, 3))
    assert list(found) == ["decode_1", "decode_250", "solve"]
    assert 0 < found["decode_1"]["ms_p50"] < found["decode_250"]["ms_p50"]


def test_people_that_the_prior_never_met_are_solved_better_with_it_than_without(shared_data: Path) -> None:
    poses = load_poses([shared_data / "motion" / "val.npz"], mirror=False)
    data = EvaluationData("val", poses, poses, (), default_body())
    found = inverse(load_prior(), data, n_poses=8)
    without = inverse(WithoutPrior(data.rest_joints), data, n_poses=8)
    assert found["joints_22"]["mm"] < 1 and found["effectors"]["seen_mm"] < 1
    for task, ratio in (("effectors", 0.5), ("left_arm_unseen", 0.5), ("legs_unseen", 0.9), ("markers_41", 0.8)):
        assert found[task]["mm"] < ratio * without[task]["mm"], task
