# SPDX-License-Identifier: GPL-3.0-or-later
"""What Poise keeps in the file: on each armature its shape sliders and stored poses, all plain numbers and names."""

from collections.abc import Iterator
from contextlib import contextmanager

import bpy
from bpy.props import (
    BoolProperty,
    BoolVectorProperty,
    CollectionProperty,
    FloatProperty,
    FloatVectorProperty,
    IntProperty,
    PointerProperty,
)

from .operators.common import LIMB_ITEMS
from .sliders import NAMES

_quiet = False


@contextmanager
def without_updates() -> Iterator[None]:
    """Set sliders without moving bones at each."""
    global _quiet
    _quiet = True
    try:
        yield
    finally:
        _quiet = False


def _shape_changed(slider: "PoiseBeta", context: bpy.types.Context) -> None:
    if _quiet:
        return
    from ..vendor_core.errors import PoiseError
    from .rig.shape import current_betas, reshape, shown_beta

    rig = slider.id_data
    assert isinstance(rig, bpy.types.Object)
    try:
        reshape(context, rig, current_betas(rig))
    except PoiseError as problem:
        with without_updates():
            slider.value = shown_beta(context, rig, slider.name)
        say(context, str(problem))


def say(context: bpy.types.Context, line: str) -> None:
    """Tell the artist what is wrong with a value; a property has no report."""
    if not bpy.app.background:
        context.window_manager.popup_menu(lambda menu, _: menu.layout.label(text=line), title="Poise", icon="ERROR")
    else:
        print(f"Poise: {line}")


def _sliders_changed(settings: "PoiseRig", context: bpy.types.Context) -> None:
    from .sliders import moved_by_hand

    if not _quiet:
        moved_by_hand(context, settings.id_data)  # type: ignore[arg-type]


class PoiseBeta(bpy.types.PropertyGroup):
    """One shape coefficient of a body; its name is that of the shape key."""

    value: FloatProperty(  # type: ignore[valid-type]
        name="Shape",
        description="Shape coefficient, in standard deviations; joints and skin follow, the pose stays",
        soft_min=-3.0, soft_max=3.0, min=-10.0, max=10.0, precision=2, options=set(), update=_shape_changed,
    )  # fmt: skip


class PoiseStoredJoint(bpy.types.PropertyGroup):
    rotation: FloatVectorProperty(size=3)  # type: ignore[valid-type]  # rotation vector, radians


class PoiseStoredPose(bpy.types.PropertyGroup):
    """A pose of all 55 joints in the armature's own space, so that it follows the object."""

    joints: CollectionProperty(type=PoiseStoredJoint)  # type: ignore[valid-type]
    location: FloatVectorProperty(size=3)  # type: ignore[valid-type]  # the pelvis from its rest place


class PoiseRig(bpy.types.PropertyGroup):
    locked: BoolVectorProperty(  # type: ignore[valid-type]
        name="Lock",
        description="Whether this limb stays exactly as it is when poses are generated or varied",
        size=len(LIMB_ITEMS), options=set(),
    )  # fmt: skip
    variation: FloatProperty(  # type: ignore[valid-type]
        name="Amount",
        description="How far variations go from the present pose: 0 is the pose itself, 1 is any pose",
        default=0.4, min=0.0, max=1.0, subtype="FACTOR", options=set(),
    )  # fmt: skip
    sliders: FloatVectorProperty(  # type: ignore[valid-type]
        name="Pose Slider",
        description="How far to go this way from the pose, in standard deviations of all poses; can be keyed",
        size=len(NAMES), soft_min=-3.0, soft_max=3.0, min=-6.0, max=6.0, precision=2, update=_sliders_changed,
    )  # fmt: skip
    betas: CollectionProperty(type=PoiseBeta)  # type: ignore[valid-type]
    poses: CollectionProperty(type=PoiseStoredPose)  # type: ignore[valid-type]
    active_pose: IntProperty(name="Stored Pose", min=0)  # type: ignore[valid-type]
    live_more: BoolProperty(  # type: ignore[valid-type]
        name="More Handles",
        description="Handles for elbows, knees and chest too; they follow the body until you drag them",
        default=True,
    )
    live_grounded: BoolProperty(  # type: ignore[valid-type]
        name="Feet on Ground",
        description="Feet do not sink below the grid's plane, or below where they stood if that was deeper",
        default=False,
    )


_CLASSES = (PoiseBeta, PoiseStoredJoint, PoiseStoredPose, PoiseRig)
_register_classes, _unregister_classes = bpy.utils.register_classes_factory(_CLASSES)  # type: ignore[misc]


def register() -> None:
    _register_classes()
    bpy.types.Object.poise = PointerProperty(type=PoiseRig)


def unregister() -> None:
    del bpy.types.Object.poise
    _unregister_classes()
