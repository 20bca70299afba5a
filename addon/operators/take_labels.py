# SPDX-License-Identifier: GPL-3.0-or-later
"""What the labels of a take mean: found by their names or places, cleared, kept as presets."""

from pathlib import Path
from typing import TYPE_CHECKING

import bpy
from bpy.props import StringProperty

from ...vendor_core.errors import PoiseError
from ..label_presets import preset_names, preset_path
from ..preferences import preferences
from ..prior_choice import source_of
from ..scenes import object_of
from ..take_lookup import NO_TAKE, find_take, is_take, own_take_of, take_of
from ..texts import told
from ..worker import jobs
from .common import PoiseOperator
from .job import BUSY, JobFollower, follow
from .mocap import LAYOUT

if TYPE_CHECKING:
    from ...vendor_core.frames import Message


class TakeOperator(PoiseOperator):
    """An operator on the take that the artist means."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if find_take(context) is None:
            cls.poll_message_set(NO_TAKE)  # type: ignore[attr-defined]
            return False
        return True


class POISE_OT_map_labels(TakeOperator, bpy.types.Operator):
    """Find out which marker each label means: by its name, or, where the take has no labels, by where its points are"""

    bl_idname = "poise.map_labels"
    bl_label = "Map Automatically"
    bl_options = {"REGISTER", "UNDO"}

    layout_name: LAYOUT  # type: ignore[valid-type]

    def run(self, context: bpy.types.Context) -> None:
        from ..rig.takes.labels import has_no_labels, map_labels_of

        take = own_take_of(context)
        if not has_no_labels(take):
            label_map = map_labels_of(take, self.layout_name)
            found, n = len(label_map.markers), len(take.poise_take.labels)  # type: ignore[attr-defined]
            line = told(
                "{take}: {layout}, {found} markers of {n} labels",
                take=take.name,
                layout=label_map.layout,
                found=found,
                n=n,
            )
            self.report({"INFO"}, line)
            return
        if jobs.state.running:
            raise PoiseError(BUSY)
        self._tell_apart(context, take)

    def _tell_apart(self, context: bpy.types.Context, take: bpy.types.Object) -> None:
        from ..take_solve import take_params

        params, arrays = take_params(take)
        params |= {"columns": None, "layout": self.layout_name, "device": preferences(context).device,
                   "prior": source_of(context.scene)}  # fmt: skip
        name, uid = take.name, take.session_uid
        jobs.start(
            preferences(context).worker_python, f"Labelling {name}", "label", params,
            lambda context, message: _write_map(name, uid, message), arrays,
        )  # fmt: skip
        follow(self, context, bpy.ops.poise.follow_labels)  # type: ignore[arg-type]


def _write_map(name: str, uid: int, message: "Message") -> str:
    """Write what the worker found into the take's table; a line that sums it up.

    Raises:
        PoiseError: the job failed or was cancelled, or the take is gone; nothing is changed then.
    """
    from ..rig.takes.labels import write_map

    jobs.require_result(message, f"{name}: labelling")
    take, data = object_of(name, uid), message.data
    if take is None or not is_take(take):
        raise PoiseError(f'The take "{name}" was removed meanwhile; import it again')
    columns = {int(column): str(marker) for column, marker in data["columns"]}
    write_map(take, columns, data["layout"], data["confidence"])
    return f"{name}: {data['layout']}, {len(columns)} of {len(take.poise_take.labels)} points recognised"  # type: ignore[attr-defined]


class POISE_OT_follow_labels(JobFollower, bpy.types.Operator):
    """Wait for the labels of the take, without holding up Blender"""

    bl_idname = "poise.follow_labels"
    bl_label = "Map Automatically"
    bl_options = {"INTERNAL", "UNDO"}


class POISE_OT_clear_labels(TakeOperator, bpy.types.Operator):
    """Let no label mean a marker"""

    bl_idname = "poise.clear_labels"
    bl_label = "Clear Labels"
    bl_options = {"REGISTER", "UNDO"}

    def run(self, context: bpy.types.Context) -> None:
        from ..rig.takes.labels import write_map

        write_map(own_take_of(context), {}, "", 0.0)


class POISE_OT_apply_label_preset(TakeOperator, bpy.types.Operator):
    """Map the take's labels by a table that was saved before"""

    bl_idname = "poise.apply_label_preset"
    bl_label = "Apply Label Preset"
    bl_options = {"REGISTER", "UNDO"}

    preset: StringProperty(name="Preset", description="The name under which the table was saved")  # type: ignore[valid-type]

    def run(self, context: bpy.types.Context) -> None:
        from ..rig.takes.labels import map_labels_of

        path = preset_path(self.preset)
        if not path.is_file():
            saved = ", ".join(preset_names()) or "none"
            raise PoiseError(f'No label preset is called "{self.preset}"; there are: {saved}')
        take = own_take_of(context)
        label_map = map_labels_of(take, path)
        n = len(label_map.markers)
        self.report({"INFO"}, told("{take}: {preset}, {n} markers", take=take.name, preset=self.preset, n=n))


class POISE_OT_save_label_preset(TakeOperator, bpy.types.Operator):
    """Keep what the take's labels mean as a preset, for takes with labels of the same names"""

    bl_idname = "poise.save_label_preset"
    bl_label = "Save Label Preset"
    bl_options = {"REGISTER"}

    preset: StringProperty(name="Name", description="Under which the table is saved; one of that name is replaced")  # type: ignore[valid-type]

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        return context.window_manager.invoke_props_dialog(self, confirm_text="Save")  # type: ignore[return-value]

    def run(self, context: bpy.types.Context) -> None:
        from ..rig.takes.labels import label_table

        path: Path = preset_path(self.preset, create=True)
        text = label_table(take_of(context))
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as problem:
            raise PoiseError(f"{path} cannot be written ({problem.strerror})") from None


class POISE_OT_remove_label_preset(PoiseOperator, bpy.types.Operator):
    """Delete a label preset"""

    bl_idname = "poise.remove_label_preset"
    bl_label = "Remove Label Preset"
    bl_options = {"REGISTER"}

    preset: StringProperty(name="Name", description="Of the preset")  # type: ignore[valid-type]

    def run(self, context: bpy.types.Context) -> None:
        path = preset_path(self.preset)
        if not path.is_file():
            raise PoiseError(f'No label preset is called "{self.preset}"')
        try:
            path.unlink()
        except OSError as problem:
            raise PoiseError(f"{path} cannot be deleted ({problem.strerror})") from None


_CLASSES = (
    POISE_OT_map_labels,
    POISE_OT_follow_labels,
    POISE_OT_clear_labels,
    POISE_OT_apply_label_preset,
    POISE_OT_save_label_preset,
    POISE_OT_remove_label_preset,
)
register, unregister = bpy.utils.register_classes_factory(_CLASSES)  # type: ignore[misc]
