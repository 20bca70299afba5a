# SPDX-License-Identifier: Apache-2.0
"""Poses, a motion between them and its repair, without a window, into a file of your own:

blender --background --python poses_and_motion.py -- motion.blend
"""

import sys

import bpy

target = sys.argv[sys.argv.index("--") + 1]
bpy.ops.wm.read_homefile(use_empty=True)
bpy.ops.poise.add_body()
body = bpy.context.object
body.poise.betas["height"].value = 1.0  # a shape slider, in standard deviations

for seed in (3, 14, 15):
    bpy.ops.poise.generate_pose(seed=seed, hands="RELAXED")
    bpy.ops.poise.make_plausible(amount=1.0, lock={"left_leg", "right_leg"})
    bpy.ops.poise.store_pose(name=f"Seed {seed}")

bpy.ops.poise.interpolate(source="STORED", spacing=24)  # keys from the present frame on
bpy.ops.poise.denoise(amount=0.5, source="KEYS")  # works in the worker process, and returns when it is done
try:
    bpy.ops.poise.import_c3d(filepath="no-such-take.c3d", target="ACTIVE")
except RuntimeError as problem:  # what a window would show as a message
    print("Refused:", problem)

bpy.context.scene.frame_end = int(body.animation_data.action.frame_range[1])
bpy.ops.wm.save_as_mainfile(filepath=target)
print(f"{target}: {body.animation_data.action.name}, {bpy.context.scene.frame_end} frames")
