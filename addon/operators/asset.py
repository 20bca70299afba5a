# SPDX-License-Identifier: GPL-3.0-or-later
"""Save Pose Asset: poses for the asset browser, with previews, in the catalogue "Poise"."""

from pathlib import Path

import bpy
from bpy.props import EnumProperty, StringProperty

from .. import catalogue
from ..texts import told
from .common import RigOperator, rig_of

_PICTURE = 256  # pixels along each side, as Blender's own previews


class POISE_OT_save_pose_asset(RigOperator, bpy.types.Operator):
    """Save poses of the body as assets, with pictures, for the asset browser and the pose library"""

    bl_idname = "poise.save_pose_asset"
    bl_label = "Save Pose Asset"
    bl_options = {"REGISTER", "UNDO"}

    poses: EnumProperty(  # type: ignore[valid-type]
        name="Poses",
        description="What to save",
        items=(
            ("PRESENT", "Present Pose", "The pose that the body has now"),
            ("STORED", "Stored Poses", "All poses in the body's list, one asset each"),
        ),
    )
    name: StringProperty(name="Name", description="Of the present pose's asset", default="Pose")  # type: ignore[valid-type]
    bones: EnumProperty(  # type: ignore[valid-type]
        name="Bones",
        description="The bones whose pose is saved; applied, an asset leaves all others as they are",
        items=(
            ("ALL", "All Bones", "All bones of the body"),
            ("SELECTED", "Selected Bones", "Only bones that are selected in Pose Mode"),
            ("UNSELECTED", "Unselected Bones", "Only bones that are not selected in Pose Mode"),
        ),
    )

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.prop(self, "poses")
        if self.poses == "PRESENT":
            layout.prop(self, "name")
        layout.prop(self, "bones")

    def run(self, context: bpy.types.Context) -> None:
        from ...vendor_core.errors import PoiseError
        from ..rig.convert import Pose, to_bones
        from ..rig.keying.inbetween import joined
        from ..rig.pose import read_pose, read_rig
        from ..rig.posing.allowed import allowed_bones, only, selected_bones
        from ..rig.posing.assets import save_asset
        from ..rig.posing.pictures import pictures_of
        from ..rig.posing.stored import stored_poses

        obj = rig_of(context)
        context.view_layer.update()  # of what a script has just set
        rig = read_rig(obj).in_own_space()
        names = [item.name for item in obj.poise.poses] if self.poses == "STORED" else [self.name or "Pose"]
        if not names:
            raise PoiseError(f'"{obj.name}" has no stored poses; expected some: use Store Pose')
        allowed = allowed_bones(rig, (), self.bones, selected_bones(context, obj))
        if not allowed.any():
            raise PoiseError("No bone of the body is selected; expected selected bones in Pose Mode, or Bones: All")
        poses = joined(stored_poses(obj) if self.poses == "STORED" else [read_pose(obj, rig)])
        pictures = pictures_of(poses, _PICTURE, rig.axes)
        chosen = {bone for bone, is_allowed in zip(rig.bones, allowed, strict=True) if is_allowed}
        uuid, where = self._catalogue(context)
        for i, (name, picture) in enumerate(zip(names, pictures, strict=True)):
            bones = only(to_bones(rig, Pose(poses.R_local[i : i + 1], poses.trans[i : i + 1]), True), chosen)
            save_asset(obj, bones, name, picture, uuid)
        line = told("{n} pose assets in this file, {where}", n=len(names), where=where)
        self.report({"INFO"}, line if len(names) > 1 else told("One pose asset in this file, {where}", where=where))

    def _catalogue(self, context: bpy.types.Context) -> tuple[str, str]:
        """The UUID for the assets, and where they are to be found."""
        if not bpy.data.filepath:
            return catalogue.UUID, "in no catalogue yet: save the file, then an asset again"
        try:
            return catalogue.ensure_catalogue(_library_of(context, Path(bpy.data.filepath))), "in the catalogue Poise"
        except catalogue.CatalogueError as problem:
            self.report({"WARNING"}, told("{problem}: the assets are in no catalogue", problem=problem))
            return catalogue.UUID, "in no catalogue"


def _library_of(context: bpy.types.Context, blend: Path) -> Path:
    """The folder whose catalogues count for a file: its asset library, or else its own folder."""
    libraries = [Path(bpy.path.abspath(library.path)) for library in context.preferences.filepaths.asset_libraries]
    around = [
        library for library in libraries if library.is_dir() and blend.resolve().is_relative_to(library.resolve())
    ]
    return max(around, key=lambda library: len(library.resolve().parts), default=blend.parent)


def register() -> None:
    bpy.utils.register_class(POISE_OT_save_pose_asset)


def unregister() -> None:
    bpy.utils.unregister_class(POISE_OT_save_pose_asset)
