# SPDX-License-Identifier: GPL-3.0-or-later
"""The menu "Poise" of the 3D View in Object and Pose Mode, and the same as a pie around the mouse."""

import bpy

_HOSTS = ("VIEW3D_MT_object", "VIEW3D_MT_pose")


class POISE_MT_main(bpy.types.Menu):
    bl_idname = "POISE_MT_main"
    bl_label = "Poise"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.operator_context = "INVOKE_DEFAULT"
        for number, names in enumerate((
            (("poise.pose_live", "HAND"), ("poise.generate_pose", "SHADERFX"), ("poise.make_plausible", "SHADERFX")),
            (("poise.check_pose", "VIEWZOOM"), ("poise.mirror_pose", "MOD_MIRROR")),
            (("poise.store_pose", "ADD"), ("poise.apply_pose", "ARMATURE_DATA")),
            (("poise.interpolate", "IPO_EASE_IN_OUT"), ("poise.denoise", "SMOOTHCURVE")),
            (("poise.solve_targets", "CON_KINEMATIC"), ("poise.import_c3d", "IMPORT")),
            (("poise.solve_picture", "IMAGE_BACKGROUND"), ("poise.solve_tracks", "TRACKER")),
            (("poise.import_motion", "IMPORT"), ("poise.export_motion", "EXPORT")),
            (("poise.open_guide", "QUESTION"),),
        )):  # fmt: skip
            if number:
                layout.separator()
            for name, icon in names:
                layout.operator(name, icon=icon)  # type: ignore[arg-type]


class POISE_MT_pie(bpy.types.Menu):
    bl_idname = "POISE_MT_pie"
    bl_label = "Poise"

    def draw(self, context: bpy.types.Context) -> None:
        pie = self.layout.menu_pie()
        pie.operator_context = "INVOKE_DEFAULT"
        # left, right, below, above, then the corners from the upper left
        for name, icon in (
            ("poise.store_pose", "ADD"), ("poise.generate_pose", "SHADERFX"), ("poise.make_plausible", "SHADERFX"),
            ("poise.pose_live", "HAND"), ("poise.apply_pose", "ARMATURE_DATA"), ("poise.solve_targets", "EMPTY_AXIS"),
            ("poise.check_pose", "VIEWZOOM"), ("poise.mirror_pose", "MOD_MIRROR"),
        ):  # fmt: skip
            pie.operator(name, icon=icon)  # type: ignore[arg-type]


def _draw_submenu(self: bpy.types.Menu, context: bpy.types.Context) -> None:
    self.layout.separator()
    self.layout.menu(POISE_MT_main.bl_idname, icon="OUTLINER_OB_ARMATURE")


_CLASSES = (POISE_MT_main, POISE_MT_pie)
_register_classes, _unregister_classes = bpy.utils.register_classes_factory(_CLASSES)  # type: ignore[misc]


def register() -> None:
    _register_classes()
    for host in _HOSTS:
        getattr(bpy.types, host).append(_draw_submenu)


def unregister() -> None:
    for host in _HOSTS:
        getattr(bpy.types, host).remove(_draw_submenu)
    _unregister_classes()
