# SPDX-License-Identifier: GPL-3.0-or-later
"""The sidebar tabs "Poise" and "Poise Mocap" of the 3D View: one panel a file, in the order in which they stand."""

from . import (
    body,
    camera,
    live,
    mocap,
    plausible,
    pose,
    prior,
    sliders,
    solve,
    stored,
    take_labels,
    take_residuals,
    timeline,
    variations,
)

PARTS = (
    body,
    prior,
    live,
    pose,
    variations,
    sliders,
    stored,
    plausible,
    timeline,
    solve,
    camera,
    mocap,
    take_labels,
    take_residuals,
)
