# SPDX-License-Identifier: GPL-3.0-or-later
"""Pose sliders: moved by hand, and at playback where they have keys.

A property's update is not called at playback, so a handler follows the frames. It does next to nothing for bodies whose
sliders have not been touched, or show what they did.
"""

from typing import Any

import bpy
from bpy.app.handlers import persistent

from .operators.common import LIMB_ITEMS

NAMES = (
    "Crouch", "Lean Forward", "Left Arm Out", "Left Arm Up", "Right Arm Out", "Right Arm Up",
    "Left Leg Forward", "Left Leg Out", "Right Leg Forward", "Right Leg Out",
)  # fmt: skip
"""What the core calls the directions of the shipped prior, here so that the panel need not load it."""
SHOWN, SLIDER_PRIOR, SLIDER_NAMES = "poise_slider_shown", "poise_slider_prior", "poise_slider_names"
"""The keys under which an armature object keeps the values that its bones show, the key of the prior whose directions
its sliders have, and their names, a line each.
"""
SHIPPED_KEY = "vae"
"""Of the prior where an object does not say: in older files."""


def locked_limbs(rig: bpy.types.Object) -> set[str]:
    """The limbs that the artist has locked on a body, as the operators' property `lock` takes them."""
    return {item[0] for item, locked in zip(LIMB_ITEMS, rig.poise.locked, strict=True) if locked}


def stays_with_its_prior(rig: bpy.types.Object) -> bool:
    """Whether a body's sliders keep the directions that they have, though another prior is chosen by now: they are
    under way, or have keys.
    """
    shown = rig.get(SHOWN)
    return shown is not None and (any(shown) or sliders_keyed(rig))


def names_of(rig: bpy.types.Object, scene: Any) -> tuple[str, ...]:
    """What a body's sliders do. Cheap: the panel asks at every drawing."""
    if scene.poise_prior == "VAE" and rig.get(SLIDER_PRIOR, SHIPPED_KEY) == SHIPPED_KEY:
        return NAMES
    kept = rig.get(SLIDER_NAMES, "")
    text = kept if kept and stays_with_its_prior(rig) else scene.poise_prior_sliders
    if not text:
        return NAMES if scene.poise_prior == "VAE" else tuple(f"Direction {i + 1}" for i in range(len(NAMES)))
    return tuple(text.split("\n"))


def moved_by_hand(context: bpy.types.Context, rig: bpy.types.Object) -> None:
    """Pose a body by its sliders' values, and key it where the artist has auto-keying on."""
    import numpy as np

    from ..vendor_core.errors import PoiseError
    from .prior_choice import key_of
    from .properties import say, without_updates
    from .rig.keying.auto_key import auto_key
    from .rig.posing.sliders import move_sliders

    context.view_layer.update()  # of what a script has just set
    try:
        bones = move_sliders(rig, np.array(rig.poise.sliders), locked_limbs(rig), key_of(context.scene))
    except PoiseError as problem:
        with without_updates():
            rig.poise.sliders = tuple(rig.get(SHOWN) or (0.0,) * len(NAMES))
        say(context, str(problem))
        return
    if not sliders_keyed(rig):  # else bones with keys of their own would no longer follow
        auto_key(context, rig, bones)


def sliders_keyed(rig: bpy.types.Object) -> bool:
    """Whether a body's sliders have keys."""
    from .rig.keying.actions import curves_of

    return any(curve.data_path == "poise.sliders" for curve in curves_of(rig))


@persistent
def _frame_changed(_scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph) -> None:
    for update in depsgraph.updates:  # what is animated is among these, and nothing need be remembered
        obj = update.id.original
        if isinstance(obj, bpy.types.Object) and obj.type == "ARMATURE" and obj.get(SHOWN) is not None:
            values = tuple(update.id.poise.sliders)
            if values != tuple(obj[SHOWN]):
                _play(obj, values)


def _play(obj: bpy.types.Object, values: tuple[float, ...]) -> None:
    import numpy as np

    from ..vendor_core.errors import PoiseError
    from .rig.keying.keys import animated_bones
    from .rig.posing.sliders import play_sliders

    try:
        play_sliders(obj, np.array(values), locked_limbs(obj), animated_bones(obj))
    except PoiseError as problem:
        print(f"Poise: the sliders of {obj.name} do not play: {problem}")


def register() -> None:
    bpy.app.handlers.frame_change_post.append(_frame_changed)


def unregister() -> None:
    bpy.app.handlers.frame_change_post.remove(_frame_changed)
