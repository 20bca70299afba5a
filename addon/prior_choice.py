# SPDX-License-Identifier: GPL-3.0-or-later
"""The pose prior that all tools follow: chosen in the panel, kept in the scene, read when a tool needs it first.

What is kept of a choice is its key: a shipped prior's name, or the path or name of a file as the artist gave it, so
that a file beside the .blend is found wherever both go.
"""

from typing import TYPE_CHECKING, Any

import bpy
from bpy.props import EnumProperty, StringProperty

from ..vendor_core.errors import PoiseError
from .preferences import offered_priors, prior_path

if TYPE_CHECKING:
    from ..vendor_core.prior import AutoEncoder
    from ..vendor_core.prior.plausibility import Plausibility

SHIPPED = {"VAE": "vae", "GAN_S": "gan_s"}
"""What the core calls the priors that ship with Poise."""
_ITEMS = (
    ("VAE", "Poise", "Poise's own. Take it unless you look for something else: it comes nearest to targets, markers "
     "and pictures, and is the most even between poses", 0),
    ("GAN_S", "GAN-S", "Bolder: what it draws is less usual than what Poise's own draws. "
     "Take it for ideas, with Generate Pose and Variations; for all else Poise's own is the surer one", 1),
    ("FILE", "Your File", "Weights of your own: trained on your motion by poise train, so poses are like those in it, "
     "or VPoser's", 2),
)  # fmt: skip


def key_of(scene: Any) -> str:
    """The key of the prior that a scene's tools follow.

    Raises:
        PoiseError: it is to be a file, and none is named.
    """
    if scene.poise_prior != "FILE":
        return SHIPPED[scene.poise_prior]
    if not scene.poise_prior_file:
        raise PoiseError("The prior is set to Your File, but no file is chosen: choose one in the panel Pose Prior")
    return scene.poise_prior_file


def source_of(scene: Any) -> str:
    """What `load_prior` and the worker take for the prior that a scene's tools follow: a name, or a whole path.

    Raises:
        PoiseError: as `key_of`.
    """
    return _source(key_of(scene))


def _source(key: str) -> str:
    return key if key in SHIPPED.values() else prior_path(bpy.context, key)


def prior_of(scene: Any) -> "AutoEncoder":
    """The prior that a scene's tools follow.

    Raises:
        PoiseError: there is no file of it, or it is none of a prior.
    """
    return prior_named(key_of(scene))


def prior_named(key: str) -> "AutoEncoder":
    """The prior of a key, as `prior_of`."""
    from ..vendor_core.prior import load_prior

    return load_prior(_source(key))


def critic_of(scene: Any) -> "Plausibility":
    """What judges poses in a scene: the critic of the prior's file, or Poise's own where that has none.

    Raises:
        PoiseError: as `prior_of`.
    """
    return critic_named(key_of(scene))


def critic_named(key: str) -> "Plausibility":
    """The critic of a key, as `critic_of`."""
    from ..vendor_core.prior.plausibility import load_plausibility

    return load_plausibility(_source(key))


def _chosen(scene: Any, context: bpy.types.Context) -> None:
    """Read the prior, once, so that what is wrong with it is said now, and its sliders have their names."""
    from . import pose_check
    from .drawing import heat_map
    from .properties import say
    from .rig.posing.sliders import slider_names

    scene.poise_prior_sliders = ""
    if scene.poise_prior == "FILE" and not scene.poise_prior_file:
        return
    try:
        scene.poise_prior_sliders = "\n".join(slider_names(prior_of(scene)))
    except PoiseError as problem:
        say(context, str(problem))
    pose_check.forget()  # another critic may judge from now on
    heat_map.judge_anew(context)


def register() -> None:
    Scene: Any = bpy.types.Scene
    Scene.poise_prior = EnumProperty(
        name="Pose Prior",
        description="What all tools know of plausible poses: Generate Pose, Variations, Pose Sliders, In-Betweens, "
        "Pose Live, Solve, Plausibility and takes follow it",
        items=_ITEMS,
        options=set(), update=_chosen,
    )  # fmt: skip
    Scene.poise_prior_file = StringProperty(
        name="File",
        description="A prior that poise train wrote (.npz), or VPoser's (.ckpt, .pt, or its folder): its path, or its "
        "name in the preferences' folder",
        subtype="FILE_PATH", search=offered_priors, search_options={"SUGGESTION"}, update=_chosen,
        options={"PATH_SUPPORTS_BLEND_RELATIVE"} if bpy.app.version >= (4, 5) else set(),
    )  # fmt: skip
    Scene.poise_prior_sliders = StringProperty(options={"HIDDEN"})  # names of its sliders, a line each


def unregister() -> None:
    Scene: Any = bpy.types.Scene
    del Scene.poise_prior, Scene.poise_prior_file, Scene.poise_prior_sliders
