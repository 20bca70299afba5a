# SPDX-License-Identifier: Apache-2.0
"""Modules of the add-on that know no bpy, imported without the rest of it."""

import importlib
import sys
import types
from typing import Any

from tests.core.conftest import REPO


def addon_module(name: str) -> Any:
    """A module of the add-on, imported as Blender does (within one package), without the rest, which needs bpy."""
    for package_name, folder in (("poise_package", REPO), ("poise_package.addon", REPO / "addon")):
        package = types.ModuleType(package_name)
        package.__path__ = [str(folder)]
        sys.modules.setdefault(package_name, package)
    return importlib.import_module(f"poise_package.addon.{name}")
