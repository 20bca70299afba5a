# SPDX-License-Identifier: GPL-3.0-or-later
"""A body's pose under its pose sliders: where they start from, and the pose at their values.

The object keeps the latent that the sliders start from, with what it misses of the pose, and the values that the bones
show. A pose that something else has changed since becomes the one that they start from, as seen from the values at
which they stand: so no slider throws an artist's work away, and none jumps.
"""

from collections.abc import Container, Iterable

import bpy
import numpy as np

from ....vendor_core.errors import PoiseError
from ....vendor_core.prior import AutoEncoder
from ....vendor_core.prior.directions import COUNT, Directions, SliderBase, principal_directions, slider_base
from ....vendor_core.skeleton import N_BODY, N_POSE
from ...prior_choice import prior_named
from ...sliders import SHIPPED_KEY, SHOWN, SLIDER_NAMES, SLIDER_PRIOR, stays_with_its_prior
from ..convert import BonePose, Pose, Rig, to_bones
from ..pose import read_pose, read_rig, write_pose
from .allowed import allowed_bones, only
from .generating import lowest_patches

_BASE = "poise_slider_base"
_SAME = 2e-3  # of rotation matrices: bones are kept in single precision


def move_sliders(obj: bpy.types.Object, values: np.ndarray, locked: Iterable[str], chosen: str) -> BonePose:
    """Give a body the pose at values (K,) of its sliders, its lowest point at the height where it is.

    Args:
        obj: the armature object.
        values: of the sliders.
        locked: limbs that stay as they are.
        chosen: key of the prior, as of `prior_choice`, for sliders that start anew.

    Returns:
        The bones that move, as they are afterwards.

    Raises:
        PoiseError: the rig or the prior does not fit.
    """
    rig = read_rig(obj)
    now = read_pose(obj, rig)
    free = allowed_bones(rig, locked, "ALL", set())
    key = obj.get(SLIDER_PRIOR, SHIPPED_KEY) if stays_with_its_prior(obj) else chosen
    prior, directions = _prior(key)
    base, shown = _kept(obj, key, prior) or (None, np.array(obj.get(SHOWN) or np.zeros(COUNT)))
    R = now.R_local[0, 1:N_BODY]
    if base is None or np.abs(base.posed(prior, directions, shown) - R)[free[1:N_BODY]].max(initial=0) > _SAME:
        prior, directions = _prior(chosen)
        base = slider_base(prior, directions, R, shown)
        obj[_BASE] = [*base.z, *base.missed.ravel()]
        obj[SHOWN] = list(shown)
        obj[SLIDER_PRIOR], obj[SLIDER_NAMES] = chosen, "\n".join(directions.names)
    return _move(obj, rig, now, base, values, free)


def play_sliders(obj: bpy.types.Object, values: np.ndarray, locked: Iterable[str], keyed: Container[str]) -> None:
    """Give a body the pose at values (K,) that its animated sliders have come to; bones with keys of their own stay.

    Args:
        obj: the armature object; `is_slid` says that it has a pose to start from.
        values: of the sliders.
        locked: limbs that stay as they are.
        keyed: names of bones that stay too.

    Raises:
        PoiseError: the rig does not fit.
    """
    rig = read_rig(obj)
    free = allowed_bones(rig, locked, "ALL", set()) & np.array([bone not in keyed for bone in rig.bones])
    key = obj.get(SLIDER_PRIOR, SHIPPED_KEY)
    kept = _kept(obj, key, _prior(key)[0])
    if kept is not None and free.any():
        _move(obj, rig, read_pose(obj, rig), kept[0], values, free)


def forget_base(obj: bpy.types.Object) -> None:
    """Let the present pose be the one that sliders at 0 start from."""
    for key in (_BASE, SHOWN, SLIDER_PRIOR, SLIDER_NAMES):
        obj.pop(key, None)


def slider_names(prior: AutoEncoder) -> tuple[str, ...]:
    """What sliders along a prior's directions do.

    Raises:
        PoiseError: it has fewer directions.
    """
    return _directions(prior).names


def _directions(prior: AutoEncoder) -> Directions:
    if prior.latent_dim < COUNT:
        raise PoiseError(
            f'The prior "{prior.name}" has {prior.latent_dim} latents; expected {COUNT} or more, for Pose Sliders'
        )
    return principal_directions(prior)


def _prior(key: str) -> tuple[AutoEncoder, Directions]:
    prior = prior_named(key)
    return prior, _directions(prior)


def _kept(obj: bpy.types.Object, key: str, prior: AutoEncoder) -> tuple[SliderBase, np.ndarray] | None:
    """The base and the values that the bones show; None where there is none, or that of another prior."""
    numbers, shown = (np.array(obj.get(name, ()), dtype=np.float64) for name in (_BASE, SHOWN))
    if obj.get(SLIDER_PRIOR, SHIPPED_KEY) != key:
        return None
    if len(numbers) != prior.latent_dim + 3 * N_POSE or len(shown) != COUNT:
        return None
    return SliderBase(numbers[: prior.latent_dim], numbers[prior.latent_dim :].reshape(N_POSE, 3)), shown


def _move(
    obj: bpy.types.Object, rig: Rig, now: Pose, base: SliderBase, values: np.ndarray, free: np.ndarray
) -> BonePose:
    """Move the bones that are free (n,) from the values that they show to others; what was written, and the pelvis."""
    prior, directions = _prior(obj.get(SLIDER_PRIOR, SHIPPED_KEY))
    R = np.repeat(now.R_local, 2, axis=0)
    posed = base.posed(prior, directions, np.stack([np.array(obj[SHOWN]), values]))
    R[:, 1:N_BODY][:, free[1:N_BODY]] = posed[:, free[1:N_BODY]]
    moved = {bone for bone, is_free in zip(rig.bones[1:N_BODY], free[1:N_BODY], strict=True) if is_free}
    bones = to_bones(rig, Pose(R[1:], now.trans), hands=False)
    write_pose(obj, only(bones, moved))
    pelvis = obj.pose.bones[rig.bones[0]]
    if free[0]:
        before, after = lowest_patches(rig, Pose(R, np.repeat(now.trans, 2, axis=0)))
        step = np.linalg.inv(rig.world[:3, :3] @ rig.link[0, :3, :3]) @ (0, 0, before - after)
        pelvis.location = np.array(pelvis.location) + step  # a step, so that rounding does not add up
    obj[SHOWN] = list(values)
    shown = BonePose(bones.bones, bones.quaternions, np.array([pelvis.location]))
    return only(shown, moved | ({rig.bones[0]} if free[0] else set()))
