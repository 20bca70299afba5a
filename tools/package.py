# SPDX-License-Identifier: Apache-2.0
"""The extension's zip: one for every platform, equal bytes for equal sources, checked by Blender's own validator."""

import os
import shutil
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

from . import ROOT
from .environments import BLENDER, DOCS, ready, ready_blender
from .stages import BuildError, must, say, stage

MAX_BYTES = 15_000_000
_FILES = ("__init__.py", "blender_manifest.toml", "README.md")
_FOLDERS = ("addon", "vendor_core", "docs", "LICENSES")
_PAGES = ROOT / ".cache" / "pages"
_EPOCH = (1980, 1, 1, 0, 0, 0)


def package() -> Path:
    """Write and check dist/poise-VERSION.zip; its path.

    Raises:
        BuildError: something is missing, the zip is too large, or Blender's validator refuses it.
    """
    manifest = tomllib.loads((ROOT / "blender_manifest.toml").read_text(encoding="utf-8"))
    with stage("Package the extension"):
        wheels = fetch_wheels(manifest["wheels"])
        target = ROOT / "dist" / f"poise-{manifest['version']}.zip"
        write_zip(target, [*sources(), *wheels], pages())
        if (size := target.stat().st_size) > MAX_BYTES:
            raise BuildError(f"{target.name} has {size:,} bytes; at most {MAX_BYTES:,} are allowed")
        validate(target)
        say(f"    {target.relative_to(ROOT)}: {size / 1e6:.1f} MB")
    return target


def fetch_wheels(wanted: list[str]) -> list[Path]:
    """The bundled wheels that the manifest names, downloaded where they are missing, with their hashes checked."""
    paths = [ROOT / name for name in wanted]
    if not all(path.is_file() for path in paths):
        flags = ["--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes", "--disable-pip-version-check"]
        files = ["--dest", ROOT / "wheels", "-r", ROOT / "requirements" / "wheels.txt"]
        must([sys.executable, "-m", "pip", "download", *flags, *files], "pip could not download the bundled wheels")
    if missing := [path.name for path in paths if not path.is_file()]:
        raise BuildError(f"requirements/wheels.txt does not give {missing[0]}, which blender_manifest.toml names")
    return paths


def sources() -> Iterator[Path]:
    """The files of the repository that the zip holds."""
    for name in _FILES:
        yield ROOT / name
    for folder in _FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            hidden = any(part.startswith(".") or part == "__pycache__" for part in path.relative_to(ROOT).parts)
            if path.is_file() and not hidden:
                yield path


def pages() -> Path:
    """A folder with the documentation as HTML, under the names that it has in the zip."""
    shutil.rmtree(_PAGES, ignore_errors=True)
    must([ready(DOCS), "-m", "tools.pages", _PAGES], "the documentation could not be rendered")
    return _PAGES


def write_zip(target: Path, paths: list[Path], made: Path | None = None) -> None:
    """Zip files under their names in the repository: sorted, without time stamps, moved into place as a whole.

    Args:
        target: the zip.
        paths: files of the repository.
        made: a folder of more files, which have their names in it.
    """
    named = {path.relative_to(ROOT).as_posix(): path for path in paths}
    if made is not None:
        named |= {path.relative_to(made).as_posix(): path for path in made.rglob("*") if path.is_file()}
    target.parent.mkdir(exist_ok=True)
    temporary = target.with_suffix(f".{os.getpid()}.part")
    try:
        with zipfile.ZipFile(temporary, "w") as archive:
            for name, path in sorted(named.items()):
                member = zipfile.ZipInfo(name, date_time=_EPOCH)
                member.external_attr = 0o100644 << 16
                packed = path.suffix in (".whl", ".npz", ".png")
                member.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
                archive.writestr(member, path.read_bytes(), compresslevel=9)
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def validate(target: Path) -> None:
    """Let Blender's own tool judge the zip.

    Raises:
        BuildError: it found something wrong (and said what).
    """
    python = ready_blender(BLENDER)
    tools = list(
        python.parents[1].glob("lib/python*/site-packages/bpy/*/scripts/addons_core/bl_pkg/cli/blender_ext.py")
    )
    if not tools:
        raise BuildError(".venv/blender holds no blender_ext.py; remove .venv/blender and run this again")
    must([python, tools[0], "validate", target], "Blender's validator refuses the package")
