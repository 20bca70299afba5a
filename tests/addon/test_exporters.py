# SPDX-License-Identifier: Apache-2.0
"""A body through Blender's own exporters and back: bones and skin are where they were, to a millimetre."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
import pytest
from motions import some_motion
from support import addon, bone_heads, core, evaluated_vertices

FPS, FRAMES = 24, (1, 5, 8, 13)
_NEAR = 1e-3  # metres


@dataclass(frozen=True)
class Shown:
    """What a body shows at the frames."""

    bones: list[str]
    heads: np.ndarray  # (F, J, 3)
    skin: np.ndarray  # (F, V, 3)
    shape_keys: dict[str, float]


def _needs(module: str, name: str) -> None:
    if name not in dir(getattr(bpy.ops, module)):
        pytest.skip(f"this Blender has no {module}.{name}")


def _gltf(path: Path) -> None:
    _needs("export_scene", "gltf")
    bpy.ops.export_scene.gltf(filepath=str(path), use_selection=True)


def _fbx(path: Path) -> None:
    _needs("export_scene", "fbx")
    bpy.ops.export_scene.fbx(filepath=str(path), use_selection=True, add_leaf_bones=False, bake_anim_simplify_factor=0)


def _alembic(path: Path) -> None:
    _needs("wm", "alembic_export")
    bpy.ops.wm.alembic_export(filepath=str(path), selected=True, start=FRAMES[0], end=FRAMES[-1])


EXPORTERS: dict[str, Callable[[Path], None]] = {"glb": _gltf, "fbx": _fbx, "abc": _alembic}
IMPORTERS = {
    "glb": lambda path: bpy.ops.import_scene.gltf(filepath=path),
    "fbx": lambda path: bpy.ops.import_scene.fbx(filepath=path),
    "abc": lambda path: bpy.ops.wm.alembic_import(filepath=path),
}


@pytest.fixture
def walking(scene, tmp_path: Path) -> bpy.types.Object:
    """A body with a shape, an expression, fingers, keys on 13 frames, and targets beside it."""
    core("motion").write_motion(tmp_path / "walk.npz", some_motion(FRAMES[-1], FPS))
    scene.render.fps, scene.frame_start, scene.frame_end = FPS, FRAMES[0], FRAMES[-1]
    bpy.ops.poise.import_motion(filepath=str(tmp_path / "walk.npz"))
    rig = bpy.context.object
    bpy.ops.poise.add_targets()
    _mesh(rig).data.shape_keys.key_blocks[12].value = 0.7
    return rig


def _mesh(rig: bpy.types.Object) -> bpy.types.Object:
    return next(o for o in rig.children if o.type == "MESH")


def _shown(rig: bpy.types.Object, bones: list[str]) -> tuple[np.ndarray, np.ndarray]:
    heads, skin = [], []
    for frame in FRAMES:
        bpy.context.scene.frame_set(frame)
        heads.append(bone_heads(rig, bones))
        skin.append(evaluated_vertices(rig))
    return np.array(heads), np.array(skin)


def _exported(rig: bpy.types.Object, path: Path) -> Shown:
    bones = [bone.name for bone in rig.pose.bones]
    keys = {key.name: key.value for key in _mesh(rig).data.shape_keys.key_blocks}
    shown = Shown(bones, *_shown(rig, bones), keys)
    for obj in bpy.data.objects:
        obj.select_set(obj in (rig, _mesh(rig)))
    EXPORTERS[path.suffix[1:]](path)
    return shown


def _into_an_empty_scene(path: Path) -> None:
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.context.scene.render.fps = FPS
    IMPORTERS[path.suffix[1:]](str(path))


def _farthest(skin: np.ndarray, imported: np.ndarray) -> float:
    """Metres that a vertex of what was imported is away from its own, or, where seams were cut, from any."""
    if len(skin) == len(imported):
        return float(np.linalg.norm(skin - imported, axis=1).max())
    some = imported[::11]
    return max(float(np.linalg.norm(skin - p, axis=1).min()) for p in some)


@pytest.mark.parametrize("how", ["keys", "constraint", "sliders"])
@pytest.mark.parametrize("kind", ["glb", "fbx"])
def test_bones_skin_and_shape_come_back(walking, tmp_path: Path, kind: str, how: str) -> None:
    if how == "constraint":
        target = bpy.data.objects.new("Target", None)
        bpy.context.scene.collection.objects.link(target)
        target.rotation_euler = (1.0, 0.2, 0.4)
        walking.pose.bones["head"].constraints.new("COPY_ROTATION").target = target
    elif how == "sliders":
        bag = addon("rig.keying.actions").new_action(walking, "Sliders")
        assert bag is walking.animation_data.action
        for frame, value in ((1, 0.0), (13, 1.5)):
            bpy.context.scene.frame_set(frame)
            walking.poise.sliders[0] = value
            walking.keyframe_insert("poise.sliders", frame=frame)
    path = tmp_path / f"body.{kind}"
    shown = _exported(walking, path)
    assert np.linalg.norm(shown.heads[0] - shown.heads[-1], axis=1).max() > 0.05
    _into_an_empty_scene(path)
    (rig,) = [obj for obj in bpy.data.objects if obj.type == "ARMATURE"]
    assert {bone.name for bone in rig.pose.bones} == set(shown.bones)
    assert not [obj.name for obj in bpy.data.objects if obj.type == "EMPTY"]
    heads, skin = _shown(rig, shown.bones)
    assert np.linalg.norm(heads - shown.heads, axis=-1).max() < _NEAR
    farthest = max(map(_farthest, shown.skin, skin))
    print(f"{kind} {how}: heads {1e3 * np.linalg.norm(heads - shown.heads, axis=-1).max():.3f} mm, "
          f"skin {1e3 * farthest:.3f} mm")  # fmt: skip
    assert farthest < _NEAR
    keys = {key.name: key.value for key in _mesh(rig).data.shape_keys.key_blocks}
    assert set(keys) == set(shown.shape_keys)
    assert all(value == pytest.approx(shown.shape_keys[name], abs=1e-5) for name, value in keys.items())


def test_the_skin_comes_back_from_alembic(walking, tmp_path: Path) -> None:
    path = tmp_path / "body.abc"
    shown = _exported(walking, path)
    _into_an_empty_scene(path)
    (mesh,) = [obj for obj in bpy.data.objects if obj.type == "MESH"]
    for frame, skin in zip(FRAMES, shown.skin, strict=True):
        bpy.context.scene.frame_set(frame)
        evaluated = mesh.evaluated_get(bpy.context.evaluated_depsgraph_get())
        co = np.empty(3 * len(evaluated.data.vertices), dtype=np.float32)
        evaluated.data.vertices.foreach_get("co", co)
        M = np.array(evaluated.matrix_world)
        farthest = _farthest(skin, co.reshape(-1, 3) @ M[:3, :3].T + M[:3, 3])
        print(f"abc frame {frame}: skin {1e3 * farthest:.3f} mm")
        assert farthest < _NEAR
