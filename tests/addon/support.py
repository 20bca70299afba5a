# SPDX-License-Identifier: Apache-2.0
"""What the add-on's tests share: the installed core, rigs, and what a scene looks like."""

import importlib
import importlib.util
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import bpy
import numpy as np
from mathutils import Matrix

PACKAGE = "bl_ext.user_default.poise"
Z_UP = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])  # (x, y, z) -> (x, -z, y)


def core(room: str) -> ModuleType:
    """A module of the core inside the installed add-on: never a second copy from the repository."""
    return importlib.import_module(f"{PACKAGE}.vendor_core.{room}")


def addon(room: str) -> ModuleType:
    return importlib.import_module(f"{PACKAGE}.addon.{room}")


def asset() -> Path:
    return Path(core("body.default_body").DEFAULT_BODY)


def bone_heads(obj: bpy.types.Object, names=None) -> np.ndarray:
    """World positions (J, 3) of posed bones, by default of the body's 22 joints."""
    bpy.context.view_layer.update()
    names = names or core("skeleton").BODY_JOINTS
    M = np.array(obj.matrix_world)
    heads = np.array([obj.pose.bones[name].head for name in names], dtype=np.float64)
    return heads @ M[:3, :3].T + M[:3, 3]


def posed_joints(body, R_world: np.ndarray, pelvis: np.ndarray) -> np.ndarray:
    """The core's joints (22, 3) for local rotations (22, 3, 3) and a place of the pelvis in the world."""
    return body.pose(R_world, pelvis - body.rest_joints()[0]).joints[:22]


def evaluated_vertices(rig: bpy.types.Object) -> np.ndarray:
    """World vertices (V, 3) of the mesh that a rig deforms."""
    bpy.context.view_layer.update()
    mesh_object = next(o for o in rig.children if o.type == "MESH")
    evaluated = mesh_object.evaluated_get(bpy.context.evaluated_depsgraph_get())
    co = np.empty(3 * len(evaluated.data.vertices), dtype=np.float32)
    evaluated.data.vertices.foreach_get("co", co)
    M = np.array(evaluated.matrix_world)
    return co.reshape(-1, 3) @ M[:3, :3].T + M[:3, 3]


def smplx_addon_rig(joints: np.ndarray) -> bpy.types.Object:
    """An armature as the widespread SMPL-X add-on makes it, from rest joints (55, 3) in metres, SMPL's axes.

    Centimetres scaled by 0.01, SMPL's own axes turned upright by the object, a bone `root` above all, every tail
    along +Y.
    """
    skeleton = core("skeleton")
    armature = bpy.data.armatures.new("SMPLX")
    rig = bpy.data.objects.new("SMPLX", armature)
    bpy.context.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    rig.select_set(True)
    bpy.ops.object.mode_set(mode="EDIT")
    root = armature.edit_bones.new("root")
    root.head, root.tail = (0, 0, 0), (0, 10, 0)
    for j, name in enumerate(skeleton.JOINTS):
        bone = armature.edit_bones.new(name)
        bone.head = 100 * joints[j]
        bone.tail = bone.head + Matrix.Identity(3) @ bone.head.__class__((0, 10, 0))
        up = skeleton.PARENTS[j]
        bone.parent = root if up < 0 else armature.edit_bones[skeleton.JOINTS[up]]
    bpy.ops.object.mode_set(mode="OBJECT")
    rig.scale = (0.01, 0.01, 0.01)
    rig.rotation_euler = (np.pi / 2, 0, 0)
    bpy.context.view_layer.update()
    return rig


def key_pose(rig: bpy.types.Object, frame: float) -> None:
    """Key all bones of the rig as an artist would."""
    for bone in rig.pose.bones:
        path = {"QUATERNION": "rotation_quaternion", "AXIS_ANGLE": "rotation_axis_angle"}.get(
            bone.rotation_mode, "rotation_euler"
        )
        bone.keyframe_insert(path, frame=frame)
    next(b for b in rig.pose.bones if b.name.lower().endswith("pelvis")).keyframe_insert("location", frame=frame)


def snapshot() -> dict[str, object]:
    """Everything of the file that an operator could change, as comparable values."""
    bpy.context.view_layer.update()
    curves = addon("rig.keying.keys").curves_of
    state: dict[str, object] = {
        "scene": (bpy.context.scene.frame_start, bpy.context.scene.frame_end, bpy.context.scene.frame_current),
        "actions": sorted((a.name, a.use_fake_user) for a in bpy.data.actions),
        "meshes": sorted((m.name, len(m.vertices)) for m in bpy.data.meshes),
        "armatures": sorted((a.name, len(a.bones)) for a in bpy.data.armatures),
        "active": getattr(bpy.context.view_layer.objects.active, "name", None),
    }
    for obj in bpy.data.objects:
        state[f"object {obj.name}"] = (
            tuple(map(tuple, obj.matrix_world)),
            sorted(set(obj.keys()) - {"poise", "poise_take"}),
            obj.select_get(),
        )
        if obj.type == "ARMATURE":
            state[f"pose {obj.name}"] = [(b.name, tuple(map(tuple, b.matrix_basis))) for b in obj.pose.bones]
            state[f"rest {obj.name}"] = [(b.name, tuple(map(tuple, b.matrix_local))) for b in obj.data.bones]
            state[f"betas {obj.name}"] = [b.value for b in obj.poise.betas]
            state[f"stored {obj.name}"] = [(p.name, tuple(p.location), len(p.joints)) for p in obj.poise.poses]
        take = obj.poise_take
        if take.version:
            labels = [(label.name, label.marker, label.residual) for label in take.labels]
            body = getattr(take.body, "name", None)
            state[f"take {obj.name}"] = (take.version, take.residual_version, take.start, take.layout, body, labels)
        state[f"keys {obj.name}"] = [
            (c.data_path, c.array_index, [(tuple(k.co), k.type, k.interpolation) for k in c.keyframe_points])
            for c in curves(obj)
        ]
        keys = getattr(obj.data, "shape_keys", None)
        state[f"shape keys {obj.name}"] = [(k.name, k.value) for k in keys.key_blocks] if keys else []
    return state


def assert_unchanged(before: dict[str, object]) -> None:
    """The file is as a `snapshot` has it; where it is not, say what changed."""
    now = snapshot()
    different = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    assert not different, "; ".join(f"{name}: {before.get(name)} -> {now.get(name)}"[:300] for name in different)


def link_action(obj: bpy.types.Object, folder: Path) -> None:
    """Have an object's action in another file, linked from there."""
    action = obj.animation_data.action
    path, name = str(folder / "library.blend"), action.name
    bpy.data.libraries.write(path, {action})
    obj.animation_data.action = None
    bpy.data.actions.remove(action)
    with bpy.data.libraries.load(path, link=True) as (_, into):
        into.actions = [name]
    obj.animation_data.action = into.actions[0]
    if bpy.app.version >= (4, 4):
        obj.animation_data.action_slot = obj.animation_data.action.slots[0]


def tweak(obj: bpy.types.Object) -> None:
    """Put an object's action into the NLA, and have it in tweak mode there."""
    data = obj.animation_data
    track = data.nla_tracks.new()
    strip = track.strips.new("Walk", 1, data.action)
    data.action, track.select, strip.select = None, True, True
    data.nla_tracks.active = track
    data.use_tweak_mode = True
    assert data.use_tweak_mode


@contextmanager
def window():
    """The context in which undo works without a display."""
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]):
        yield


def c3d_bytes(*arguments, **named) -> bytes:
    """The C3D writer of the core's tests; it knows nothing of the core."""
    path = Path(__file__).parents[1] / "core" / "c3d_writer.py"
    spec = importlib.util.spec_from_file_location("c3d_writer", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.c3d_bytes(*arguments, **named)
