# SPDX-License-Identifier: Apache-2.0
"""Motion files in and out: AMASS npz and BVH, on bodies of Poise and on other rigs."""

from pathlib import Path

import bpy
import numpy as np
import pytest
from support import addon, assert_unchanged, bone_heads, core, evaluated_vertices, smplx_addon_rig, snapshot, tweak

RATE, FRAMES = 120.0, 61
LIMBS = [(f"{s}_{a}", f"{s}_{b}") for s in ("left", "right")
         for a, b in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))]  # fmt: skip
MIXAMO = {
    "pelvis": "Hips", "spine1": "Spine", "spine2": "Spine1", "spine3": "Spine2", "neck": "Neck", "head": "Head",
    "hip": "UpLeg", "knee": "Leg", "ankle": "Foot", "foot": "ToeBase",
    "collar": "Shoulder", "shoulder": "Arm", "elbow": "ForeArm", "wrist": "Hand",
}  # fmt: skip


@pytest.fixture(scope="module")
def motion(poise: str):
    """Half a second at 120 Hz between two plausible poses, turning, with fingers, a jaw and a shape."""
    prior, rotations = core("prior").load_prior(), core("rotations")
    R = core("prior").interpolate_poses(prior, prior.decode(prior.sample(2, seed=11)), [FRAMES - 1])
    t = np.linspace(0, 1, FRAMES)[:, None]
    poses = np.zeros((FRAMES, 55, 3))
    poses[:, 1:22] = rotations.log_so3(R)
    poses[:, 0] = rotations.log_so3(rotations.exp_so3(t * (0, 0, 1.5)) @ rotations.Y_UP_TO_Z_UP)
    poses[:, 22] = t * (0.2, 0, 0)
    poses[:, 25:] = 0.2 * np.random.default_rng(0).standard_normal((30, 3)) * (0.5 + t[:, None])
    trans, betas = np.array([0.5, 0.2, 1.3]) + t * (0.4, 0, 0), np.zeros(10)
    betas[:3] = 1.0, -0.5, 0.3
    return core("motion").Motion(poses, trans, RATE, betas, body_name="default")


@pytest.fixture
def npz(motion, tmp_path: Path) -> Path:
    core("motion").write_motion(tmp_path / "walk.npz", motion)
    return tmp_path / "walk.npz"


def joints(motion) -> np.ndarray:
    """World places (F, 22, 3) of the default body's joints."""
    body, R = core("body").default_body(), core("rotations").exp_so3(motion.poses)
    return body.pose(R, motion.trans, motion.betas).joints[:, :22]


def heads_at(rig: bpy.types.Object, frame: float) -> np.ndarray:
    bpy.context.scene.frame_set(int(np.floor(frame)), subframe=frame % 1)
    return bone_heads(rig)


def directions(p: np.ndarray) -> np.ndarray:
    names = core("skeleton").BODY_JOINTS
    d = np.array([p[names.index(b)] - p[names.index(a)] for a, b in LIMBS])
    return d / np.linalg.norm(d, axis=1, keepdims=True)


def degrees(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.degrees(2 * np.arcsin(np.linalg.norm(directions(a) - directions(b), axis=1) / 2))


def key_frames(rig: bpy.types.Object) -> list[float]:
    curve = next(c for c in addon("rig.keying.keys").curves_of(rig) if "left_knee" in c.data_path)
    return [k.co[0] for k in curve.keyframe_points]


def reread(path: Path):
    return core("motion").read_motion(path)


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


def write_clip(path: Path, motion, foreign: bool) -> None:
    """The motion as BVH, as Poise writes it or with Mixamo's names."""
    rest = core("body").default_body().rest_joints(motion.betas)
    core("motion.bvh").write_bvh(path, core("motion.bvh_motion").bvh_of(motion, rest))
    if foreign:
        text = path.read_text()
        for joint in core("skeleton").JOINTS:
            side, _, part = joint.partition("_")
            sided = side in ("left", "right")
            name = f"{side.title()}{MIXAMO.get(part) or 'Hand' + part.title()}" if sided else MIXAMO.get(joint)
            text = text.replace(f"T {joint}\n", f"T mixamorig:{name}\n")
        path.write_text(text)


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


def remove_fingers(rig: bpy.types.Object) -> None:
    bpy.ops.object.mode_set(mode="EDIT")
    for name in core("skeleton").JOINTS[22:]:
        rig.data.edit_bones.remove(rig.data.edit_bones[name])
    bpy.ops.object.mode_set(mode="OBJECT")


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


def test_amass_written_holds_the_keys_and_reads_back_the_same(scene, npz: Path, motion, tmp_path: Path) -> None:
    scene.render.fps = 120
    bpy.ops.poise.import_motion(filepath=str(npz))
    assert bpy.ops.poise.export_motion(filepath=str(tmp_path / "out.npz"), span="ACTION") == {"FINISHED"}
    file = np.load(tmp_path / "out.npz", allow_pickle=False)
    assert file["poses"].shape == (FRAMES, 165) and float(file["mocap_frame_rate"]) == 120
    assert str(file["gender"]) == "neutral" and str(file["surface_model_type"]) == "smplx"
    assert np.abs(file["poses"].reshape(-1, 55, 3) - motion.poses).max() < 1e-5
    assert np.abs(file["trans"] - motion.trans).max() < 1e-6
    back = reread(tmp_path / "out.npz")
    assert np.allclose(back.betas, motion.betas, atol=1e-6) and back.body_name == "default"
    bpy.ops.poise.import_motion(filepath=str(tmp_path / "out.npz"))
    bpy.ops.poise.export_motion(filepath=str(tmp_path / "again.npz"), span="ACTION")
    again = reread(tmp_path / "again.npz")
    assert np.abs(again.poses - back.poses).max() < 1e-5 and np.abs(again.trans - back.trans).max() < 1e-6


def test_export_of_a_takes_own_frames_between_the_scenes(scene, npz: Path, motion, tmp_path: Path) -> None:
    scene.render.fps = 24
    bpy.ops.poise.import_motion(filepath=str(npz), rate="FILE")
    bpy.ops.poise.export_motion(filepath=str(tmp_path / "keys.npz"), span="ACTION", rate="KEYS")
    back = reread(tmp_path / "keys.npz")
    assert len(back) == FRAMES and back.rate == pytest.approx(RATE, rel=1e-6)
    assert np.abs(back.poses - motion.poses).max() < 1e-5
    scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end = True, 4, 9
    bpy.ops.poise.export_motion(filepath=str(tmp_path / "range"), file_format="AMASS")
    assert len(reread(tmp_path / "range.npz")) == 6 and reread(tmp_path / "range.npz").rate == 24


@pytest.mark.parametrize("how", ["keys", "constraint", "object", "parent", "nla", "euler"])
def test_what_is_shown_is_written_whatever_moves_the_bones(body, npz: Path, tmp_path: Path, how: str) -> None:
    scene = bpy.context.scene
    bpy.ops.poise.import_motion(filepath=str(npz), target="ACTIVE")
    if how == "constraint":
        target = bpy.data.objects.new("Target", None)
        scene.collection.objects.link(target)
        body.pose.bones["head"].constraints.new("COPY_ROTATION").target = target
    elif how == "object":
        body.location = (1, 2, 0.5)
        body.keyframe_insert("location", frame=1)
        body.location, body.rotation_euler = (2, 2, 0.5), (0, 0, 1)
        body.keyframe_insert("location", frame=9)
    elif how == "parent":
        body.parent = bpy.data.objects.new("Parent", None)
        scene.collection.objects.link(body.parent)
        body.parent.location.x = 3
        body.parent.keyframe_insert("location", frame=1)
        body.parent.location.x = 5
        body.parent.keyframe_insert("location", frame=8)
    elif how == "nla":
        body.animation_data.nla_tracks.new().strips.new("Walk", 3, body.animation_data.action)
        body.animation_data.action = None
    elif how == "euler":
        body.pose.bones["left_shoulder"].rotation_mode = "YXZ"
        body.pose.bones["left_shoulder"].keyframe_insert("rotation_euler", frame=4)
    scene.frame_start, scene.frame_end = 1, 9
    scene.frame_set(5)
    bpy.ops.poise.export_motion(filepath=str(tmp_path / "out.npz"))
    assert scene.frame_current == 5
    back = reread(tmp_path / "out.npz")
    shown = [heads_at(body, frame) for frame in range(1, 10)]
    assert np.abs(joints(back) - shown).max() < 1e-4
    assert addon("rig.keying.sample").only_own_keys(body, addon("rig.pose").read_rig(body)) == (
        how in ("keys", "euler")
    )


def test_blender_reads_the_bvh_that_is_written(scene, npz: Path, motion, tmp_path: Path) -> None:
    scene.render.fps = 30
    bpy.ops.poise.import_motion(filepath=str(npz))
    rig = bpy.context.object
    bpy.ops.poise.export_motion(filepath=str(tmp_path / "out.bvh"), span="ACTION")
    shown = [heads_at(rig, frame) for frame in range(1, 17)]
    bpy.ops.import_anim.bvh(filepath=str(tmp_path / "out.bvh"), global_scale=0.01, axis_forward="-Z", axis_up="Y")
    imported = bpy.context.object
    assert len(imported.data.bones) == 52
    for frame in range(1, 17):
        assert np.abs(heads_at(imported, frame) - shown[frame - 1]).max() < 2e-4, frame
    bpy.ops.poise.import_motion(filepath=str(tmp_path / "out.bvh"))
    again = bpy.context.object
    for frame in (1, 9, 16):
        assert np.abs(heads_at(again, frame) - shown[frame - 1]).max() < 3e-3, frame


def test_a_rig_without_fingers_is_written_as_bvh(scene, tmp_path: Path) -> None:
    rig = smplx_addon_rig(core("body").default_body().rest_joints())
    remove_fingers(rig)
    scene.frame_end = 3
    rig.pose.bones["left_elbow"].rotation_quaternion = (0.8, 0, 0.6, 0)
    bpy.ops.poise.export_motion(filepath=str(tmp_path / "out.bvh"), file_format="BVH")
    clip = core("motion.bvh").read_bvh(tmp_path / "out.bvh")
    assert len(clip.names) == 22 and len(clip.R_local) == 3
    p = clip.positions()[0][1][[clip.names.index(name) for name in core("skeleton").BODY_JOINTS]]
    assert np.abs(0.01 * p @ core("rotations").Y_UP_TO_Z_UP.T - bone_heads(rig)).max() < 1e-4


def test_what_cannot_be_exported_is_one_line(body, tmp_path: Path) -> None:
    for arguments, words in (
        ({"filepath": str(tmp_path / "a.npz"), "span": "ACTION"}, "have keys at 0 frames; expected two or more"),
        ({"filepath": str(tmp_path / "no" / "a.npz")}, "cannot be written"),
        ({"filepath": str(tmp_path / "no" / "a.bvh")}, "cannot be written"),
    ):
        with pytest.raises(RuntimeError, match=words) as caught:
            bpy.ops.poise.export_motion(**arguments)
        assert "Traceback" not in str(caught.value)
    bpy.data.objects.remove(body)
    assert not bpy.ops.poise.export_motion.poll()


def test_the_menus_and_the_drop_offer_both(poise: str) -> None:
    handler = bpy.types.POISE_FH_motion
    assert handler.bl_file_extensions == ".npz;.bvh" and handler.bl_import_operator == "poise.import_motion"
    module = addon("operators.motion_files")
    for menu, draw in (("import", module._import_menu), ("export", module._export_menu)):
        drawn = getattr(bpy.types, f"TOPBAR_MT_file_{menu}")._dyn_ui_initialize()
        assert draw in drawn
