# SPDX-License-Identifier: Apache-2.0
"""The benchmark's own tests: its data are what they say, its measures measure, its rows keep the contract."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench import metrics
from bench.__main__ import line_of, main
from bench.batch import solved_batch
from bench.drags import EFFECTORS, STEP, Drag, drags
from bench.images import KEYPOINTS, pictures
from bench.known import known_take
from bench.live import within_reach
from bench.motion import Clip, at_rate, clips, long_clip
from bench.one import measure
from bench.rows import Benchmark, Figure, Outcome, Settings, Unavailable, rows_without_blas
from bench.table import ALL
from bench.takes_made import (
    GAP_RUN,
    LABELS,
    SWAP_RUN,
    Faults,
    MadeTake,
    many_points,
    mean_subject,
    record,
    unusual_subject,
    with_faults,
)
from bench.timing import interleaved
from bench.without_prior import joints_from_pictures
from vendor_core.body import default_body
from vendor_core.evaluation.metrics import joint_error
from vendor_core.prior import load_prior
from vendor_core.prior.interpolate import interpolate_poses
from vendor_core.rotations import exp_so3
from vendor_core.skeleton import BODY_JOINTS

KEYS = ["name", "value", "unit", "goal", "better", "against", "ratio", "machine", "note"]


@pytest.fixture(scope="module")
def clip() -> Clip:
    """241 frames between poses of the prior, Y up, turning and moving on."""
    prior = load_prior()
    body_R = interpolate_poses(prior, prior.decode(prior.sample(4, seed=2)), [80, 80, 80])
    root = exp_so3(np.linspace(0, 1, len(body_R))[:, None] * [0.0, 2.0, 0.0])
    pelvis = np.linspace([0, 0.9, 0], [1, 1.0, 2], len(body_R))
    return Clip("made", "nobody", 30.0, np.concatenate([root[:, None], body_R], axis=1), pelvis)


@pytest.fixture(scope="module")
def take(clip: Clip) -> MadeTake:
    return record(clip, default_body())


@pytest.fixture
def settings(shared_data: Path) -> Settings:
    return Settings(shared_data)


def test_markers_lie_on_the_skin_of_the_posed_and_shaped_body(clip: Clip) -> None:
    body, few = default_body(), replace(clip, R_local=clip.R_local[::50], pelvis=clip.pelvis[::50])
    shape = unusual_subject(body).betas
    made = record(few, body, replace(mean_subject(body), betas=shape))
    upright = few.z_up()
    mesh = body.pose(upright.R_local, upright.trans(body, shape), shape, vertices=True).vertices
    assert mesh is not None
    nearest = np.linalg.norm(made.truth[:, :, None] - mesh[:, None], axis=-1).min(-1)
    assert nearest.max() < 0.06 and np.median(nearest) < 0.016  # a few follow a bone, not their skin
    np.testing.assert_allclose(made.joints[:, 0], upright.pelvis, atol=1e-12)
    assert (made.joints[:, 15, 2] > made.joints[:, 0, 2]).all()  # Z is up


def test_gaps_come_in_runs_and_in_the_asked_number(take: MadeTake) -> None:
    unseen = np.isnan(with_faults(take, Faults(gaps=0.15), seed=1).markers).all(-1)
    assert abs(unseen.mean() - 0.15) < 0.01
    runs = unseen[: len(unseen) // GAP_RUN * GAP_RUN].reshape(-1, GAP_RUN, unseen.shape[1])
    assert (runs == runs[:, :1]).all()


def test_swapped_labels_change_places_and_nothing_else_does(take: MadeTake) -> None:
    seen = with_faults(take, Faults(swaps=0.1), seed=1).markers
    moved = np.linalg.norm(seen - take.truth, axis=-1) > 1e-9
    assert (moved.sum(1) == 4).all()
    for frame in (0, SWAP_RUN - 1, SWAP_RUN, len(seen) - 1):
        labels = np.flatnonzero(moved[frame])
        apart = np.linalg.norm(seen[frame][labels][:, None] - take.truth[frame][labels][None], axis=-1)
        partner = apart.argmin(1)
        assert apart.min(1).max() < 1e-9 and (partner[partner] == np.arange(4)).all()
    assert (moved[:SWAP_RUN] == moved[0]).all() and (moved[SWAP_RUN] != moved[0]).any()


def test_outliers_stay_where_they_are_put_and_noise_is_as_loud_as_asked(take: MadeTake) -> None:
    error = with_faults(take, Faults(outliers=0.1), seed=1).markers - take.truth
    displaced = np.linalg.norm(error, axis=-1) > 0
    assert (displaced.sum(1) == 4).all()
    np.testing.assert_allclose(error[1], error[0], atol=1e-12)
    assert 0.2 < error[displaced].std() < 0.4
    noise = with_faults(take, Faults(noise=0.003), seed=1).markers - take.truth
    assert abs(noise.std() - 0.003) < 1e-4


def test_the_unusual_subject_is_unusual() -> None:
    subject = unusual_subject(default_body(), seed=3)
    assert (np.abs(subject.betas) == 2).sum() == default_body().num_betas // 2
    assert np.sqrt(np.mean(np.sum(subject.offsets**2, axis=-1))) == pytest.approx(0.014)


def test_many_points_are_the_markers_and_vertices_apart_from_all_others(clip: Clip) -> None:
    body = default_body()
    points = many_points(body, 60)
    assert len(set(points.names)) == 60 and points.names[:41] == LABELS
    apart = np.linalg.norm(points.rest[:, None] - points.rest[41:], axis=-1)
    assert np.sort(apart, axis=0)[1].min() > 0.03
    made = record(replace(clip, R_local=clip.R_local[:3], pelvis=clip.pelvis[:3]), body, points=points)
    vertices = [int(name.split()[1]) for name in points.names[41:]]
    mesh = body.pose(made.clip.R_local, made.clip.trans(body), vertices=vertices).vertices
    np.testing.assert_allclose(made.truth[:, 41:], mesh, atol=1e-9)


def test_the_engine_on_known_points_finds_the_pose_of_a_stranger(clip: Clip) -> None:
    body = default_body()
    made = record(clip.part(0, 60), body, unusual_subject(body))
    take = known_take(made)
    together, alone = take.in_sequence(), take.frame_by_frame()
    assert joint_error(alone, made.joints) < 5 and joint_error(together, made.joints) < 5
    torch = pytest.importorskip("torch", reason="torch is not installed")
    in_torch = take.in_sequence(torch.zeros(1, dtype=torch.float32))
    assert 1e3 * np.abs(in_torch - together).max() < 0.5


def test_a_batch_reaches_its_joints(clip: Clip) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    body = default_body()
    joints = clip.part(0, 20).joints(body)
    found = solved_batch(body, joints, torch.zeros(1, dtype=torch.float32))
    assert joint_error(body.pose(found.R_local, found.trans).joints[:, :22], joints) < 2


def test_a_faster_clip_is_the_same_motion(clip: Clip) -> None:
    fast, body = at_rate(clip, 120.0), default_body()
    assert len(fast) == 4 * (len(clip) - 1) + 1 and fast.rate == 120
    slow, joints = clip.joints(body), fast.joints(body)
    assert np.linalg.norm(joints[::4] - slow, axis=-1).max() < 0.01
    eye = np.swapaxes(fast.R_local, -1, -2) @ fast.R_local
    np.testing.assert_allclose(eye, np.broadcast_to(np.eye(3), eye.shape), atol=1e-12)
    step, slow_step = (np.linalg.norm(np.diff(p, axis=0), axis=-1).max() for p in (joints, slow))
    assert step < 0.3 * slow_step


def test_clips_of_the_split_are_continuous(settings: Settings) -> None:
    body, found = default_body(), clips(settings)
    assert len(found) > 10 and len({clip.subject for clip in found}) > 3
    assert [len(clip) for clip in found] == sorted((len(clip) for clip in found), reverse=True)
    long = long_clip(settings, 3000, 60.0)
    assert len(long) == 3000
    assert np.linalg.norm(np.diff(long.joints(body), axis=0), axis=-1).max() < 0.12


def test_a_drag_moves_one_effector_a_centimetre_at_a_time(settings: Settings) -> None:
    for drag in drags(settings, default_body(), 5, 100):
        steps = np.linalg.norm(np.diff(drag.targets, axis=0), axis=-1)
        column = EFFECTORS.index(drag.effector)
        np.testing.assert_allclose(steps[:, column], STEP, atol=1e-12)
        assert np.delete(steps, column, axis=1).max() == 0
        assert np.linalg.norm(drag.targets[:, column] - drag.targets[0, column], axis=-1).max() < 0.3
        joints = default_body().pose(drag.R_local, drag.trans).joints[[BODY_JOINTS.index(name) for name in EFFECTORS]]
        np.testing.assert_allclose(joints, drag.targets[0], atol=1e-9)


def test_reach_tells_an_arm_from_a_rubber_band(clip: Clip) -> None:
    body = default_body()
    joints = clip.joints(body)[0, [BODY_JOINTS.index(name) for name in EFFECTORS]]
    still = np.repeat(joints[None], 2, axis=0)
    away = still.copy()
    away[1, EFFECTORS.index("left_wrist")] += [0, 1.5, 0]
    made = [Drag("left_wrist", clip.R_local[0], np.zeros(3), targets) for targets in (still, away)]
    assert within_reach(body, made).tolist() == [True, False]


def test_pictures_show_the_person_upright_and_at_the_right_distance(settings: Settings) -> None:
    for clean, noisy in zip(*(pictures(settings, default_body(), 20, noise) for noise in (0.0, 5.0)), strict=True):
        camera, hips = clean.camera, [KEYPOINTS.index("left_hip"), KEYPOINTS.index("right_hip")]
        depth = (camera.R_camera_world @ clean.joints[0] + camera.t)[2]
        assert 3 <= depth <= 4 and np.linalg.det(camera.R_camera_world) == pytest.approx(1)
        np.testing.assert_allclose(clean.pixels[hips], camera.project(clean.joints[[1, 2]]), atol=1e-9)
        above = clean.joints[15, 1] - clean.joints[0, 1]
        if above > 0.3:  # the head is well above the pelvis, so in the picture too: v counts downwards
            assert clean.pixels[KEYPOINTS.index("head"), 1] < camera.project(clean.joints[0])[1]
        assert 1 < (noisy.pixels - clean.pixels).std() < 9


def test_the_rival_on_pictures_finds_a_pose_that_looks_the_same(settings: Settings) -> None:
    body, picture = default_body(), pictures(settings, default_body(), 1, noise=0.0)[0]
    joints = joints_from_pictures([picture], body)
    named = [name for name in KEYPOINTS if name in BODY_JOINTS]
    seen = picture.camera.project(joints[0, [BODY_JOINTS.index(name) for name in named]])
    apart = np.linalg.norm(seen - picture.pixels[[KEYPOINTS.index(name) for name in named]], axis=-1)
    assert np.sqrt(np.mean(apart**2)) < 10  # pixels
    np.testing.assert_allclose(metrics.bone_length_errors(joints[0], body.joints_template[:22]), 0, atol=1e-6)


def test_measures_see_what_they_shall_and_no_more(rng: np.random.Generator) -> None:
    truth = rng.normal(size=(6, 22, 3))
    assert metrics.limb_angle(1.3 * truth, truth) == pytest.approx(0, abs=1e-5)
    assert metrics.limb_angle(truth[:, :, [1, 0, 2]] * [-1, 1, 1], truth) > 20
    np.testing.assert_allclose(metrics.bone_length_errors(1.1 * truth[0], truth[0]) > 0, True)


def test_compared_functions_take_turns() -> None:
    calls: list[tuple[str, int]] = []
    times = interleaved({name: lambda i, name=name: calls.append((name, i)) for name in "ab"}, items=2, rounds=2)
    assert calls[2:] == [("a", 0), ("b", 0), ("a", 1), ("b", 1)] * 2
    assert 0 <= times["a"].p50 <= times["a"].p95


FIGURES = (Figure("speed", "ms", "lower", goal=4, goal_without_blas=16), Figure("rate", "frames/s", "higher", goal=5))


def _measured(*outcomes: Outcome, figures: tuple[Figure, ...] = FIGURES) -> Benchmark:
    return Benchmark("tiny", figures, lambda settings: outcomes)


def test_rows_keep_the_contract() -> None:
    benchmark = _measured(Outcome(3.00004, "the mesh", 1.5), Outcome(2.0))
    rows, failed = measure(benchmark, Settings(Path()))
    assert not failed and [list(row.as_json()) for row in rows] == [KEYS, KEYS]
    assert (rows[0].value, rows[0].ratio, rows[0].against, rows[0].reached) == (3.0, 2.0, "the mesh", True)
    assert (rows[1].against, rows[1].ratio, rows[1].reached) == (None, None, False)
    assert "NumPy" in rows[0].machine and "BLAS" in rows[0].machine
    slow, _ = measure(_measured(Outcome(12.0), Outcome(1.0)), Settings(Path()))
    without = rows_without_blas(benchmark, slow, rows)[0]
    assert (without.goal, without.ratio, without.against) == (16, 4.0, "the same with BLAS")
    assert without.name == "speed, NumPy without BLAS" and "ok" in line_of(without)


def test_what_cannot_be_measured_says_why() -> None:
    def absent(settings: Settings) -> list[Outcome]:
        raise Unavailable("no GPU")

    rows, failed = measure(Benchmark("tiny", FIGURES, absent), Settings(Path()))
    assert not failed and [row.value for row in rows] == [None, None] and rows[0].goal == 4
    assert rows[0].note == "not measured: no GPU" and "no GPU" in line_of(rows[0]) and rows[0].reached is None


def test_a_run_without_data_ends_well_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--only", "joints", "--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 0
    rows = json.loads((tmp_path / "out" / "bench.json").read_text())
    assert [list(row) for row in rows] == [KEYS] * len(ALL["joints"].figures)
    assert all(row["value"] is None and "development data" in row["note"] for row in rows)
    assert rows[0]["name"] in capsys.readouterr().out


def test_a_row_that_needs_a_gpu_says_so_where_none_is_asked_for(tmp_path: Path) -> None:
    assert main(["--only", "batch", "--out", str(tmp_path)]) == 0
    (row,) = json.loads((tmp_path / "bench.json").read_text())
    assert row["value"] is None and row["goal"] == 50_000 and "CUDA" in row["note"]


def test_a_broken_benchmark_stops_no_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "motion").mkdir()
    (tmp_path / "motion" / "test.npz").write_bytes(b"no archive")
    arguments = ["--only", "joints", "wrong-shape", "--data", str(tmp_path), "--out", str(tmp_path)]
    assert main(arguments) == 1
    rows = json.loads((tmp_path / "bench.json").read_text())
    assert {row["name"] for row in rows} == {f.name for n in ("joints", "wrong-shape") for f in ALL[n].figures}
    assert all(row["note"].startswith("failed after") for row in rows)
    assert "joints failed" in capsys.readouterr().err


def test_no_two_figures_share_a_name() -> None:
    names = [figure.name for benchmark in ALL.values() for figure in benchmark.figures]
    assert len(names) == len(set(names))
