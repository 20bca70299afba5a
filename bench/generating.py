# SPDX-License-Identifier: Apache-2.0
# pyright: reportAttributeAccessIssue=false, reportOptionalMemberAccess=false, reportMissingImports=false
"""How long generating poses takes in Blender: new ones, variations, their keys and pictures, sliders. Build the zip
first, then run `.venv/blender/bin/python bench/generating.py [dist/poise-VERSION.zip]` with the Python of any Blender
module. The first run of each job, which also loads the prior, is not counted.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

from keys import body, timed  # it also gives Blender a folder of its own, before bpy is loaded

import bpy  # isort: skip
import numpy as np

_ROUNDS = 9


def main() -> None:
    built = sorted((Path(__file__).parents[1] / "dist").glob("poise-*.zip"))
    package = Path(sys.argv[1]) if len(sys.argv) > 1 else built[-1]
    bpy.ops.extensions.package_install_files(filepath=str(package), repo="user_default", enable_on_install=True)
    poise = bpy.ops.poise
    locked = {"lock": {"left_arm"}}
    jobs: dict[str, Callable[[], Callable[[], object]]] = {
        "Generate Pose": on_a_body(lambda: poise.generate_pose(seed=3)),
        "Generate Pose, an arm locked": on_a_body(lambda: poise.generate_pose(seed=3, **locked)),
        "Generate Pose by an amount of 0.5": on_a_body(lambda: poise.generate_pose(seed=3, amount=0.5)),
        "Vary Pose": on_a_body(lambda: poise.vary_pose(seed=3)),
        "Vary Pose, an arm locked": on_a_body(lambda: poise.vary_pose(seed=3, **locked)),
        "Show Variations: 12 pictures": on_a_body(lambda: poise.make_variations(seed=3, count=12)),
        "Save Pose Asset": on_a_body(lambda: poise.save_pose_asset()),
        "100 variations as keys": on_a_body(lambda: poise.key_variations(count=100)),
        "100 variations as keys, Euler angles": on_a_body(lambda: poise.key_variations(count=100), "XYZ"),
        "100 variations as keys, an arm locked": on_a_body(lambda: poise.key_variations(count=100, **locked)),
        "100 variations as keys, fingers too": on_a_body(lambda: poise.key_variations(count=100, hands="FIST")),
        "a pose slider moved": on_a_body(slide),
        "a frame played, sliders keyed": sliders_playing,
        "a frame played, no slider touched": frame_of_bodies,
        "a frame played, no slider touched, 5000 objects": frame_of_many,
    }
    print(f"Blender {bpy.app.version_string}, NumPy {np.__version__}, least of {_ROUNDS}: clock, processor")
    for name, job in jobs.items():
        clock, used = np.min([timed(job) for _ in range(_ROUNDS + 1)][1:], axis=0)
        print(f"{1000 * clock:7.1f} {1000 * used:7.1f} ms  {name}", flush=True)


def on_a_body(work: Callable[[], object], mode: str = "QUATERNION") -> Callable[[], Callable[[], object]]:
    """A job on a body in a generated pose, its bones in a rotation mode."""

    def prepare() -> Callable[[], object]:
        body(mode)
        bpy.ops.poise.generate_pose(seed=1)
        return work

    return prepare


def slide() -> None:
    bpy.context.object.poise.sliders = [1.0] + 9 * [0.0]


def sliders_playing() -> Callable[[], object]:
    body()
    for frame in (1, 21):
        bpy.context.scene.frame_set(frame)
        slide() if frame > 1 else None
        bpy.ops.poise.key_sliders()
    return lambda: bpy.context.scene.frame_set(11)


def frame_of_bodies() -> Callable[[], object]:
    body()
    return lambda: bpy.context.scene.frame_set(11)


def frame_of_many() -> Callable[[], object]:
    body()
    scene = bpy.context.scene
    for i in range(5000):
        scene.collection.objects.link(bpy.data.objects.new(f"Object {i}", None))
    scene.frame_set(10)
    return lambda: scene.frame_set(11)


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # Blender as a module hangs at its exit while classes are registered
