# SPDX-License-Identifier: GPL-3.0-or-later
"""Poses of a rig: generated, stored, mirrored, repaired, shown as pictures and assets."""
