# SPDX-License-Identifier: Apache-2.0
"""A pinhole camera, and where a body of known pose must stand to be seen where it is.

Axes of OpenCV: x right, y down, z forward, pixels from the top left. The place follows the first step of SMPLify
(Bogo et al. 2016), in closed form.
"""

from dataclasses import dataclass, replace

import numpy as np
from array_api_compat import is_torch_array

from ..arrays import Array, as_float64, as_kind, namespace
from ..errors import TargetError
from ..linalg import matvec
from .checks import array_of

NEAR = 0.1  # metres before the camera; what is nearer or behind has no image
_USUAL_DEPTH = 3.0  # metres: where a body is put of which too little is seen to tell
_ALIKE = 0.7  # correlation of image and body above which the exact depth is believed
_POINT = 1e-5  # radians or metres: a spread below it is none


@dataclass(frozen=True)
class Camera:
    """A pinhole without distortion, of one calibration; it may move from frame to frame.

    Raises:
        TargetError: numbers that make no camera.
    """

    focal: Array  # (2,) pixels, along x and y
    centre: Array  # (2,) pixels: the principal point
    R_camera_world: Array  # (3, 3) or (F, 3, 3)
    t_camera_world: Array  # (3,) or (F, 3) metres: where the world's origin is in the camera's frame

    def __post_init__(self) -> None:
        if not is_torch_array(self.focal):  # tensors were made by `like` from one that was checked
            for name in ("focal", "centre", "R_camera_world", "t_camera_world"):
                object.__setattr__(self, name, _numbers(getattr(self, name), name))
            _check(self)

    def like(self, example: Array) -> "Camera":
        """This camera with arrays of the kind, dtype and device of the example."""
        arrays = (self.focal, self.centre, self.R_camera_world, self.t_camera_world)
        return Camera(*(as_kind(a, example) for a in arrays))

    def take(self, rows: Array) -> "Camera":
        """The camera in the frames of an index array."""
        R, t = self.R_camera_world, self.t_camera_world
        return replace(self, R_camera_world=R[rows] if R.ndim == 3 else R, t_camera_world=t[rows] if t.ndim == 2 else t)

    def in_camera(self, p_world: Array) -> Array:
        """Points (F, P, 3) in the camera's frame, metres."""
        R_world_camera = namespace(p_world).matrix_transpose(self.R_camera_world)
        return p_world @ R_world_camera + self.t_camera_world[..., None, :]

    def project(self, p_world: Array) -> Array:
        """Images (F, P, 2), pixels, of points (F, P, 3) metres; any finite number where nearer than `NEAR`."""
        p = self.in_camera(p_world)
        return p[..., :2] * inverse_depth(p[..., 2:])[0] * self.focal + self.centre


def _numbers(values: Array, name: str) -> np.ndarray:
    array = array_of(values, f"the camera's {name}")
    if array.dtype.kind not in "fiu":
        raise TargetError(f"the camera's {name} is of {array.dtype}; expected numbers")
    return array


def _check(camera: Camera) -> None:
    focal, centre = as_float64(camera.focal), as_float64(camera.centre)
    R, t = as_float64(camera.R_camera_world), as_float64(camera.t_camera_world)
    if focal.shape != (2,) or not (np.isfinite(focal) & (focal > 0)).all():
        raise TargetError(f"the camera's focal length is {focal.tolist()}; expected two positive numbers of pixels")
    if centre.shape != (2,) or not np.isfinite(centre).all():
        raise TargetError(f"the camera's principal point is {centre.tolist()}; expected two finite numbers of pixels")
    if R.shape[-2:] != (3, 3) or R.ndim not in (2, 3) or t.shape[-1:] != (3,) or t.ndim not in (1, 2):
        raise TargetError(
            f"the camera's rotation has shape {R.shape}, its translation {t.shape}; "
            "expected (3, 3) and (3,), or one of each for every frame"
        )
    if not np.isfinite(t).all():
        raise TargetError("the camera's translation is not finite; expected metres")
    with np.errstate(all="ignore"):
        apart = np.abs(R @ np.swapaxes(R, -1, -2) - np.eye(3)).max(initial=0)
        if not apart < 1e-3 or not (np.linalg.det(R) > 0).all():
            raise TargetError("the camera's rotation is no rotation; expected orthonormal axes, right-handed")


def inverse_depth(z: Array) -> tuple[Array, Array]:
    """`1 / z` and its slope for depths z in metres; below `NEAR` a smooth continuation that ends at `2 / NEAR`."""
    xp = namespace(z)
    seen = z > NEAR
    inverse = 1 / xp.where(seen, z, xp.ones_like(z))
    faded = xp.exp(xp.where(seen, xp.zeros_like(z), z / NEAR - 1))
    value = xp.where(seen, inverse, (2 - faded) / NEAR)
    return value, -xp.where(seen, inverse * inverse, faded / NEAR**2)


def place_before(camera: Camera, p_world: Array, pixels: Array, confidence: Array) -> Array:
    """How far to move posed bodies so that their points are seen where their images are.

    The equations `x + dx = a (z + dz)`, a the image's tangent, are linear in the movement: with the means of a removed
    `dz = sum a (x - a z) / sum a^2`. Where image and body are too unlike for that, as with a body turned the wrong way,
    the depth is the ratio of their sizes, as in SMPLify; where all that is seen lies in one point the depth stays as it
    is. Every point that is seen ends before the camera; a frame of which nothing is seen stays.

    Args:
        camera: of F frames.
        p_world: (F, P, 3) metres, points of the bodies anywhere.
        pixels: (F, P, 2) their images; anything, NaN too, where the confidence is 0.
        confidence: (F, P), 0 where unseen.

    Returns:
        (F, 3) metres in the world; add it to the translation.
    """
    xp = namespace(p_world)
    seen = (confidence > 0) & xp.all(xp.isfinite(pixels), axis=-1)
    w = xp.where(seen, confidence, xp.zeros_like(confidence))
    w = (w / xp.clip(xp.sum(w, axis=-1), 1e-12, None)[:, None])[..., None]
    p = camera.in_camera(p_world)
    a = xp.where(seen[..., None], (pixels - camera.centre) / camera.focal, xp.zeros_like(pixels))
    z = p[..., 2:]
    nearest = xp.min(xp.where(seen, z[..., 0], xp.full_like(z[..., 0], 1e6)), axis=-1)
    rise = xp.where(xp.any(seen, axis=-1), _depth_rise(a, p, w, nearest), xp.zeros_like(nearest))
    sideways = xp.sum(w * (a * (z + rise[:, None, None]) - p[..., :2]), axis=1)
    return matvec(xp.matrix_transpose(camera.R_camera_world), xp.concat([sideways, rise[:, None]], axis=-1))


def _depth_rise(a: Array, p: Array, w: Array, nearest: Array) -> Array:
    """How far to move the points along the camera's axis, (F,) metres.

    Args:
        a: (F, P, 2) tangents of the images.
        p: (F, P, 3) metres, in the camera's frame.
        w: (F, P, 1) weights that sum to one, or to nothing.
        nearest: (F,) metres, the least depth of what is seen.
    """
    xp = namespace(p)
    x, z, depth = p[..., :2], p[..., 2:], xp.sum(w * p, axis=1)[:, 2]
    a_centred, x_centred = a - xp.sum(w * a, axis=1)[:, None], x - xp.sum(w * x, axis=1)[:, None]
    image, body = (xp.sum(w * c * c, axis=(1, 2)) for c in (a_centred, x_centred))
    known = (image > _POINT**2) & (body > _POINT**2)
    image, body = (xp.where(known, spread, xp.ones_like(spread)) for spread in (image, body))
    exact = xp.sum(w * a_centred * (x - a * z), axis=(1, 2)) / image
    by_size = xp.sqrt(body / image)
    measured = xp.where(depth + exact > _ALIKE * by_size, exact, by_size - depth)
    as_it_is = xp.where(depth > NEAR, xp.zeros_like(depth), _USUAL_DEPTH - depth)
    return xp.clip(xp.where(known, measured, as_it_is), 2 * NEAR - nearest, None)
