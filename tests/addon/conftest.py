# SPDX-License-Identifier: Apache-2.0
"""Installs the built zip into a throwaway Blender, as a user would, and ends the process without Blender's own exit.

Blender must find its user folder before it is imported, so that happens here, first.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]
USER_RESOURCES = tempfile.mkdtemp(prefix="poise_blender_")
os.environ["BLENDER_USER_RESOURCES"] = USER_RESOURCES

import bpy  # noqa: E402

MODULE = "bl_ext.user_default.poise"


def _zip() -> Path:
    built = sorted((REPO / "dist").glob("poise-*.zip"))
    path = Path(os.environ["POISE_ZIP"]) if "POISE_ZIP" in os.environ else built[-1] if built else None
    if path is None or not path.is_file():
        pytest.exit("no built zip: run `python build.py package`, or name one in POISE_ZIP", returncode=2)
    return path


@pytest.fixture(scope="session")
def shared_data() -> Path:
    folder = REPO.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the development data of ../shared/data is not here")
    return folder


@pytest.fixture(scope="session")
def poise() -> str:
    """The name of the installed and enabled add-on."""
    if MODULE not in bpy.context.preferences.addons:
        bpy.ops.extensions.package_install_files(filepath=str(_zip()), repo="user_default", enable_on_install=True)
    assert MODULE in bpy.context.preferences.addons
    return MODULE


@pytest.fixture
def scene(poise: str) -> Iterator[bpy.types.Scene]:
    """An empty file, with the add-on enabled."""
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.context.preferences.edit.use_keyframe_insert_available = False  # Blender 5.2 has it on by default
    yield bpy.context.scene


@pytest.fixture
def body(scene: bpy.types.Scene) -> bpy.types.Object:
    """The armature of a default body; it is active."""
    bpy.ops.poise.add_body()
    return bpy.context.object


# bpy 4.2 crashes and 4.5 hangs at interpreter exit while a class is registered: leave once pytest has reported.
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    session.config.stash[_STATUS] = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(config.stash.get(_STATUS, 3))


_STATUS = pytest.StashKey[int]()
