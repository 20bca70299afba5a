# SPDX-License-Identifier: Apache-2.0
# pyright: reportAttributeAccessIssue=false, reportOptionalMemberAccess=false
"""How long the timeline takes in Blender: in-betweens and poses written as keys. Build the zip first, then run
`.venv/blender/bin/python bench/keys.py [dist/poise-VERSION.zip]` with the Python of any Blender module.

A plain task, the keys alone written by `keyframe_points.foreach_set`, is timed in the same round: ratios to it carry
from machine to machine. Blender's own builds carry a NumPy without BLAS: put the folder of one first in PYTHONPATH to
measure what an artist gets.
"""

import importlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType

os.environ["BLENDER_USER_RESOURCES"] = tempfile.mkdtemp(prefix="poise_bench_")

import bpy
import numpy as np

_ROUNDS = 5
_PACKAGE = "bl_ext.user_default.poise"
_CHANNELS = {"QUATERNION": "rotation_quaternion", "XYZ": "rotation_euler", "AXIS_ANGLE": "rotation_axis_angle"}


def main() -> None:
    built = sorted((Path(__file__).parents[1] / "dist").glob("poise-*.zip"))
    package = Path(sys.argv[1]) if len(sys.argv) > 1 else built[-1]
    bpy.ops.extensions.package_install_files(filepath=str(package), repo="user_default", enable_on_install=True)
    jobs: dict[str, Callable[[], Callable[[], None]]] = {
        "foreach_set of 223 curves x 250 keys, nothing else": bare_keys
    }
    for mode in _CHANNELS:
        for path in ("latent", "geodesic", "slerp") if mode == "QUATERNION" else ("latent",):
            jobs[f"interpolate 250 frames, 2 keys, 55 bones, {path}, {mode}"] = interpolation((1, 250), path, mode)
    jobs["interpolate 250 frames, 11 keys, 55 bones, latent"] = interpolation(range(1, 252, 25), "latent")
    jobs["interpolate 250 frames, 11 keys, 55 bones, geodesic"] = interpolation(range(1, 252, 25), "geodesic")
    jobs["the same, grounded and eased"] = interpolation(range(1, 252, 25), "latent", root="GROUNDED", timing="ease")
    jobs["the same, with fewer keys"] = interpolation(range(1, 252, 25), "latent", reduce=True)
    jobs["reduce 250 keys of a shaken motion of 55 bones, 1 degree, 10 mm"] = reduction(250)
    jobs["reduce 2000 keys of a shaken motion of 55 bones, 1 degree, 10 mm"] = reduction(2000)
    jobs["key 100 given poses of 55 bones"] = hundred_poses()
    print(f"Blender {bpy.app.version_string}, NumPy {np.__version__}; least of {_ROUNDS}: clock, processor, ratio")
    unit = 0.0
    for name, job in jobs.items():
        clock, used = np.min([timed(job) for _ in range(_ROUNDS + 1)][1:], axis=0)
        unit = unit or used
        print(f"{clock:7.3f} {used:7.3f} s  {used / unit:6.1f} x  {name}", flush=True)


def timed(job: Callable[[], Callable[[], object]]) -> tuple[float, float]:
    """Seconds of a job's second half by the clock, and those of the processor, which other work hardly changes."""
    work = job()
    start, used = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - start, time.process_time() - used


def room(name: str) -> ModuleType:
    """A module of the installed add-on."""
    return importlib.import_module(f"{_PACKAGE}.{name}")


def body(mode: str = "QUATERNION") -> bpy.types.Object:
    """A body in an empty file."""
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.ops.poise.add_body()
    rig = bpy.context.object
    assert rig is not None
    for bone in rig.pose.bones:
        bone.rotation_mode = mode
    return rig


def bare_keys() -> Callable[[], None]:
    rig = body()
    bag = room("addon.rig.keying.actions").channelbag(rig, bpy.data.actions.new("Bare"))
    co = np.stack([np.arange(250.0), np.zeros(250)], axis=1).astype(np.float32).ravel()

    def work() -> None:
        for k in range(223):
            curve = bag.fcurves.new(f"x{k}")
            curve.keyframe_points.add(250)
            curve.keyframe_points.foreach_set("co", co)
            curve.update()

    return work


def interpolation(
    frames: Iterable[int], path: str, mode: str = "QUATERNION", **options: object
) -> Callable[[], Callable[[], None]]:
    def prepare() -> Callable[[], None]:
        rig = body(mode)
        for seed, frame in enumerate(frames):
            bpy.ops.poise.generate_pose(seed=seed)
            for bone in rig.pose.bones:
                bone.keyframe_insert(_CHANNELS[mode], frame=frame)
            rig.pose.bones["pelvis"].keyframe_insert("location", frame=frame)

        def work() -> None:
            assert bpy.ops.poise.interpolate(path=path, **options) == {"FINISHED"}

        return work

    return prepare


def reduction(n: int) -> Callable[[], Callable[[], None]]:
    def prepare() -> Callable[[], None]:
        rig = body()
        keys, pose, convert, actions = (
            room(f"addon.rig.{name}") for name in ("keying.keys", "pose", "convert", "keying.actions")
        )
        t, rng = np.arange(float(n))[:, None, None], np.random.default_rng(1)
        way = 0.3 * np.sin(t / 9 + rng.uniform(0, 6, (55, 3))) + 0.003 * rng.standard_normal((n, 55, 3))
        poses = convert.Pose(room("vendor_core.rotations").exp_so3(way), 0.01 * np.sin(t[:, 0] / (7, 8, 9)))
        action, found = actions.new_action(rig, "Shaken"), pose.read_rig(rig)
        keys.key_bones(rig, action, np.arange(float(n)), convert.to_bones(found, poses, hands=True))

        def work() -> None:
            assert bpy.ops.poise.reduce_keys() == {"FINISHED"}

        return work

    return prepare


def hundred_poses() -> Callable[[], Callable[[], None]]:
    def prepare() -> Callable[[], None]:
        rig = body()
        keys, pose, posing, convert, actions = (
            room(f"addon.rig.{name}") for name in ("keying.keys", "pose", "posing.showing", "convert", "keying.actions")
        )
        prior = room("vendor_core.prior").load_prior()
        found, action = pose.read_rig(rig), actions.new_action(rig, "Poses")

        def work() -> None:
            R = prior.decode(prior.sample(100, 1))
            R = np.concatenate([np.broadcast_to(np.eye(3), (100, 1, 3, 3)), R], axis=1)
            poses = posing.full_pose(R, np.zeros((100, 3)), "RELAXED")
            keys.key_bones(rig, action, np.arange(100.0), convert.to_bones(found, poses, hands=True))

        return work

    return prepare


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # Blender as a module hangs at its exit while classes are registered
