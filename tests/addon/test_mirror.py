# SPDX-License-Identifier: Apache-2.0
"""Mirror Pose: bones stand where a mirror shows them, whatever the rig and however it stands."""

import bpy
import numpy as np
import pytest
from support import addon, bone_heads, core
from test_poses import local_rotations
from test_rigs import RIGS, moved


@pytest.fixture(params=["own", "smplx_addon", "smplx_addon-moved"])
def rig(request, scene) -> bpy.types.Object:
    kind, _, move = request.param.partition("-")
    obj = RIGS[kind]()
    if move:
        moved(obj)
    bpy.ops.poise.generate_pose(seed=5)
    obj.pose.bones["pelvis"].rotation_mode = "QUATERNION"
    bpy.context.view_layer.update()
    return obj


def test_bones_stand_where_a_mirror_shows_them(rig) -> None:
    p = bone_heads(rig)
    R_root = local_rotations(rig)[0]
    left = R_root[:, 0] * (1, 1, 0) / np.hypot(*R_root[:2, 0])
    assert bpy.ops.poise.mirror_pose() == {"FINISHED"}
    swap = list(core("skeleton").MIRROR[:22])
    seen = p - 2 * ((p - p[0]) @ left)[:, None] * left
    # the bodies themselves are not quite their own mirror images
    assert np.abs(bone_heads(rig) - seen[swap]).max() < 0.03
    assert np.allclose(bone_heads(rig)[0], p[0], atol=1e-5)


def test_twice_is_the_pose_again(rig) -> None:
    before = local_rotations(rig)
    bpy.ops.poise.mirror_pose()
    assert np.abs(local_rotations(rig) - before).max() > 0.05
    bpy.ops.poise.mirror_pose()
    assert np.allclose(local_rotations(rig), before, atol=1e-5)


@pytest.mark.parametrize(("side", "from_side", "to_side"), [("LEFT", "left_", "right_"), ("RIGHT", "right_", "left_")])
def test_one_side_is_given_to_the_other(rig, side, from_side, to_side) -> None:
    names = core("skeleton").JOINTS
    before = local_rotations(rig)
    bpy.ops.poise.mirror_pose(side=side)
    after = local_rotations(rig)
    X = np.diag([-1.0, 1, 1])
    for j, name in enumerate(names):
        expected = before[j]
        if name.startswith(to_side):
            expected = X @ before[names.index(name.replace(to_side, from_side))] @ X
        assert np.allclose(after[j], expected, atol=1e-5), name


def test_who_lies_on_the_left_side_lies_on_the_right(body) -> None:
    to_world = core("rotations").Y_UP_TO_Z_UP
    on_the_left = np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]])  # turned about -Y, the front: left is down
    pose, mirror = addon("rig.convert").Pose, addon("rig.posing.mirror").mirrored_pose
    R = np.broadcast_to(np.eye(3), (1, 55, 3, 3)).copy()
    R[0, 0] = on_the_left @ to_world
    lies = R[0, 0, :, 0]
    assert abs(lies[2]) > 0.99
    turned = mirror(pose(R, np.zeros((1, 3))), "SWAP").R_local[0, 0]
    assert np.allclose(turned[:, 0], -lies, atol=1e-9) and np.allclose(turned[:, 1], R[0, 0, :, 1], atol=1e-9)
