# SPDX-License-Identifier: GPL-3.0-or-later
"""The body model behind a rig of the scene, and its shape with the sliders that show it."""

from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from ..vendor_core.errors import PoiseError

if TYPE_CHECKING:
    import numpy as np

    from ..vendor_core.body import BodyModel


def body_file(rig: bpy.types.Object) -> str | None:
    """The file of the body that the rig was made from; None for the default body and for rigs made elsewhere.

    Raises:
        PoiseError: the file is gone.
    """
    source = rig.get("poise_body", "default")
    if source == "default":
        return None
    if not Path(source).is_file():
        raise PoiseError(f'The file of the body "{rig.name}", {source}, is gone; put it back or import onto a new body')
    return source


def body_of_file(path: str | None) -> "BodyModel":
    """The body of a file, or the default body."""
    from ..vendor_core.body import default_body, load_body

    return default_body() if path is None else load_body(path)


def set_shape(context: bpy.types.Context, rig: bpy.types.Object, betas: "np.ndarray") -> None:
    """Give a body made by Poise a shape, and its sliders the values."""
    import numpy as np

    from .properties import without_updates
    from .rig.shape import apply_shape

    values = np.zeros(len(rig.poise.betas))
    n = min(len(values), len(betas))
    values[:n] = betas[:n]
    apply_shape(context, rig, values)
    with without_updates():
        for item, value in zip(rig.poise.betas, values.tolist(), strict=True):
            item.value = value
