# SPDX-License-Identifier: Apache-2.0
"""Enabling is quick and clean, disabling leaves nothing, and files open without the add-on."""

import json
import os
import subprocess
import sys
import tempfile

import bpy
import numpy as np
from conftest import MODULE, USER_RESOURCES
from support import bone_heads, core, evaluated_vertices

_ENABLE = """
import json, os, sys, time
import bpy
module = sys.argv[1]
if module in bpy.context.preferences.addons:
    bpy.ops.preferences.addon_disable(module=module)
def traces():
    names = {n for n in dir(bpy.types) if n.startswith(("POISE_", "Poise"))}
    names |= {n for n in ("poise",) if hasattr(bpy.types.Object, n) or hasattr(bpy.types.WindowManager, n)}
    names |= {str(f) for f in bpy.types.TOPBAR_MT_file_import._dyn_ui_initialize() if "poise" in f.__module__}
    names |= {f.__module__ for h in dir(bpy.app.handlers) if isinstance(getattr(bpy.app.handlers, h), list)
              for f in getattr(bpy.app.handlers, h) if "poise" in getattr(f, "__module__", "")}
    return sorted(names)
before, modules = traces(), set(sys.modules)
times = []
for _ in range(3):
    start = time.perf_counter()
    bpy.ops.preferences.addon_enable(module=module)
    times.append(time.perf_counter() - start)
    during, loaded = traces(), set(sys.modules) - modules
    bpy.ops.preferences.addon_disable(module=module)
print("RESULT", json.dumps({"before": before, "during": during, "after": traces(), "ms": 1000 * min(times),
      "first_ms": 1000 * times[0], "loaded": sorted(m for m in loaded if not m.startswith("bl_ext"))}))
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


def test_enabling_is_quick_and_disabling_leaves_nothing(poise: str) -> None:
    found = run(_ENABLE, MODULE, user_resources=USER_RESOURCES)
    assert found["before"] == [] and found["after"] == []
    assert {"POISE_OT_add_body", "POISE_PT_body", "POISE_FH_c3d", "poise"} <= set(found["during"])
    assert not [m for m in found["loaded"] if m.split(".")[0] in ("torch", "numpy", "scipy", "array_api_compat")]
    assert found["ms"] < 100, found


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
