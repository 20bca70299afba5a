# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys of a rig on the timeline: read, written, filled in, made fewer."""
