# SPDX-License-Identifier: Apache-2.0
"""The command line: what each verb writes, and one line with exit status 2 for everything that is wrong."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.core.command_line import refused
from tests.core.conftest import REPO
from vendor_core.body import default_body
from vendor_core.body.default_body import DEFAULT_BODY
from vendor_core.cli import main
from vendor_core.motion import Motion, read_motion, write_motion
from vendor_core.rotations import exp_so3, rotation_angle
from vendor_core.skeleton import BODY_JOINTS, JOINT_GROUPS


@pytest.fixture
def pose(tmp_path: Path) -> Path:
    """A motion file of two poses that differ everywhere."""
    poses = np.random.default_rng(3).normal(scale=0.2, size=(2, 55, 3))
    poses[:, 0] = (np.pi / 2, 0, 0)
    path = tmp_path / "pose.npz"
    trans = np.array([[0.0, 0.0, 1.0], [1.0, 0.5, 1.0]])
    write_motion(path, Motion(poses, trans, betas=np.zeros(default_body().num_betas), body_name="default"))
    return path


def lowest(motion: Motion) -> np.ndarray:
    """Height of each frame's lowest vertex, metres."""
    posed = default_body().pose(exp_so3(motion.poses[:, :22]), motion.trans, motion.betas, vertices=True)
    assert posed.vertices is not None
    return posed.vertices[..., 2].min(axis=-1)


def test_samples_stand_upright_on_the_ground(tmp_path: Path) -> None:
    out, facts = tmp_path / "s.npz", tmp_path / "s.json"
    assert main(["sample", "-n", "4", "--seed", "9", "-o", str(out), "--json", str(facts)]) == 0
    motion = read_motion(out)
    np.testing.assert_allclose(motion.poses[:, 0], [[np.pi / 2, 0, 0]] * 4)
    np.testing.assert_allclose(lowest(motion), 0, atol=1e-9)
    assert json.loads(facts.read_text())["poses"] == 4
    assert np.ptp(motion.poses[:, 16], axis=0).max() > 0.05  # the poses differ


def test_the_seed_decides_the_samples(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert main(["sample", "-n", "2", "--seed", str(seed), "-o", str(tmp_path / name)]) == 0
    a, b, c = ((tmp_path / name).read_bytes() for name in "abc")
    assert a == b != c


def test_near_goes_from_the_pose_to_any(tmp_path: Path, pose: Path) -> None:
    given = exp_so3(read_motion(pose).poses[0, :22])
    away = []
    for amount in ("0", "0.2", "1"):
        out = tmp_path / "near.npz"
        assert main(["sample", "-n", "5", "--near", str(pose), "--amount", amount, "-o", str(out)]) == 0
        drawn = exp_so3(read_motion(out).poses[:, :22])
        away.append(float(np.mean(rotation_angle(np.swapaxes(given, -1, -2) @ drawn))))
    assert away[0] < 1e-6 < away[1] < away[2]


def test_locked_groups_keep_their_rotations(tmp_path: Path, pose: Path) -> None:
    out = tmp_path / "locked.npz"
    assert main(["sample", "-n", "3", "--near", str(pose), "--lock", "left_arm,head,spine1", "-o", str(out)]) == 0
    given, drawn = read_motion(pose).poses[0, :22], read_motion(out).poses[:, :22]
    names = {*JOINT_GROUPS["left_arm"], *JOINT_GROUPS["head"], "spine1"}
    locked = [BODY_JOINTS.index(name) for name in sorted(names)]
    free = [joint for joint in range(1, 22) if joint not in locked]
    np.testing.assert_allclose(drawn[:, locked], np.broadcast_to(given[locked], (3, len(locked), 3)), atol=1e-9)
    assert np.abs(drawn[:, free] - given[free]).max(axis=(0, 2)).min() > 1e-3


@pytest.mark.parametrize("path", ["latent", "slerp"])
def test_interpolation_has_the_frames_asked_for_and_hits_the_keys(tmp_path: Path, pose: Path, path: str) -> None:
    out = tmp_path / "between.npz"
    assert main(["interpolate", str(pose), "--frames", "17", "--path", path, "-o", str(out)]) == 0
    keys, motion = read_motion(pose), read_motion(out)
    assert len(motion) == 17 and motion.body_name == "default"
    for key, frame in ((0, 0), (1, 16)):
        R_missed = np.swapaxes(exp_so3(keys.poses[key]), -1, -2) @ exp_so3(motion.poses[frame])
        assert rotation_angle(R_missed).max() < 1e-6
        np.testing.assert_allclose(motion.trans[frame], keys.trans[key])
    way = (motion.trans - keys.trans[0]) @ (keys.trans[1] - keys.trans[0])
    assert np.all(np.diff(way) > 0)  # along the line, in time with the body
    assert np.abs(np.diff(motion.poses, axis=0)).max() < 0.2  # no jump


def test_a_loop_ends_with_its_first_frame(tmp_path: Path, pose: Path) -> None:
    out = tmp_path / "loop.npz"
    assert main(["interpolate", str(pose), "--frames", "21", "--loop", "--path", "geodesic", "-o", str(out)]) == 0
    keys, motion = read_motion(pose), read_motion(out)
    for key, frame in ((0, 0), (1, 10), (0, 20)):
        np.testing.assert_allclose(exp_so3(motion.poses[frame]), exp_so3(keys.poses[key]), atol=1e-6)
        np.testing.assert_allclose(motion.trans[frame], keys.trans[key], atol=1e-12)


def test_one_key_is_no_loop(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["sample", "-n", "1", "-o", str(tmp_path / "one.npz")])
    for extra in ([], ["--loop"]):
        arguments = ["interpolate", str(tmp_path / "one.npz"), "--frames", "9", "-o", str(tmp_path / "out.npz")]
        assert main(arguments + extra) == 2
        assert "expected two or more" in capsys.readouterr().err


def test_joints_come_back_from_a_fit(tmp_path: Path) -> None:
    main(["sample", "-n", "3", "--seed", "5", "-o", str(tmp_path / "s.npz")])
    body, motion = default_body(), read_motion(tmp_path / "s.npz")
    joints = body.pose(exp_so3(motion.poses[:, :22]), motion.trans).joints[:, :22]
    hidden = joints.copy()
    hidden[1] = np.nan
    np.savez(tmp_path / "joints.npz", joints=hidden, names=np.array(BODY_JOINTS))
    out, facts = tmp_path / "fit.npz", tmp_path / "fit.json"
    assert main(["fit", str(tmp_path / "joints.npz"), "--shape", "none", "-o", str(out), "--json", str(facts)]) == 0
    fitted = read_motion(out)
    again = body.pose(exp_so3(fitted.poses[:, :22]), fitted.trans).joints[:, :22]
    assert np.linalg.norm(again - joints, axis=-1)[[0, 2]].mean() < 0.002
    assert fitted.frame_status is not None and fitted.frame_status.tolist() == [0, 1, 0]
    said = json.loads(facts.read_text())
    assert set(said) == {"frames", "seconds", "mean_mm", "max_mm", "frame_status"}
    assert said["frame_status"] == {"solved": 2, "held": 1, "bridged": 0} and said["mean_mm"] < 2


def test_a_fit_finds_the_shape(tmp_path: Path) -> None:
    body = default_body()
    betas = np.zeros(body.num_betas)
    betas[0] = 1.5
    main(["sample", "-n", "4", "--seed", "5", "-o", str(tmp_path / "s.npz")])
    motion = read_motion(tmp_path / "s.npz")
    joints = body.pose(exp_so3(motion.poses[:, :22]), motion.trans, betas).joints[:, :22]
    np.savez(tmp_path / "joints.npz", joints=joints, names=np.array(BODY_JOINTS))
    mean = {}
    for shape in ("auto", "none"):
        facts = tmp_path / f"{shape}.json"
        arguments = ["fit", str(tmp_path / "joints.npz"), "--shape", shape, "--json", str(facts)]
        assert main([*arguments, "-o", str(tmp_path / f"{shape}.npz")]) == 0
        mean[shape] = json.loads(facts.read_text())["mean_mm"]
    assert mean["auto"] < 0.5 * mean["none"]
    found = body.rest_joints(read_motion(tmp_path / "auto.npz").betas)[:22]
    true, mean_body = body.rest_joints(betas)[:22], body.joints_template[:22]
    bones = [np.linalg.norm(np.diff(x[[2, 5, 8]], axis=0), axis=1).sum() for x in (found, true, mean_body)]
    assert abs(bones[0] - bones[1]) < 0.3 * abs(bones[2] - bones[1])  # the legs' length is found


def test_info_tells_what_a_file_holds(
    shared_data: Path, tmp_path: Path, pose: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.savez(tmp_path / "joints.npz", joints=np.zeros((4, 2, 3)), names=np.array(["head", "pelvis"]))
    package = REPO / "vendor_core"
    for path, words in (
        (pose, ["kind: motion", "frames: 2", "body: default"]),
        (tmp_path / "joints.npz", ["kind: joints", "shape: 4, 2, 3", "head, pelvis"]),
        (package / "prior" / "weights" / "vae.npz", ["kind: prior", "latent: 32", "license: CC0-1.0"]),
        (package / "body" / "assets" / "default_body.npz", ["kind: body", "joints: 55"]),
        (shared_data / "c3d" / "cmu_02_01.c3d", ["kind: C3D take", "rate: 120", "layout: CMU41"]),
    ):
        assert main(["info", str(path)]) == 0
        said = capsys.readouterr().out
        assert all(word in said for word in words), said


def test_wrong_usage_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path, pose: Path) -> None:
    out = tmp_path / "never.npz"
    for words, *arguments in (
        ("invalid choice", "dance"),
        ("VERB",),
        ("unrecognized arguments", "sample", "-o", out, "--frobnicate"),
        ("-o", "sample"),
        ("whole number", "sample", "-n", "many", "-o", out),
        ("whole number", "sample", "-n", "0", "-o", out),
        ("whole number", "sample", "-n", "9" * 5000, "-o", out),
        ("whole number", "sample", "--seed", "-1", "-o", out),
        ("whole number", "interpolate", pose, "--frames", "9" * 12, "-o", out),
        ("number from 0 to 1", "sample", "--near", pose, "--amount", "2", "-o", out),
        ("number from 0 to 1", "sample", "--near", pose, "--amount", "nan", "-o", out),
        ("--near", "sample", "--lock", "head", "-o", out),
        ('"tail"', "sample", "--near", pose, "--lock", "tail", "-o", out),
        ("no prior", "sample", "--prior", "nothing.npz", "-o", out),
        ("2 keys and 1 frames", "interpolate", pose, "--frames", "1", "-o", out),
        ("frames a second", "solve", "a.c3d", "--fps", "-30", "-o", out),
        ("folder after -o", "solve", "a.c3d", "b.c3d", "-o", out),
        ("one name", "solve", "x/a.c3d", "y/a.c3d", "-o", tmp_path),
    ):
        assert words.lower() in refused(capsys, *arguments).lower()
    assert not out.exists()


def test_bad_files_are_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path, pose: Path) -> None:
    out, bad = tmp_path / "never.npz", tmp_path / "bad.npz"
    (tmp_path / "text.c3d").write_text("not a take")
    np.savez(tmp_path / "half.npz", joints=np.zeros((1, 2, 3)))
    np.savez(tmp_path / "strange.npz", joints=np.zeros((1, 1, 3)), names=np.array(["tail"]))
    np.savez(tmp_path / "unseen.npz", joints=np.full((1, 1, 3), np.nan), names=np.array(["head"]))
    np.savez(tmp_path / "words.npz", joints=np.full((1, 1, 3), "a"), names=np.array(["head"]))
    np.savez(tmp_path / "twice.npz", joints=np.zeros((1, 2, 3)), names=np.array(["head", "head"]))
    skeleton = default_body().joints_template[None, :22]
    np.savez(tmp_path / "mm.npz", joints=1000 * skeleton, names=np.array(BODY_JOINTS))
    np.savez(tmp_path / "one.npz", joints=np.zeros((1, 1, 3)), names=np.array(["head"]))
    bad.write_bytes(pose.read_bytes()[:200])
    for words, *arguments in (
        ("does not exist", "info", tmp_path / "nothing.npz"),
        ("no npz", "info", bad),
        ("c3d", "info", tmp_path / "text.c3d"),
        ("c3d", "solve", tmp_path / "text.c3d", "-o", out),
        ("nowhere.c3d", "solve", tmp_path / "nowhere.c3d", "-o", out),
        ("names", "fit", tmp_path / "half.npz", "-o", out),
        ("tail", "fit", tmp_path / "strange.npz", "-o", out),
        ("seen", "fit", tmp_path / "unseen.npz", "-o", out),
        ("more than once", "fit", tmp_path / "twice.npz", "-o", out),
        ("in metres", "fit", tmp_path / "mm.npz", "-o", out),
        ("positions", "fit", tmp_path / "words.npz", "-o", out),
        ("no npz", "interpolate", bad, "--frames", "5", "-o", out),
        ("no npz", "sample", "--near", bad, "-o", out),
        ("no npz", "fit", tmp_path / "one.npz", "--body", bad, "-o", out),
        ("joints", "fit", pose, "-o", out),
        ("cannot be written", "sample", "-o", tmp_path / "no" / "folder" / "x.npz"),
        ("cannot be written", "sample", "-o", out, "--json", tmp_path / "no" / "x.json"),
    ):
        line = refused(capsys, *arguments)
        assert words.lower() in line.lower(), line
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix == ".part") == []
    assert not out.exists()


def test_results_never_take_the_place_of_inputs_or_of_each_other(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, pose: Path
) -> None:
    out, before = tmp_path / "never.npz", pose.read_bytes()
    for arguments in (
        ("interpolate", pose, "--frames", "5", "-o", pose.parent / "." / pose.name),
        ("sample", "--near", pose, "-o", out, "--json", pose),
        ("info", pose, "--json", pose),
        ("sample", "-o", out, "--json", out),
    ):
        assert "another name" in refused(capsys, *arguments)
    assert "is a folder" in refused(capsys, "sample", "-o", out, "--json", tmp_path)
    assert pose.read_bytes() == before and not out.exists()


def test_fingers_are_fitted_by_the_names_of_the_users_body(tmp_path: Path) -> None:
    body = default_body()
    joints = [*range(22), *range(25, 55)]
    owner = np.arange(55)
    owner[22:25] = 15  # SMPL-H has no face; the head carries it
    weights = np.zeros((len(body.v_template), 55))
    np.add.at(weights.T, owner, body.weights.T)
    parents = [0, *(joints.index(body.parents[joint]) for joint in joints[1:])]
    with np.load(DEFAULT_BODY) as file:
        regressor = file["J_regressor"][joints]
    np.savez(
        tmp_path / "smplh.npz",
        v_template=body.v_template,
        f=body.faces,
        weights=weights[:, joints],
        J_regressor=regressor,
        kintree_table=np.stack([parents, range(52)]),
        shapedirs=body.shape_dirs[..., : body.num_betas],
    )
    names = np.array([body.joint_names[joint] for joint in joints])
    np.savez(tmp_path / "joints.npz", joints=body.joints_template[None, joints], names=names)
    facts = tmp_path / "facts.json"
    arguments = ["fit", tmp_path / "joints.npz", "--body", tmp_path / "smplh.npz", "-o", tmp_path / "o.npz"]
    assert main([*map(str, arguments), "--json", str(facts)]) == 0
    assert json.loads(facts.read_text())["max_mm"] < 5
