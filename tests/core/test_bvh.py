# SPDX-License-Identifier: Apache-2.0
"""BVH files: written and read back, foreign ones understood, damaged ones refused in a line."""

from pathlib import Path

import numpy as np
import pytest

from vendor_core.body import default_body
from vendor_core.cli import main
from vendor_core.errors import MotionError
from vendor_core.motion import Motion, read_motion, write_motion
from vendor_core.motion.bvh import read_bvh, write_bvh
from vendor_core.motion.bvh_motion import bvh_of, has_own_rest, metres_a_unit, motion_of
from vendor_core.motion.euler import euler_to_matrix, matrix_to_zxy
from vendor_core.motion.joint_names import joints_of_skeleton
from vendor_core.retarget.skeleton import foreign_skeleton
from vendor_core.rotations import exp_so3, rotation_angle

FOREIGN = """HIERARCHY
ROOT Hips
{
  OFFSET 0 90 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation Xrotation
  JOINT LeftUpLeg
  {
    OFFSET 10 0 0
    CHANNELS 3 Zrotation Yrotation Xrotation
    End Site
    {
      OFFSET 0 -40 0
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.04
1 2 3 0 0 0 0 0 0
1 2 3 90 0 0 0 0 90
"""


def random_motion(frames: int = 6) -> Motion:
    rng = np.random.default_rng(2)
    poses = 0.6 * rng.standard_normal((frames, 55, 3))
    poses[:, 22:25] = 0
    poses[:, 0] = rng.standard_normal((frames, 3))
    return Motion(poses, rng.standard_normal((frames, 3)), rate=120.0, body_name="default")


def test_a_motion_comes_back_within_a_hundredth_of_a_degree(tmp_path: Path) -> None:
    motion, rest = random_motion(), default_body().rest_joints()
    write_bvh(tmp_path / "m.bvh", bvh_of(motion, rest))
    clip = read_bvh(tmp_path / "m.bvh")
    assert has_own_rest(clip, rest) and metres_a_unit(clip) == 0.01
    back = motion_of(clip, default_body())
    off = rotation_angle(np.swapaxes(exp_so3(motion.poses), -1, -2) @ exp_so3(back.poses))
    assert np.degrees(off.max()) < 0.001 and np.abs(back.trans - motion.trans).max() < 1e-6
    assert back.rate == pytest.approx(120, rel=1e-6)


def test_the_bodys_shape_is_found_in_its_bones(tmp_path: Path) -> None:
    motion, body, betas = random_motion(), default_body(), np.random.default_rng(3).normal(0, 1, 10)
    rest = body.rest_joints(betas)
    write_bvh(tmp_path / "m.bvh", bvh_of(motion, rest))
    back = motion_of(read_bvh(tmp_path / "m.bvh"), body)
    assert np.abs(body.rest_joints(back.betas)[:22] - rest[:22]).max() < 2e-3
    pelvis, found = rest[0] + motion.trans, body.rest_joints(back.betas)[0] + back.trans
    assert np.allclose(pelvis, found, atol=1e-6)


def test_joints_of_a_written_file_stand_where_the_body_has_them(tmp_path: Path) -> None:
    motion, body = random_motion(), default_body()
    write_bvh(tmp_path / "m.bvh", bvh_of(motion, body.rest_joints()))
    clip = read_bvh(tmp_path / "m.bvh")
    skeleton = foreign_skeleton(clip)
    p = skeleton.unit * clip.positions()[0][:, list(skeleton.joints.values())] @ skeleton.to_z_up.T
    joints = body.pose(exp_so3(motion.poses), motion.trans).joints
    expected = joints[:, [body.joint_names.index(name) for name in skeleton.joints]]
    assert len(skeleton.joints) == 19 + 30 and len(skeleton.spine) == 3 and np.abs(p - expected).max() < 1e-5


def test_channels_turn_in_the_order_they_are_written(tmp_path: Path) -> None:
    (tmp_path / "f.bvh").write_text(FOREIGN)
    clip = read_bvh(tmp_path / "f.bvh")
    p, G = clip.positions()
    assert clip.rate == 25 and clip.names == ("Hips", "LeftUpLeg") and np.allclose(clip.ends[1], (0, -40, 0))
    assert np.allclose(p[0], [(1, 2, 3), (11, 2, 3)]) and np.allclose(p[1], [(1, 2, 3), (1, 12, 3)])
    about_z, about_x = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]), np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    assert np.allclose(G[1, 1], about_z @ about_x)


@pytest.mark.parametrize(
    ("time", "rate"),
    [("0.008333", 120.0), (".0333333", 30.0), ("0.0333667", 29.97), ("0.0083416750", 119.88), ("2", 0.5)],
)
def test_frame_times_of_few_digits_mean_whole_rates(tmp_path: Path, time: str, rate: float) -> None:
    (tmp_path / "f.bvh").write_text(FOREIGN.replace("Frame Time: 0.04", f"Frame Time: {time}"))
    found = read_bvh(tmp_path / "f.bvh").rate
    assert found == rate if rate in (120, 30, 0.5) else found == pytest.approx(rate, rel=1e-5)


def test_angles_are_continuous_and_mean_the_rotation() -> None:
    t = np.linspace(0, 1, 200)[:, None, None]
    R = exp_so3(t * np.random.default_rng(0).uniform(-7, 7, (1, 40, 3)))
    angles = matrix_to_zxy(R)
    assert np.allclose(euler_to_matrix(angles, "ZXY"), R, atol=1e-9)
    assert np.abs(np.diff(angles, axis=0)).max() < np.pi  # near a right angle about X two angles swing fast, none flips
    right = exp_so3(np.array([[[np.pi / 2, 0, 0]], [[-np.pi / 2, 0, 0]]]))
    assert np.allclose(euler_to_matrix(matrix_to_zxy(right), "ZXY"), right, atol=1e-9)


@pytest.mark.parametrize(
    ("names", "joint", "expected"),
    [
        (["mixamorig:Hips", "mixamorig:LeftShoulder", "mixamorig:LeftArm"], "left_collar", 1),
        (["mixamorig:Hips", "mixamorig:LeftShoulder", "mixamorig:LeftArm"], "left_shoulder", 2),
        (["LHipJoint", "LeftUpLeg", "LeftLeg", "LeftFoot", "LeftToeBase"], "left_hip", 1),
        (["LHipJoint", "LeftUpLeg", "LeftLeg", "LeftFoot", "LeftToeBase"], "left_ankle", 3),
        (["hip", "lThigh", "lShin", "lFoot", "rThigh"], "right_hip", 4),
        (["hip", "lThigh", "lShin", "lFoot", "rThigh"], "pelvis", 0),
        (["thigh.L", "shin.L", "foot.L", "upper_arm.R"], "right_shoulder", 3),
        (["Neck", "Neck1", "Head"], "neck", 0),
    ],
)
def test_names_of_other_programs(names: list[str], joint: str, expected: int) -> None:
    assert joints_of_skeleton(names)[joint] == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no BVH file"),
        (FOREIGN.replace("MOTION", ""), "no BVH file"),
        (FOREIGN.replace("Zrotation", "Wrotation", 1), 'channel "Wrotation"'),
        (FOREIGN.replace("OFFSET 0 90 0", "OFFSET 0 nan 0"), "expected 3 numbers"),
        (FOREIGN.replace("Frames: 2", "Frames: 3"), "get the file anew"),
        (FOREIGN.replace("Frames: 2", "Frames: 999999999999"), "get the file anew"),
        (FOREIGN.replace("Frame Time: 0.04", "Frame Time: 0"), "Frame Time"),
        (FOREIGN.replace("90 0 0 0 0 90", "90 0 0 0 0 1e999"), "get the file anew"),
        (FOREIGN.replace("}\nMOTION", "MOTION"), "unfinished"),
        ("HIERARCHY ROOT a MOTION", "within its skeleton"),
    ],
)
def test_damaged_files_are_refused_in_a_line(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "bad.bvh").write_text(text)
    with pytest.raises(MotionError, match=words) as problem:
        read_bvh(tmp_path / "bad.bvh")
    assert "\n" not in str(problem.value)


def test_a_skeleton_without_a_bodys_names_is_refused(tmp_path: Path) -> None:
    (tmp_path / "f.bvh").write_text(FOREIGN)
    with pytest.raises(MotionError, match="left knee"):
        foreign_skeleton(read_bvh(tmp_path / "f.bvh"))


def test_the_verb_goes_both_ways_and_follows_foreign_skeletons(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    motion = random_motion()
    rng = np.random.default_rng(5)
    poses = 0.1 * rng.standard_normal(motion.poses.shape)
    poses[:, 22:], poses[:, 0] = 0, (np.pi / 2, 0, 0)
    write_motion(tmp_path / "a.npz", Motion(poses, motion.trans, 60.0, np.zeros(10), body_name="default"))
    for source, target in (("a.npz", "b.bvh"), ("b.bvh", "c.npz")):
        assert main(["convert", str(tmp_path / source), "-o", str(tmp_path / target)]) == 0
    back = read_motion(tmp_path / "c.npz")
    assert np.abs(back.poses - poses).max() < 1e-6 and back.rate == pytest.approx(60)
    foreign = (tmp_path / "b.bvh").read_text()
    for name, other in (("left_hip", "LeftUpLeg"), ("left_knee", "LeftLeg"), ("left_ankle", "LeftFoot")):
        foreign = foreign.replace(f"JOINT {name}\n", f"JOINT {other}\n")
    (tmp_path / "f.bvh").write_text(foreign)
    assert main(["convert", str(tmp_path / "f.bvh"), "-o", str(tmp_path / "f.npz")]) == 0
    body, followed = default_body(), read_motion(tmp_path / "f.npz")
    shaped = body.pose(exp_so3(followed.poses), followed.trans, followed.betas).joints[:, :22]
    expected = body.pose(exp_so3(poses), motion.trans).joints[:, :22]
    assert np.linalg.norm(shaped - expected, axis=-1).mean() < 0.01
    assert main(["convert", str(tmp_path / "a.npz"), "-o", str(tmp_path / "a.fbx")]) == 2
    assert "a.fbx is of no format known" in capsys.readouterr().err
