# SPDX-License-Identifier: Apache-2.0
"""BVH files as Blender's own importer sees them."""

from pathlib import Path

import bpy
import numpy as np
from support import core


def test_blender_reads_what_the_core_writes(scene, tmp_path: Path) -> None:
    body, motion = core("body").default_body(), core("motion").Motion
    rng = np.random.default_rng(0)
    poses = 0.3 * rng.standard_normal((4, 55, 3))
    poses[:, 22:25] = 0
    moved = motion(poses, rng.standard_normal((4, 3)), rate=24.0, body_name="default")
    core("motion.bvh").write_bvh(tmp_path / "m.bvh", core("motion.bvh_motion").bvh_of(moved, body.rest_joints()))
    bpy.ops.import_anim.bvh(filepath=str(tmp_path / "m.bvh"), global_scale=0.01, axis_forward="-Z", axis_up="Y")
    rig = bpy.context.object
    joints = body.pose(core("rotations").exp_so3(moved.poses), moved.trans).joints
    for frame in range(4):
        bpy.context.scene.frame_set(frame + 1)
        for name in ("pelvis", "left_knee", "head", "right_wrist", "left_middle2"):
            head = np.array(rig.matrix_world @ rig.pose.bones[name].head)
            assert np.abs(head - joints[frame, body.joint_names.index(name)]).max() < 1e-4, (frame, name)
