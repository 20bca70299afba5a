# SPDX-License-Identifier: GPL-3.0-or-later
"""Live posing of a rig: handles, and the session that follows them."""
