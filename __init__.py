# SPDX-License-Identifier: GPL-3.0-or-later
"""Poise, a Blender extension: human poses, in-betweens, inverse kinematics and motion capture from a learned prior."""

from . import addon


def register() -> None:
    addon.register()


def unregister() -> None:
    addon.unregister()
