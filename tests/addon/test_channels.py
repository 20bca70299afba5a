# SPDX-License-Identifier: Apache-2.0
"""Keys of bones in every rotation mode: the channels mean what Blender makes of them, and do not jump."""

import bpy
import numpy as np
import pytest
from support import addon, core
from test_animation import angle, heads_at, keyed, rotations_at


@pytest.mark.parametrize("mode", ["XYZ", "AXIS_ANGLE"])
def test_other_rotation_modes_are_keyed_in_their_own_channels(body, mode: str) -> None:
    for bone in body.pose.bones:
        bone.rotation_mode = mode
    expected = keyed(body, {1: 1, 16: 2})
    bpy.ops.poise.interpolate()
    for frame, heads in expected.items():
        assert np.allclose(heads_at(body, frame), heads, atol=1e-5)
    paths = {c.data_path.rpartition(".")[2] for c in addon("rig.keying.keys").curves_of(body)}
    assert "rotation_quaternion" not in paths
    steps = [np.linalg.norm(heads_at(body, f + 1) - heads_at(body, f), axis=1).max() for f in range(1, 16)]
    assert max(steps) < 0.3


@pytest.mark.parametrize("mode", ["QUATERNION", "AXIS_ANGLE", "XYZ", "ZYX"])
def test_channels_go_through_no_turn_at_all_without_a_jump(body, mode: str) -> None:
    """There an axis turns over, and its angle would too."""
    channels, rotations = addon("rig.keying.channels"), core("rotations")
    near = np.array({"QUATERNION": (-1.0, 0.0, 0.0, 0.0), "AXIS_ANGLE": (2.0, 0.0, 0.0, -1.0)}.get(mode, (0.0, 0, 0)))
    turn = np.linspace(-4.0, 4.0, 81)
    R = rotations.exp_so3(turn[:, None] * np.array([0.6, 0.0, 0.8]))
    q = core("prior").continuous_quaternions(R)
    values = channels.channel_values(mode, q, near)
    assert np.abs(np.diff(values, axis=0)).max() < 0.3 if mode != "XYZ" else 1.0
    assert angle(rotations.quaternion_to_matrix(channels.quaternions_of(mode, values)), R) < 1e-5


@pytest.mark.parametrize("mode", ["QUATERNION", "AXIS_ANGLE", "XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX"])
def test_channels_mean_what_blender_makes_of_them(body, mode: str) -> None:
    rng = np.random.default_rng(1)
    bone = body.pose.bones["left_knee"]
    bone.rotation_mode = mode
    channel = addon("rig.keying.channels").channel_of(bone)
    values = 2 * rng.standard_normal((20, len(getattr(bone, channel))))
    values[0], values[1, 1:] = 0, 0
    found = core("rotations").quaternion_to_matrix(addon("rig.keying.channels").quaternions_of(mode, values))
    for row, R in zip(values, found, strict=True):
        setattr(bone, channel, row)
        assert np.allclose(np.array(bone.matrix_basis)[:3, :3], R, atol=1e-6)


@pytest.mark.parametrize("mode", ["XYZ", "ZYX", "AXIS_ANGLE"])
def test_keys_in_other_rotation_modes_are_reproduced(body, mode: str) -> None:
    for bone in body.pose.bones:
        bone.rotation_mode = mode
    keyed(body, {1: 1, 9: 2, 25: 3})
    expected = {frame: rotations_at(body, frame) for frame in (1, 9, 25)}
    for root in ("LERP", "GROUNDED"):
        assert bpy.ops.poise.interpolate(root=root, timing="ease") == {"FINISHED"}
        for frame, R in expected.items():
            assert angle(rotations_at(body, frame), R) < 1e-4
