# SPDX-License-Identifier: Apache-2.0
"""Motion files out: AMASS npz and BVH, whatever moves the bones, and as other programs read them."""

from pathlib import Path

import bpy
import numpy as np
import pytest
from motions import FRAMES, RATE, heads_at, joints, remove_fingers, reread, some_motion
from support import addon, bone_heads, core, smplx_addon_rig


@pytest.fixture(scope="module")
def motion(poise: str):
    return some_motion()


@pytest.fixture
def npz(motion, tmp_path: Path) -> Path:
    core("motion").write_motion(tmp_path / "walk.npz", motion)
    return tmp_path / "walk.npz"


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
        ({"filepath": ""}, "No file was given"),
    ):
        with pytest.raises(RuntimeError, match=words) as caught:
            bpy.ops.poise.export_motion(**arguments)
        assert "Traceback" not in str(caught.value)
    bpy.data.objects.remove(body)
    assert not bpy.ops.poise.export_motion.poll()
