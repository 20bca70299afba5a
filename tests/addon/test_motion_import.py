# SPDX-License-Identifier: Apache-2.0
"""Motion files in: AMASS npz and BVH, onto bodies of Poise and other rigs."""

from pathlib import Path

import bpy
import numpy as np
import pytest
from motions import FRAMES, RATE, degrees, heads_at, joints, key_frames, remove_fingers, some_motion, write_clip
from support import addon, assert_unchanged, bone_heads, core, evaluated_vertices, smplx_addon_rig, snapshot, tweak


@pytest.fixture(scope="module")
def motion(poise: str):
    return some_motion()


@pytest.fixture
def npz(motion, tmp_path: Path) -> Path:
    core("motion").write_motion(tmp_path / "walk.npz", motion)
    return tmp_path / "walk.npz"


def test_amass_comes_onto_a_new_body_with_its_shape_at_the_scenes_rate(scene, npz: Path, motion) -> None:
    scene.render.fps = 24
    scene.frame_end = 5
    assert bpy.ops.poise.import_motion(filepath=str(npz), start=10) == {"FINISHED"}
    rig, expected = bpy.context.object, joints(motion)
    assert rig.name == "walk" and key_frames(rig) == list(range(10, 23)) and scene.frame_end == 22
    assert np.allclose([b.value for b in rig.poise.betas], motion.betas, atol=1e-6)
    for k in (0, 5, 12):
        assert np.abs(heads_at(rig, 10 + k) - expected[5 * k]).max() < 1e-4
    jaw = np.array(rig.pose.bones["jaw"].matrix_basis.to_quaternion().angle)
    assert jaw == pytest.approx(0.2, abs=1e-4)


def test_every_frame_of_the_file_between_the_scenes_frames(scene, npz: Path, motion) -> None:
    scene.render.fps, scene.render.fps_base = 30, 1.001
    bpy.ops.poise.import_motion(filepath=str(npz), rate="FILE", extend_range=False)
    rig, step = bpy.context.object, 30 / 1.001 / RATE
    assert np.allclose(key_frames(rig), 1 + np.arange(FRAMES) * step, atol=1e-4)
    assert np.abs(heads_at(rig, 1 + 33 * step) - joints(motion)[33]).max() < 1e-4


def test_the_active_body_keeps_its_action_and_its_shape_when_asked(body, npz: Path, motion) -> None:
    body.pose.bones["head"].keyframe_insert("rotation_quaternion", frame=1)
    old, rest = body.animation_data.action, addon("rig.pose").read_rig(body).rest_joints()
    bpy.ops.poise.import_motion(filepath=str(npz), target="ACTIVE", fit_shape=False)
    assert old.use_fake_user and body.animation_data.action != old and not any(b.value for b in body.poise.betas)
    assert np.allclose(addon("rig.pose").read_rig(body).rest_joints(), rest)
    assert degrees(heads_at(body, 1), joints(motion)[0]).max() < 3  # bones of another shape, turned alike
    bpy.ops.poise.import_motion(filepath=str(npz), target="ACTIVE")
    assert np.abs(heads_at(body, 1) - joints(motion)[0]).max() < 1e-4


def test_an_smplx_file_gives_a_body_of_that_kind_its_shape_and_back(scene, motion, tmp_path: Path) -> None:
    from test_bodies import user_body

    bpy.ops.poise.add_body_from_file(filepath=str(user_body(tmp_path / "MINE.npz", 55)))
    rig, body = bpy.context.object, core("body").load_body(tmp_path / "MINE.npz")
    betas = np.zeros(16)
    betas[: body.num_betas] = 0.5 * np.random.default_rng(0).standard_normal(min(16, body.num_betas))
    amass = core("motion").Motion(motion.poses, motion.trans, 24.0, betas, "female")
    core("motion").write_motion(tmp_path / "walk_stageii.npz", amass)
    bpy.ops.poise.import_motion(filepath=str(tmp_path / "walk_stageii.npz"), target="ACTIVE")
    R = core("rotations").exp_so3(motion.poses)
    expected = body.pose(R, motion.trans, betas[: body.num_betas]).joints[:, :22]
    assert np.abs(heads_at(rig, 31) - expected[30]).max() < 1e-4
    bpy.ops.poise.export_motion(filepath=str(tmp_path / "out.npz"), span="ACTION")
    file = np.load(tmp_path / "out.npz", allow_pickle=False)
    n = len(file["betas"])
    assert n and np.allclose(file["betas"], betas[:n], atol=1e-6) and "poise_body" not in file.files
    assert np.abs(file["trans"] - motion.trans).max() < 1e-5


def test_onto_a_rig_of_the_smplx_addon(scene, npz: Path, motion) -> None:
    rig = smplx_addon_rig(1.1 * core("body").default_body().rest_joints())
    scene.render.fps = 60
    bpy.ops.poise.import_motion(filepath=str(npz), target="ACTIVE")
    expected = joints(motion)[40]
    assert degrees(heads_at(rig, 21), expected).max() < 5
    steps = [heads_at(rig, frame)[0] for frame in (1, 31)]
    legs = [np.ptp(core("body").default_body().rest_joints(b)[[1, 7], 1]) for b in (np.zeros(10), motion.betas)]
    assert np.linalg.norm(steps[1] - steps[0]) == pytest.approx(0.4 * 1.1 * legs[0] / legs[1], rel=0.02)


def test_an_smplx_file_on_the_default_body_stands_on_the_floor_and_says_so(scene, tmp_path: Path, capfd) -> None:
    """Betas of SMPL-X mean nothing to the default body: it tells from the motion how long the legs were."""
    body, betas = core("body").default_body(), np.zeros(10)
    betas[0] = -2.0
    poses, trans = np.zeros((10, 55, 3)), np.zeros((10, 3))
    poses[:, 0, 0] = np.pi / 2
    skin = body.pose(core("rotations").exp_so3(poses[:1]), trans[:1], betas, vertices=True).vertices
    trans[:, 2] = -skin[..., 2].min()
    smaller = core("motion").Motion(poses, trans, 24.0, np.ones(16), "female")
    core("motion").write_motion(tmp_path / "other.npz", smaller)
    bpy.ops.poise.import_motion(filepath=str(tmp_path / "other.npz"))
    assert "another kind of body" in (said := capfd.readouterr().out) and "steps scaled by 1." in said
    bpy.context.scene.frame_set(3)
    assert abs(evaluated_vertices(bpy.context.object)[:, 2].min()) < 0.01


@pytest.mark.parametrize("foreign", [False, True])
def test_a_bvh_file(scene, motion, tmp_path: Path, foreign: bool) -> None:
    path = tmp_path / "clip.bvh"
    write_clip(path, motion, foreign)
    scene.render.fps = 60
    bpy.ops.poise.import_motion(filepath=str(path))
    rig, expected = bpy.context.object, joints(motion)
    for k in (0, 15, 30):
        assert degrees(heads_at(rig, 1 + k), expected[2 * k]).max() < 0.1
        assert np.abs(bone_heads(rig) - expected[2 * k]).max() < (0.04 if foreign else 0.003)


@pytest.mark.parametrize("fingers", [True, False])
def test_limbs_of_any_rig_point_where_a_foreign_skeletons_do(scene, motion, tmp_path: Path, fingers: bool) -> None:
    rng, joints_at_rest = np.random.default_rng(0), core("body").default_body().rest_joints()
    rig = smplx_addon_rig(1.1 * joints_at_rest + 0.02 * rng.standard_normal((55, 3)))
    if not fingers:
        remove_fingers(rig)
    write_clip(tmp_path / "clip.bvh", motion, True)
    scene.render.fps = 60
    bpy.ops.poise.import_motion(filepath=str(tmp_path / "clip.bvh"), target="ACTIVE")
    for k in (0, 15, 30):
        assert degrees(heads_at(rig, 1 + k), joints(motion)[2 * k]).max() < 0.1
    assert len([obj for obj in bpy.data.objects if obj.type == "ARMATURE"]) == 1


def test_what_is_no_motion_is_one_line_and_changes_nothing(body, tmp_path: Path) -> None:
    np.savez(tmp_path / "model.npz", v_template=np.zeros((9, 3)))
    np.savez(tmp_path / "objects.npz", poses=np.array([{}]), trans=np.zeros((1, 3)))
    (tmp_path / "cut.npz").write_bytes((tmp_path / "model.npz").read_bytes()[:99])
    (tmp_path / "dog.bvh").write_text(
        "HIERARCHY\nROOT Tail\n{\nOFFSET 0 0 0\nCHANNELS 3 Zrotation Xrotation Yrotation\n}\n"
        "MOTION\nFrames: 1\nFrame Time: 0.1\n0 0 0\n"
    )
    (tmp_path / "a.fbx").write_bytes(b"")
    for name, words in {
        "model.npz": 'lacks "poses"; expected an AMASS motion file',
        "objects.npz": "pickled objects, which Poise never opens",
        "cut.npz": "no npz file, or is truncated",
        "dog.bvh": "no joint that is called like a left hip; its joints are Tail",
        "a.fbx": "expected a motion as .npz or .bvh",
        "none.bvh": "cannot be read",
    }.items():
        before = snapshot()
        with pytest.raises(RuntimeError, match=words) as caught:
            bpy.ops.poise.import_motion(filepath=str(tmp_path / name))
        assert "Traceback" not in str(caught.value) and "\n" not in str(caught.value).strip()
        assert_unchanged(before)


def test_bodies_that_cannot_have_it_are_said_before_anything_changes(body, npz: Path) -> None:
    body.keyframe_insert("location", frame=1)
    body.hide_set(True)
    before = snapshot()
    with pytest.raises(RuntimeError, match="hidden and cannot get a new shape"):
        bpy.ops.poise.import_motion(filepath=str(npz), target="ACTIVE")
    assert_unchanged(before)
    body.hide_set(False)
    tweak(body)
    before = snapshot()
    with pytest.raises(RuntimeError, match="Leave the NLA's tweak mode"):
        bpy.ops.poise.import_motion(filepath=str(npz), target="ACTIVE")
    assert_unchanged(before)


def test_the_menus_and_the_drop_offer_both(poise: str) -> None:
    handler = bpy.types.POISE_FH_motion
    assert handler.bl_file_extensions == ".npz;.bvh" and handler.bl_import_operator == "poise.import_motion"
    module = addon("operators.motion_files")
    for menu, draw in (("import", module._import_menu), ("export", module._export_menu)):
        drawn = getattr(bpy.types, f"TOPBAR_MT_file_{menu}")._dyn_ui_initialize()
        assert draw in drawn
