# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes of marker trajectories in the scene: an empty each, its arrays as bytes, frames and seconds, what solves it."""
