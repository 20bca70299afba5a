# SPDX-License-Identifier: Apache-2.0
"""Recipes that rebuild the shipped assets from their public sources."""
