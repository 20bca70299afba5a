# SPDX-License-Identifier: GPL-3.0-or-later
"""Add Body: the default one, or one from a user's file."""

from pathlib import Path

import bpy
from bpy.props import EnumProperty, StringProperty
from bpy_extras.io_utils import ImportHelper

from ..preferences import preferences
from .common import PoiseOperator


class POISE_OT_add_body(PoiseOperator, bpy.types.Operator):
    """Add the default body, rigged and with shape sliders, standing at the 3D cursor"""

    bl_idname = "poise.add_body"
    bl_label = "Add Body"
    bl_options = {"REGISTER", "UNDO"}

    def run(self, context: bpy.types.Context) -> None:
        add_default_body(context)


class POISE_OT_add_body_from_file(PoiseOperator, bpy.types.Operator, ImportHelper):
    """Add a body from your own SMPL, SMPL-H or SMPL-X file"""

    bl_idname = "poise.add_body_from_file"
    bl_label = "Add Body from File"
    bl_options = {"REGISTER", "UNDO"}

    filename_ext = ".npz"
    filter_glob: StringProperty(default="*.npz;*.pkl", options={"HIDDEN"})  # type: ignore[valid-type]

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        folder = preferences(context).body_folder
        if folder and not self.filepath:
            self.filepath = str(Path(bpy.path.abspath(folder)) / "")
        return super().invoke(context, event)  # type: ignore[return-value]

    def run(self, context: bpy.types.Context) -> None:
        from ...vendor_core.body import load_body
        from ..rig.create import Surface, create_body

        path = Path(bpy.path.abspath(self.filepath))
        body = load_body(path)
        rig = create_body(context, body, Surface(polygons=body.faces), path.stem, str(path))
        stand(context, rig)


def add_default_body(context: bpy.types.Context) -> bpy.types.Object:
    """The default body, standing at the 3D cursor; its armature."""
    from ...vendor_core.body import default_body, default_mesh
    from ..rig.create import Surface, create_body

    mesh = default_mesh()
    surface = Surface(
        polygons=mesh.quads,
        uv=mesh.uv,
        polygon_uv=mesh.quad_uv,
        material=mesh.material,
        material_names=mesh.material_names,
        material_colors=mesh.material_colors,
        material_roughness=mesh.material_roughness,
        expression_names=mesh.expression_names,
    )
    rig = create_body(context, default_body(), surface, "Body", "default")
    stand(context, rig)
    return rig


def stand(context: bpy.types.Context, rig: bpy.types.Object) -> None:
    """Pose the pelvis so that the body, at rest, stands on the 3D cursor."""
    from mathutils import Vector

    from ..rig.pose import lowest_point

    pelvis = rig.pose.bones["pelvis"]
    cursor = context.scene.cursor.location
    step = Vector((cursor.x, cursor.y, cursor.z - lowest_point(context, rig)))
    pelvis.location = pelvis.bone.matrix_local.to_3x3().inverted() @ step
    context.view_layer.update()


_HAND_ITEMS = (
    ("RELAXED", "Relaxed", "Fingers slightly bent"),
    ("FLAT", "Flat", "Fingers straight"),
    ("FIST", "Fist", "Fingers closed, the thumb across them"),
    ("POINT", "Point", "The index finger straight, the others closed"),
    ("KEEP", "Keep", "Fingers stay as they are"),
)
HANDS = EnumProperty(name="Hands", description="What the fingers do", items=_HAND_ITEMS, default="RELAXED")
HANDS_KEPT = EnumProperty(name="Hands", description="What the fingers do", items=_HAND_ITEMS, default="KEEP")

_CLASSES = (POISE_OT_add_body, POISE_OT_add_body_from_file)
register, unregister = bpy.utils.register_classes_factory(_CLASSES)  # type: ignore[misc]
