# SPDX-License-Identifier: Apache-2.0
"""The wheel: what it holds, and that it is what gets imported and run where it is installed."""

import os
import subprocess
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from tests.library.installed import PYTHON, REPO, run
from vendor_core import __version__


@pytest.fixture(scope="module")
def wheel() -> zipfile.ZipFile:
    if "POISE_WHEEL" not in os.environ:
        pytest.skip("no wheel was built; python build.py test builds it")
    return zipfile.ZipFile(os.environ["POISE_WHEEL"])


@pytest.fixture
def installed() -> Path:
    if not PYTHON:
        pytest.skip("the wheel is not installed; python build.py test installs it")
    return Path(PYTHON)


def test_the_wheel_holds_the_core_whole_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    kept = [path for path in (REPO / "vendor_core").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert names == {path.relative_to(REPO).as_posix() for path in kept}
    assert {"vendor_core/py.typed", "vendor_core/prior/weights/vae.npz"} <= names
    for path in kept:
        assert wheel.read(path.relative_to(REPO).as_posix()) == path.read_bytes(), path


def test_the_wheel_says_what_it_is(wheel: zipfile.ZipFile) -> None:
    (text,) = (wheel.read(name).decode() for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    about = Parser().parsestr(text)
    assert (about["Name"], about["Version"]) == ("poise", __version__)
    assert about["License-Expression"] == "Apache-2.0 AND CC0-1.0"
    assert sorted(about.get_all("License-File", [])) == ["LICENSES/Apache-2.0.txt", "LICENSES/CC0-1.0.txt"]
    needed = [line.split(";")[0] for line in about.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert not [line for line in needed if "torch" in line or "matplotlib" in line]


def test_it_is_the_installed_package_that_is_imported(installed: Path, tmp_path: Path) -> None:
    found = Path(run(["-c", "import vendor_core; print(vendor_core.__file__)"], tmp_path).strip())
    assert found.is_relative_to(installed.parents[1]) and (found.parent / "py.typed").is_file()


def test_the_command_works_outside_of_the_repository(installed: Path, tmp_path: Path) -> None:
    def poise(*arguments: str) -> str:
        command = [installed.parent / "poise", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60).stdout

    poise("sample", "-n", "3", "--seed", "1", "-o", "poses.npz")
    poise("interpolate", "poses.npz", "--frames", "20", "-o", "motion.npz")
    assert "20 frames" in poise("score", "motion.npz")


def test_without_torch_the_answer_is_one_line(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('no torch here')\n")
    command = [installed, "-m", "vendor_core", "train", "--data", str(tmp_path), "-o", "mine.npz"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "pip install torch" in done.stderr
