# SPDX-License-Identifier: GPL-3.0-or-later
"""A body model as an armature and a mesh in the scene."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import bpy
import numpy as np

from ...vendor_core.body import BodyModel
from ...vendor_core.errors import PoiseError
from ...vendor_core.rotations import Y_UP_TO_Z_UP
from .layout import bone_layout

SHAPE_KEYS = 10  # betas and expressions of a user's file that become shape keys; its files hold up to 300
_DEVIATIONS = (-3.0, 3.0)  # slider range of statistical coefficients
_FACE_UNITS = (0.0, 1.0)  # of named expressions: from the neutral face to the whole expression


class SceneError(PoiseError):
    """The scene does not allow what is to be done, for example because a collection is hidden."""


@dataclass(frozen=True)
class Surface:
    """What a mesh has beyond the body model: polygons, texture coordinates, materials."""

    polygons: np.ndarray  # (Q, 3 | 4)
    uv: np.ndarray | None = None  # (n, 2)
    polygon_uv: np.ndarray | None = None  # (Q, 3 | 4) into uv
    material: np.ndarray | None = None  # (Q,)
    material_names: tuple[str, ...] = ("Skin",)
    material_colors: Sequence[Sequence[float]] | np.ndarray = ((0.46, 0.27, 0.19, 1.0),)  # (n, 4) linear RGBA
    material_roughness: Sequence[float] | np.ndarray = (0.55,)  # (n,)
    expression_names: tuple[str, ...] = ()


@dataclass(frozen=True)
class ShapeNames:
    """Names of the shape keys of the body's coefficients that the scene gets."""

    betas: tuple[str, ...]
    expressions: tuple[str, ...]
    expression_range: tuple[float, float]


def shape_names(body: BodyModel, expression_names: tuple[str, ...]) -> ShapeNames:
    """All named coefficients; of unnamed ones the first few, called as the SMPL-X add-on calls them."""
    betas = tuple(body.beta_names) or tuple(f"Shape{i:03d}" for i in range(min(body.num_betas, SHAPE_KEYS)))
    n = min(body.num_expressions, len(expression_names) or SHAPE_KEYS)
    expressions = tuple(expression_names[:n]) or tuple(f"Exp{i:03d}" for i in range(n))
    return ShapeNames(betas, expressions, _FACE_UNITS if expression_names else _DEVIATIONS)


def create_body(
    context: bpy.types.Context, body: BodyModel, surface: Surface, name: str, source: str
) -> bpy.types.Object:
    """Make an armature and its mesh, with the identity as their objects' transform.

    Args:
        context: of the operator; the armature becomes the active object.
        body: float64.
        surface: of the mesh.
        name: of the objects.
        source: "default" or the file the body was read from; kept on the armature.

    Returns:
        The armature object.

    Raises:
        SceneError: the active collection is hidden.
    """
    names = shape_names(body, surface.expression_names)
    leave_mode(context)
    armature = bpy.data.armatures.new(name)
    rig = bpy.data.objects.new(name, armature)
    context.collection.objects.link(rig)
    try:
        _add_bones(context, rig, body)
    except SceneError:
        bpy.data.armatures.remove(armature)
        raise
    rig.show_in_front = True
    armature.display_type = "STICK"  # the skin stays visible behind its bones
    mesh_object = _add_mesh(context, rig, body, surface, names, name)
    mark_rig(rig, body, names, source)
    select_only(context, rig)
    mesh_object.select_set(False)
    return rig


def leave_mode(context: bpy.types.Context) -> None:
    """Go to Object Mode, from whatever mode the active object is in."""
    if context.mode != "OBJECT" and context.object is not None:
        bpy.ops.object.mode_set(mode="OBJECT")


def select_only(context: bpy.types.Context, obj: bpy.types.Object) -> None:
    for other in context.selected_objects:
        other.select_set(False)
    obj.select_set(True)
    context.view_layer.objects.active = obj


@contextmanager
def editing(context: bpy.types.Context, rig: bpy.types.Object) -> Iterator[None]:
    """Edit Mode on one armature; the active object, the selection and the mode are afterwards as before.

    Raises:
        SceneError: the armature is hidden or out of the view layer, so that Blender cannot edit it.
    """
    layer = context.view_layer
    layer.update()  # a new object shows only then
    if rig.name not in layer.objects or not rig.visible_get():
        raise SceneError(f'"{rig.name}" is hidden; its bones can only be edited while it shows: unhide it first')
    active, selected = layer.objects.active, [o for o in layer.objects if o.select_get()]
    mode = active.mode if active is not None else "OBJECT"
    if mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")
    for other in selected:
        other.select_set(False)
    layer.objects.active = rig
    rig.select_set(True)
    bpy.ops.object.mode_set(mode="EDIT")
    try:
        yield
    finally:
        bpy.ops.object.mode_set(mode="OBJECT")
        rig.select_set(False)
        for other in selected:
            other.select_set(True)
        layer.objects.active = active
        if mode != "OBJECT":
            bpy.ops.object.mode_set(mode=mode)


def mark_rig(rig: bpy.types.Object, body: BodyModel, names: ShapeNames, source: str) -> None:
    """Keep on the armature what its shape sliders need, so that they work without the body's file.

    `poise_joint_dirs` holds, in the armature's axes, how each rest joint moves with each beta (J, 3, B) in metres;
    `poise_height` the height at rest and what each beta adds to it (1 + B,), metres, from the top of the head to the
    sole.
    """
    n = len(names.betas)
    ends = [int(np.argmax(body.v_template[:, 1])), int(np.argmin(body.v_template[:, 1]))]
    top, sole = np.column_stack([body.v_template[ends, 1], body.shape_dirs[ends, 1, :n]])
    rig["poise_height"] = (top - sole).tolist()
    rig["poise_body"] = source
    rig["poise_joint_names"] = ",".join(body.joint_names)
    rig["poise_joints"] = (body.joints_template @ Y_UP_TO_Z_UP.T).ravel().tolist()
    rig["poise_joint_dirs"] = np.einsum("xy,jyb->jxb", Y_UP_TO_Z_UP, body.joint_shape_dirs[..., :n]).ravel().tolist()
    settings = rig.poise
    settings.betas.clear()
    for beta in names.betas:
        item = settings.betas.add()
        item.name = beta


def _add_bones(context: bpy.types.Context, rig: bpy.types.Object, body: BodyModel) -> None:
    layout = bone_layout(body.joint_names, body.parents, body.joints_template)
    with editing(context, rig):
        edit_bones = rig.data.edit_bones
        for j, name in enumerate(body.joint_names):
            bone = edit_bones.new(name)
            bone.head = layout.heads[j]
            bone.tail = layout.heads[j] + layout.lengths[j] * layout.directions[j]
            bone.align_roll(layout.rolls[j])
            if body.parents[j] >= 0:
                bone.parent = edit_bones[body.joint_names[body.parents[j]]]
    for name, group in _bone_groups(body.joint_names).items():
        collection = rig.data.collections.new(name)
        for bone in group:
            collection.assign(rig.data.bones[bone])
        collection.is_visible = name == "Body"  # fingers and face would hide hands and head under bones
    for bone in rig.pose.bones:
        bone.rotation_mode = "QUATERNION"
        bone.lock_location = (bone.parent is not None,) * 3


def _bone_groups(names: tuple[str, ...]) -> dict[str, list[str]]:
    face = [n for n in names if n == "jaw" or "eye" in n]
    hands = [n for n in names if (n[-1:].isdigit() and not n.startswith("spine")) or n.endswith("_hand")]
    groups = {"Body": [n for n in names if n not in face and n not in hands], "Hands": hands, "Face": face}
    return {name: bones for name, bones in groups.items() if bones}


def _add_mesh(
    context: bpy.types.Context, rig: bpy.types.Object, body: BodyModel, surface: Surface, names: ShapeNames, name: str
) -> bpy.types.Object:
    mesh = bpy.data.meshes.new(name)
    _fill_mesh(mesh, body.v_template @ Y_UP_TO_Z_UP.T, surface)
    obj = bpy.data.objects.new(f"{name} Mesh", mesh)
    context.collection.objects.link(obj)
    obj.parent = rig
    _add_weights(obj, body)
    _add_shape_keys(obj, body, names)
    modifier = obj.modifiers.new("Armature", "ARMATURE")
    modifier.object = rig
    return obj


def _fill_mesh(mesh: bpy.types.Mesh, vertices: np.ndarray, surface: Surface) -> None:
    n_polygons, corners = surface.polygons.shape
    mesh.vertices.add(len(vertices))
    mesh.vertices.foreach_set("co", vertices.astype(np.float32).ravel())
    mesh.loops.add(n_polygons * corners)
    mesh.loops.foreach_set("vertex_index", surface.polygons.astype(np.int32).ravel())
    mesh.polygons.add(n_polygons)
    mesh.polygons.foreach_set("loop_start", np.arange(0, n_polygons * corners, corners, dtype=np.int32))
    if surface.material is not None:
        mesh.polygons.foreach_set("material_index", surface.material.astype(np.int32))
    mesh.polygons.foreach_set("use_smooth", np.ones(n_polygons, dtype=bool))
    mesh.update(calc_edges=True)
    if surface.uv is not None and surface.polygon_uv is not None:
        layer = mesh.uv_layers.new(name="UVMap")
        layer.uv.foreach_set("vector", surface.uv[surface.polygon_uv].astype(np.float32).ravel())
    for i, material_name in enumerate(surface.material_names):
        mesh.materials.append(_material(material_name, surface, i))


def _material(name: str, surface: Surface, i: int) -> bpy.types.Material:
    color = tuple(map(float, surface.material_colors[i]))
    roughness = float(surface.material_roughness[i])
    material = bpy.data.materials.new(f"Poise {name}")
    material.diffuse_color = color
    material.roughness = roughness
    if bpy.app.version < (5, 0):  # later versions always use nodes
        material.use_nodes = True
    shader = next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    shader.inputs["Base Color"].default_value = color
    shader.inputs["Roughness"].default_value = roughness
    return material


def _add_weights(obj: bpy.types.Object, body: BodyModel) -> None:
    for j, name in enumerate(body.joint_names):
        group = obj.vertex_groups.new(name=name)
        column = body.weights[:, j]
        used = np.flatnonzero(column > 1e-6)
        if not len(used):
            continue
        used = used[np.argsort(column[used], kind="stable")]
        weights, starts = np.unique(column[used], return_index=True)
        for weight, vertices in zip(weights.tolist(), np.split(used, starts[1:]), strict=True):
            group.add(vertices.tolist(), weight, "REPLACE")  # one call for all vertices of one weight


def _add_shape_keys(obj: bpy.types.Object, body: BodyModel, names: ShapeNames) -> None:
    obj.shape_key_add(name="Basis", from_mix=False)
    columns = [*range(len(names.betas)), *range(body.num_betas, body.num_betas + len(names.expressions))]
    for column, name in zip(columns, (*names.betas, *names.expressions), strict=True):
        key = obj.shape_key_add(name=name, from_mix=False)
        shaped = (body.v_template + body.shape_dirs[..., column]) @ Y_UP_TO_Z_UP.T
        key.points.foreach_set("co", shaped.astype(np.float32).ravel())
        key.slider_min, key.slider_max = _DEVIATIONS if name in names.betas else names.expression_range
        key.value = 0.0
