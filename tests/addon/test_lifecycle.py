# SPDX-License-Identifier: Apache-2.0
"""Enabling is quick and clean, disabling leaves nothing, and files open without the add-on."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import bpy
import numpy as np
from conftest import MODULE, USER_RESOURCES
from support import bone_heads, core, evaluated_vertices

_TIMES = 50
_ENABLE = """
import json, os, sys
import bpy
module, folder, times = sys.argv[1], sys.argv[2], int(sys.argv[3])
sys.path.insert(0, folder)
from traces import difference, traces
if module in bpy.context.preferences.addons:
    bpy.ops.preferences.addon_disable(module=module)
for name in [name for name in sys.modules if name.startswith(module)]:
    del sys.modules[name]
before, modules = traces(), set(sys.modules)
for number in range(times):
    bpy.ops.preferences.addon_enable(module=module)
    if not number:
        during, loaded = difference(before, traces()), set(sys.modules) - modules
    bpy.ops.preferences.addon_disable(module=module)
print("RESULT", json.dumps({"during": during, "left": difference(before, traces()), "loaded": sorted(loaded)}))
sys.stdout.flush()
os._exit(0)
"""

_OPEN = """
import json, os, sys
import bpy
path, frame = sys.argv[1], int(sys.argv[2])
assert not [k for k in bpy.context.preferences.addons.keys() if "poise" in k]
bpy.ops.wm.open_mainfile(filepath=path)
bpy.context.scene.frame_set(frame)
rig = bpy.data.objects["Body"]
mesh = next(o for o in rig.children if o.type == "MESH").evaluated_get(bpy.context.evaluated_depsgraph_get()).data
print("RESULT", json.dumps({"heads": {b.name: list(rig.matrix_world @ b.head) for b in rig.pose.bones},
      "lowest": min(v.co.z for v in mesh.vertices), "drivers": len(rig.animation_data.drivers)}))
sys.stdout.flush()
os._exit(0)
"""


def run(code: str, *arguments: str, user_resources: str) -> dict:
    env = {**os.environ, "BLENDER_USER_RESOURCES": user_resources}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], env=env, capture_output=True, text=True, timeout=120
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    assert lines, done.stdout + done.stderr
    return json.loads(lines[0].removeprefix("RESULT "))


def _enabled(times: int, tmp_path: Path) -> dict:
    """What enabling and disabling does, in another Blender with a copy of the user's folder: its wheels come and go."""
    shutil.copytree(USER_RESOURCES, tmp_path / "user")
    return run(_ENABLE, MODULE, str(Path(__file__).parent), str(times), user_resources=str(tmp_path / "user"))


def test_enabling_and_disabling_fifty_times_leaves_nothing(poise: str, tmp_path: Path) -> None:
    found = _enabled(_TIMES, tmp_path)
    assert found["left"] == {}
    during = found["during"]
    assert {"POISE_OT_add_body", "POISE_PT_body", "POISE_FH_c3d"} <= set(during["types"])
    assert "Object.poise" in during["properties"] and "poise.add_body" in during["operators"]
    assert any("TOPBAR_MT_file_import" in name for name in during["menus"]) and during["manuals"]


def test_enabling_loads_nothing_heavy(poise: str, tmp_path: Path) -> None:
    """What takes long to import is imported where it is needed, so that Blender starts as quickly as without."""
    found = _enabled(1, tmp_path)
    outside = {name.split(".")[0] for name in found["loaded"] if not name.startswith("bl_ext")}
    assert not outside & {"torch", "numpy", "scipy", "array_api_compat", "threadpoolctl", "tqdm"}
    core = {name.removeprefix(f"{MODULE}.vendor_core.") for name in found["loaded"] if f"{MODULE}.vendor_core." in name}
    assert core <= {"errors", "skeleton"}


def test_saved_file_plays_without_the_addon(body, scene, tmp_path) -> None:
    for seed in (1, 2):
        bpy.ops.poise.generate_pose(seed=seed)
        bpy.ops.poise.store_pose()
    body.poise.betas[0].value = 1.0
    bpy.ops.poise.interpolate(source="STORED", spacing=20)
    bpy.context.scene.frame_set(11)
    heads, lowest = bone_heads(body), evaluated_vertices(body)[:, 2].min()
    path = tmp_path / "saved.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
    with tempfile.TemporaryDirectory() as empty:
        found = run(_OPEN, str(path), "11", user_resources=empty)
    names = core("skeleton").BODY_JOINTS
    assert np.allclose([found["heads"][name] for name in names], heads, atol=1e-6)
    assert abs(found["lowest"] - lowest) < 1e-5 and found["drivers"] == 0


def test_saved_file_keeps_sliders_and_stored_poses(body, tmp_path) -> None:
    bpy.ops.poise.generate_pose(seed=1)
    bpy.ops.poise.store_pose(name="Kept")
    body.poise.betas[1].value = 0.5
    path = tmp_path / "saved.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
    bpy.ops.wm.open_mainfile(filepath=str(path))
    rig = bpy.data.objects["Body"]
    assert rig.poise.poses[0].name == "Kept" and rig.poise.betas[1].value == 0.5
    bpy.context.view_layer.objects.active = rig
    assert bpy.ops.poise.apply_pose() == {"FINISHED"}


def test_every_operator_says_what_it_does(poise: str) -> None:
    for name in dir(bpy.ops.poise):
        rna = getattr(bpy.ops.poise, name).get_rna_type()
        assert rna.description and not rna.description.endswith("."), name
        for prop in rna.properties:
            if not prop.is_hidden and prop.identifier not in ("rna_type", "filepath"):
                assert not prop.description.endswith("."), (name, prop.identifier)
