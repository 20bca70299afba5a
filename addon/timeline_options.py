# SPDX-License-Identifier: GPL-3.0-or-later
"""How in-betweens and fewer keys are made: asked for alike by the operators and, kept in the scene, by the panel."""

from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, PointerProperty


class ToleranceOptions:
    """How far off a motion with fewer keys may be."""

    max_angle: FloatProperty(  # type: ignore[valid-type]
        name="Rotation",
        description="How far off each bone's rotation may be at any frame",
        subtype="ANGLE",
        default=0.0174532925,  # a degree
        min=0.000174532925,
        soft_max=0.174532925,
        max=3.0,
        step=10,
    )
    max_distance: FloatProperty(  # type: ignore[valid-type]
        name="Position",
        description="How far off each joint's position may be at any frame",
        subtype="DISTANCE",
        default=0.01,
        min=1e-4,
        soft_max=0.1,
        max=10.0,
        step=1,
        precision=3,
    )


class InbetweenOptions(ToleranceOptions):
    """How to get from key pose to key pose."""

    path: EnumProperty(  # type: ignore[valid-type]
        name="Path",
        description="How to get from pose to pose",
        items=(
            ("latent", "Prior", "Through plausible poses, as the prior has learned them"),
            ("geodesic", "Least Motion", "Through plausible poses, moving the skin as little as can be"),
            ("slerp", "Shortest", "Each joint on its own, the shortest way"),
        ),
    )
    timing: EnumProperty(  # type: ignore[valid-type]
        name="Timing",
        description="Speed between two key poses",
        items=(
            ("constant", "Constant Speed", "The body moves evenly"),
            ("ease", "Ease", "From rest at one key pose to rest at the next"),
            ("ease_in", "Ease In", "From rest, and faster and faster"),
            ("ease_out", "Ease Out", "Slower and slower, to rest"),
            ("linear", "Linear", "Even in the path's own parameter"),
        ),
    )
    root: EnumProperty(  # type: ignore[valid-type]
        name="Pelvis",
        description="What the pelvis, and with it the whole body, does in the world",
        items=(
            ("LERP", "Straight", "Along a straight line from key to key"),
            ("GROUNDED", "Grounded", "Raised and lowered so that the body stands on the floor as its keys do"),
            ("KEEP", "Keep", "The pelvis keeps the curves that it has"),
        ),
    )
    bones: EnumProperty(  # type: ignore[valid-type]
        name="Bones",
        description="The bones that get keys",
        items=(
            ("ALL", "All", "All bones of the body"),
            ("SELECTED", "Selected", "Only bones that are selected in Pose Mode; the others keep their curves"),
        ),
    )
    span: EnumProperty(  # type: ignore[valid-type]
        name="Frames",
        description="Which of the key poses on the timeline count",
        items=(
            ("ALL", "All", "From the first key to the last"),
            ("SCENE", "Scene Range", "In the preview range, or else in the scene's frame range"),
        ),
    )
    step: IntProperty(  # type: ignore[valid-type]
        name="Key Every",
        description="Frames from key to key; between keys further apart, Blender's own curves lead",
        default=1,
        min=1,
        soft_max=24,
    )
    loop: BoolProperty(  # type: ignore[valid-type]
        name="Loop",
        description="Go back from the last key pose to the first, which is keyed again at the end",
        default=False,
    )
    spacing: IntProperty(  # type: ignore[valid-type]
        name="Frames Apart",
        description="Frames from one stored pose to the next, to the generated pose, and from the last pose back to "
        "the first",
        default=24,
        min=1,
        soft_max=250,
    )
    reduce: BoolProperty(  # type: ignore[valid-type]
        name="Fewer Keys",
        description="Key only as many frames as the curves need to stay within these limits",
        default=False,
    )


OPTIONS = (*InbetweenOptions.__annotations__, *ToleranceOptions.__annotations__)


def give_options(source: Any, to: Any) -> None:
    """Take over all options: from the scene's, say, to those of a button's operator."""
    for name in OPTIONS:
        setattr(to, name, getattr(source, name))


class PoiseTimeline(InbetweenOptions, bpy.types.PropertyGroup):
    """What the panel's buttons start with."""


def register() -> None:
    bpy.utils.register_class(PoiseTimeline)
    bpy.types.Scene.poise_timeline = PointerProperty(type=PoiseTimeline)


def unregister() -> None:
    del bpy.types.Scene.poise_timeline
    bpy.utils.unregister_class(PoiseTimeline)
