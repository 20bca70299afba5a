# SPDX-License-Identifier: Apache-2.0
"""Damaged files for every reader of motion and markers; `python build.py fuzz --minutes N` runs it."""
