# SPDX-License-Identifier: Apache-2.0
"""The parts of build.py that need no Blender: what the zip holds, and which environments are sound."""

import os
import sys
import zipfile
from pathlib import Path

import pytest

from tests.core.conftest import REPO
from tools import checks, environments, package
from tools.checks import Summary
from tools.environments import Environment, find_python, ready
from tools.stages import BuildError


def test_the_zip_holds_what_blender_needs_and_nothing_else(tmp_path: Path) -> None:
    package.write_zip(tmp_path / "a.zip", list(package.sources()))
    names = zipfile.ZipFile(tmp_path / "a.zip").namelist()
    needed = {
        "__init__.py", "blender_manifest.toml", "addon/__init__.py", "vendor_core/worker.py", "LICENSES/CC0-1.0.txt",
        "vendor_core/body/assets/default_body.npz", "vendor_core/prior/weights/vae.npz", "docs/credits.md",
    }  # fmt: skip
    assert needed <= set(names)
    assert {name.split("/")[0] for name in names if "/" in name} == {"addon", "vendor_core", "docs", "LICENSES"}
    assert not [name for name in names if "__pycache__" in name or "/." in name or name.endswith(".pyc")]
    assert (tmp_path / "a.zip").stat().st_size < package.MAX_BYTES


def test_equal_sources_give_equal_zips(tmp_path: Path) -> None:
    source = REPO / "vendor_core" / "errors.py"
    package.write_zip(tmp_path / "a.zip", [source, REPO / "__init__.py"])
    package.write_zip(tmp_path / "b.zip", [REPO / "__init__.py", source])
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_a_zip_that_cannot_be_finished_leaves_the_old_one(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"old")
    with pytest.raises(FileNotFoundError):
        package.write_zip(tmp_path / "a.zip", [REPO / "__init__.py", REPO / "nowhere.py"])
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]
    assert (tmp_path / "a.zip").read_bytes() == b"old"


def test_a_python_is_found_only_where_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shim = tmp_path / "python3.99"
    shim.write_text("#!/bin/sh\necho 'python3.99: command not found' >&2\nexit 127\n")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert find_python("3.99") is None
    assert find_python(f"{sys.version_info.major}.{sys.version_info.minor}") == sys.executable


def test_an_environment_is_built_once_and_anew_when_it_is_unsound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With an empty list of requirements, so that nothing is downloaded."""
    (tmp_path / "requirements").mkdir()
    wanted = tmp_path / "requirements" / "none.txt"
    wanted.write_text("# nothing\n")
    monkeypatch.setattr(environments, "ROOT", tmp_path)
    environment = Environment("small", f"{sys.version_info.major}.{sys.version_info.minor}", ("none.txt",))
    python = ready(environment)
    stamp, mark = python.parents[1] / "complete.stamp", python.parents[1] / "mark"
    assert python.exists() and stamp.is_file()
    mark.touch()
    assert ready(environment) == python and mark.exists()  # sound: left alone
    wanted.write_text("this is no requirement\n")
    with pytest.raises(BuildError, match=r"pip could not install none\.txt"):
        ready(environment)
    assert not mark.exists() and not stamp.exists()  # begun anew, and not taken for complete


def test_every_stage_runs_and_failures_are_counted(tmp_path: Path) -> None:
    summary, ran = Summary(), []

    def broken() -> None:
        raise BuildError("it broke")

    summary.add("First", broken)
    summary.add("Second", lambda: ran.append("second"))
    report = tmp_path / "report.xml"
    report.write_text('<testsuites><testsuite tests="7" failures="1" errors="1" skipped="2"/></testsuites>')
    summary.count(report)
    assert ran == ["second"] and summary.failed_stages == 1
    assert (summary.passed, summary.failed, summary.skipped) == (3, 2, 2)
    assert "FAILED: it broke" in summary.lines[0] and summary.lines[1].endswith("ok")


def test_window_tests_are_skipped_by_name_and_reason_where_they_cannot_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the programs that make a chroot, or without root."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(checks, "_REPORTS", tmp_path)
    summary = Summary()
    summary.add("Window tests", lambda: checks._window_tests(summary, "trixie", [tmp_path / "poise.zip"]))
    assert (summary.passed, summary.failed, summary.failed_stages) == (0, 0, 0)
    assert "skipped: " in summary.lines[0]
    assert "not found" in summary.lines[0] or "needs Linux and root" in summary.lines[0]
