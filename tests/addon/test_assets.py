# SPDX-License-Identifier: Apache-2.0
"""Pose assets give the pose back, have pictures, and never cost an artist a catalogue."""

import bpy
import numpy as np
import pytest
from support import addon, bone_heads, snapshot
from test_generate import MODES
from test_rigs import RIGS

OTHERS = "# mine\nVERSION 1\n\n0b2f1ad2-9d0f-4c7e-8a6b-111111111111:Props/Chairs:Chairs\n"


def assets() -> list[bpy.types.Action]:
    return [action for action in bpy.data.actions if action.asset_data is not None]


def curves_of(action: bpy.types.Action) -> list[bpy.types.FCurve]:
    if bpy.app.version < (4, 4):
        return list(action.fcurves)
    return list(action.layers[0].strips[0].channelbags[0].fcurves)


@pytest.mark.parametrize("mode", MODES)
def test_an_asset_gives_the_pose_back(body, mode: str) -> None:
    for bone in body.pose.bones:
        bone.rotation_mode = mode
    bpy.ops.poise.generate_pose(seed=3, hands="FIST")
    names = body.pose.bones.keys()
    before = bone_heads(body, names)
    own = body.animation_data
    assert bpy.ops.poise.save_pose_asset(name="Leap") == {"FINISHED"}
    assert body.animation_data == own
    (asset,) = assets()
    assert asset.name == "Leap" and asset.users == 1 and asset.use_fake_user
    bpy.ops.poise.generate_pose(seed=4, hands="FLAT")
    assert not np.allclose(bone_heads(body, names), before, atol=0.05)
    body.pose.apply_pose_from_action(asset, evaluation_time=1)
    assert np.abs(bone_heads(body, names) - before).max() < 1e-4


def test_an_asset_of_another_rig_gives_the_pose_back(scene) -> None:
    rig = RIGS["smplx_addon"]()
    bpy.ops.poise.generate_pose(seed=3)
    before = bone_heads(rig)
    bpy.ops.poise.save_pose_asset()
    bpy.ops.poise.generate_pose(seed=4)
    rig.pose.apply_pose_from_action(assets()[0], evaluation_time=1)
    assert np.abs(bone_heads(rig) - before).max() < 1e-4


def test_stored_poses_become_assets_with_pictures(body) -> None:
    for seed, name in ((1, "Jump"), (2, "Sit")):
        bpy.ops.poise.generate_pose(seed=seed)
        bpy.ops.poise.store_pose(name=name)
    bpy.ops.poise.save_pose_asset(poses="STORED")
    assert sorted(a.name for a in assets()) == ["Jump", "Sit"]
    pictures = []
    for asset in assets():
        assert tuple(asset.preview.image_size) == (256, 256)
        flat = np.empty(4 * 256 * 256, dtype=np.float32)
        asset.preview.image_pixels_float.foreach_get(flat)
        pictures.append(flat.reshape(256, 256, 4))
        assert 0.04 < (pictures[-1][..., 3] > 0.5).mean() < 0.5
    assert np.abs(pictures[0] - pictures[1]).mean() > 0.01


def test_only_selected_bones_are_in_the_asset(body) -> None:
    bpy.ops.object.mode_set(mode="POSE")
    bpy.ops.pose.select_all(action="DESELECT")
    before = snapshot()
    with pytest.raises(RuntimeError, match="No bone of the body is selected"):
        bpy.ops.poise.save_pose_asset(bones="SELECTED")
    assert snapshot() == before
    bone = body.pose.bones["left_elbow"]
    (bone if bpy.app.version >= (5, 0) else bone.bone).select = True
    bpy.ops.poise.save_pose_asset(bones="SELECTED")
    paths = {curve.data_path for curve in curves_of(assets()[0])}
    assert paths == {'pose.bones["left_elbow"].rotation_quaternion'}


def test_the_catalogue_stands_beside_those_of_others(body, tmp_path) -> None:
    catalogue = addon("catalogue")
    bpy.ops.poise.save_pose_asset()
    assert assets()[0].asset_data.catalog_id == catalogue.UUID  # waits for the file to be saved
    path = tmp_path / "blender_assets.cats.txt"
    path.write_text(OTHERS)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "poses.blend"))
    bpy.ops.poise.save_pose_asset()
    bpy.ops.poise.save_pose_asset()
    assert path.read_text() == f"{OTHERS}{catalogue.UUID}:Poise:Poise\n"
    assert sorted(p.name for p in tmp_path.iterdir() if "cats" in p.name) == [path.name]
    assert {a.asset_data.catalog_id for a in assets()} == {catalogue.UUID}


def test_the_catalogue_of_an_asset_library_is_used(body, tmp_path) -> None:
    libraries = bpy.context.preferences.filepaths.asset_libraries
    library = libraries.new(name="Test", directory=str(tmp_path))
    try:
        (tmp_path / "deep").mkdir()
        bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "deep" / "poses.blend"))
        bpy.ops.poise.save_pose_asset()
        assert "VERSION 1" in (tmp_path / "blender_assets.cats.txt").read_text()
        assert not (tmp_path / "deep" / "blender_assets.cats.txt").exists()
    finally:
        libraries.remove(library)


def test_a_catalogue_of_that_name_is_taken(tmp_path) -> None:
    catalogue = addon("catalogue")
    path = tmp_path / "blender_assets.cats.txt"
    path.write_text(f"{OTHERS}0b2f1ad2-9d0f-4c7e-8a6b-222222222222:Poise:My Poses")  # no newline at the end
    assert catalogue.ensure_catalogue(tmp_path) == "0b2f1ad2-9d0f-4c7e-8a6b-222222222222"
    path.write_text(f"{OTHERS}{catalogue.UUID}:Poses/Of Mine:Mine")
    assert catalogue.ensure_catalogue(tmp_path) == catalogue.UUID
    assert path.read_text().endswith(":Mine")
    path.write_text(OTHERS.rstrip("\n"))
    catalogue.ensure_catalogue(tmp_path)
    assert path.read_text() == f"{OTHERS}{catalogue.UUID}:Poise:Poise\n"


@pytest.mark.parametrize("damaged", [b"VERSION 2\n", b"", b"\xff\xfe\x00nonsense"])
def test_a_file_of_catalogues_that_is_not_understood_is_left_alone(body, tmp_path, damaged) -> None:
    path = tmp_path / "blender_assets.cats.txt"
    path.write_bytes(damaged)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "poses.blend"))
    assert bpy.ops.poise.save_pose_asset() == {"FINISHED"}
    assert path.read_bytes() == damaged and len(assets()) == 1


def test_no_stored_poses_is_said(body) -> None:
    before = snapshot()
    with pytest.raises(RuntimeError, match="has no stored poses"):
        bpy.ops.poise.save_pose_asset(poses="STORED")
    assert snapshot() == before
