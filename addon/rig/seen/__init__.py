# SPDX-License-Identifier: GPL-3.0-or-later
"""What a camera sees of a rig: targets on a picture, tracks of a movie clip."""
