# SPDX-License-Identifier: GPL-3.0-or-later
"""Armatures: making them, reading and writing their poses and keys, targets in the scene. Imported when first used."""
