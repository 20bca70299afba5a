# SPDX-License-Identifier: Apache-2.0
"""Plausibility in the sidebar, a repair and its undo, and keys denoised while the window stays alive."""

import bpy
import numpy as np
import support
from robot import Steps, hands, middle, press, region, reports, shot, until


def _state():
    return support.addon("worker.jobs").state


def noisy_body(frames: int) -> Steps[str]:
    """A body with jitter on its keys; its name."""
    yield from press("poise.add_body(")
    rig = bpy.context.object
    core, addon = support.core, support.addon
    prior, t = core("prior").load_prior(), np.linspace(0, frames / 12, frames)[:, None]
    a, b = prior.sample(2, seed=6)
    exp = core("rotations").exp_so3
    noise = exp(0.07 * np.random.default_rng(0).normal(size=(frames, 21, 3)))
    R = np.broadcast_to(np.eye(3), (frames, 55, 3, 3)).copy()
    R[:, 1:22], R[:, 0] = prior.decode(0.5 * a + 0.5 * np.sin(t) * b) @ noise, exp(np.array([np.pi / 2, 0, 0]))
    pose = addon("rig.convert").Pose(R, np.tile([0, 0, 1.3], (frames, 1)))
    bones = addon("rig.convert").to_bones(addon("rig.pose").read_rig(rig), pose, hands=False)
    action = addon("rig.keying.actions").new_action(rig, "Walk")
    addon("rig.keying.keys").key_bones(rig, action, np.arange(1.0, frames + 1), bones)
    bpy.context.scene.frame_set(5)
    bpy.ops.ed.undo_push(message="noisy")
    yield 0.3
    return rig.name


def test_plausibility_is_shown_and_repaired() -> Steps[None]:
    yield from press("poise.add_body(")
    rig = bpy.context.object
    bpy.ops.poise.generate_pose(seed=3)
    rig.pose.bones["left_knee"].rotation_quaternion = (0.6, 0, 0, 0.8)
    bpy.ops.ed.undo_push(message="broken")
    yield 0.3
    before = support.snapshot()
    yield from press("poise.check_pose(")
    yield 0.3
    hands.move(*middle(region("WINDOW")))
    yield from shot("plausibility_checked", region("UI"))
    assert support.snapshot() == before
    check = support.addon("pose_check").latest(rig)
    print(check)
    assert check.blamed[0][0] == "left_knee"
    yield from press("poise.make_plausible(")
    yield 0.4
    hands.move(*middle(region("WINDOW")))
    yield from shot("plausibility_repaired")
    assert support.snapshot() != before
    assert support.addon("pose_check").latest(bpy.data.objects[rig.name]).plausibility > check.plausibility
    yield from hands.undo()
    assert support.snapshot() == before


def test_denoising_is_one_undo_step_and_a_second_try_is_cancelled() -> Steps[None]:
    name = yield from noisy_body(300)
    before = support.snapshot()
    yield from press("poise.denoise(")
    yield 0.8
    yield from shot("denoise_dialog")
    hands.tap("RET")
    yield from until(lambda: _state().running, 5, "denoising starts")
    yield from until(lambda: _state().fraction > 0.05, 20, "progress")
    yield from shot("denoise_running")
    took = yield from until(lambda: not _state().running, 120, "denoising")
    yield 0.4
    print(f"denoised within {took:.1f} s:", reports()[-1])
    assert bpy.data.objects[name].animation_data.action.name == "Walk Denoised"
    yield from hands.undo()
    assert support.snapshot() == before
    yield from press("poise.denoise(")
    yield 0.8
    hands.tap("RET")
    yield from until(lambda: _state().running and 0.02 < _state().fraction < 0.5, 20, "progress")
    hands.move(*middle(region("WINDOW")))
    hands.tap("ESC")
    took = yield from until(lambda: not _state().running, 5, "the end")
    yield 0.4
    print(f"cancelled within {took:.2f} s")
    assert support.snapshot() == before and any("cancelled" in line for line in reports()[-3:])
