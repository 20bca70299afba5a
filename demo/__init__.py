# SPDX-License-Identifier: Apache-2.0
"""The main job in real Blender, from nothing to a contact sheet; `python build.py demo` runs it."""
