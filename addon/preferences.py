# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's preferences: the worker, and folders of files of the user's own."""

import textwrap
from pathlib import Path

import bpy
from bpy.props import EnumProperty, StringProperty

from . import keymaps
from .worker import jobs
from .worker import report as worker_report

PACKAGE = __package__.rpartition(".addon")[0]
"""The add-on's name as Blender knows it, for example bl_ext.user_default.poise."""

_PRIORS = (".npz", ".ckpt", ".pt")
_LINE = 90  # letters that fit into the preferences' usual width


class PoisePreferences(bpy.types.AddonPreferences):
    bl_idname = PACKAGE

    worker_python: StringProperty(  # type: ignore[valid-type]
        name="Python",
        description="Python interpreter for long jobs, for example one with torch; empty for Blender's own",
        subtype="FILE_PATH",
    )
    device: EnumProperty(  # type: ignore[valid-type]
        name="Device",
        description="Where takes are solved",
        items=(
            ("auto", "Automatic", "An NVIDIA GPU where the interpreter has torch and finds one, else the processor"),
            ("cpu", "Processor", "NumPy on the processor's cores"),
            ("cuda", "NVIDIA GPU", "CUDA; the interpreter needs torch"),
            ("mps", "Apple GPU", "Metal; the interpreter needs torch. Not tested"),
        ),
    )
    body_folder: StringProperty(  # type: ignore[valid-type]
        name="Body Files",
        description="Folder of your own SMPL, SMPL-H or SMPL-X files, where Add Body from File opens",
        subtype="DIR_PATH",
    )

    prior_folder: StringProperty(  # type: ignore[valid-type]
        name="Prior Files",
        description="Folder of your own priors; where a prior is asked for, their names are offered then",
        subtype="DIR_PATH",
    )

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        column = layout.column()
        column.prop(self, "body_folder")
        column.prop(self, "prior_folder")
        layout.separator()
        layout.label(text="Worker: solves takes and cleans motions in a process of its own", icon="SYSTEM")
        column = layout.column()
        column.prop(self, "worker_python", placeholder="Blender's own")
        column.prop(self, "device")
        self._draw_test(layout.column())
        layout.separator()
        layout.label(text="Shortcuts in the 3D View", icon="KEYINGSET")
        keymaps.draw(context, layout)
        layout.separator()
        layout.operator("poise.open_guide", icon="QUESTION")

    def _draw_test(self, column: bpy.types.UILayout) -> None:
        state, report = jobs.state, worker_report.latest
        row = column.row(align=True)
        if state.running and state.job == "test":
            row.progress(factor=state.fraction, text=state.text)
            row.operator("poise.cancel_job", text="", icon="CANCEL")
        else:
            row.operator("poise.test_worker", icon="PLAY")
        if report is None:
            return
        box = column.box().column(align=True)
        box.active = report.settings == (self.worker_python, self.device)  # dimmed where it is of other settings
        icon = "ERROR" if report.failed else "INFO"
        for line in report.lines:
            for part in textwrap.wrap(line, _LINE):
                box.label(text=part, icon=icon)
                icon = "BLANK1"


def prior_path(context: bpy.types.Context, name: str) -> str:
    """The file of a prior that the artist named: by its path, or by its name in the preferences' folder."""
    path, folder = bpy.path.abspath(name), preferences(context).prior_folder
    if name and folder and not Path(path).exists():
        return str(Path(bpy.path.abspath(folder)) / name)
    return path


def offered_priors(owner: object, context: bpy.types.Context, typed: str) -> list[str]:
    """Names of the priors in the preferences' folder, for the `search` of a property."""
    folder = preferences(context).prior_folder
    path = Path(bpy.path.abspath(folder)) if folder else None
    if path is None or not path.is_dir():
        return []
    return sorted(file.name for file in path.iterdir() if file.suffix.lower() in _PRIORS and typed in file.name)


def preferences(context: bpy.types.Context) -> PoisePreferences:
    return context.preferences.addons[PACKAGE].preferences


def register() -> None:
    bpy.utils.register_class(PoisePreferences)


def unregister() -> None:
    bpy.utils.unregister_class(PoisePreferences)
