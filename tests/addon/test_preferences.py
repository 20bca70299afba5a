# SPDX-License-Identifier: Apache-2.0
"""The preferences: the worker's interpreter and device, tested in the worker itself."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import bpy
import numpy as np
import pytest
from support import addon, core, snapshot


@pytest.fixture
def chosen(scene: bpy.types.Scene) -> Iterator[bpy.types.AddonPreferences]:
    preferences = addon("preferences").preferences(bpy.context)
    yield preferences
    for name in ("worker_python", "device", "prior_folder"):
        preferences.property_unset(name)
    addon("worker.jobs").close()


def test_the_worker_says_what_it_computes_with_and_how_fast(chosen) -> None:
    before = snapshot()
    assert bpy.ops.poise.test_worker() == {"FINISHED"}
    report = addon("worker.report").latest
    assert not report.failed and report.settings == ("", "auto") and snapshot() == before
    python, gpu, device, speed = report.lines
    assert python.startswith("Blender's own Python 3.") and "NumPy" in python and "cores" in python
    assert gpu.startswith("GPU: ") and device.startswith("Takes are solved on ")
    milliseconds = [float(word) for word in speed.split() if word.replace(".", "").isdigit()]
    assert len(milliseconds) == 2 and all(0.01 < ms < 1000 for ms in milliseconds)


@pytest.mark.parametrize(
    ("python", "device", "words"),
    [
        ("/nowhere/python", "auto", "/nowhere/python cannot be run"),
        ("", "mps", "device mps"),
    ],
)
def test_a_test_that_fails_says_why_in_the_preferences_too(chosen, python: str, device: str, words: str) -> None:
    chosen.worker_python, chosen.device = python, device
    with pytest.raises(RuntimeError, match=words):
        bpy.ops.poise.test_worker()
    report = addon("worker.report").latest
    assert report.failed and words in report.lines[0] and report.settings == (python, device)
    chosen.worker_python, chosen.device = "", "auto"
    assert bpy.ops.poise.test_worker() == {"FINISHED"} and not addon("worker.report").latest.failed


def test_priors_of_the_folder_are_offered_and_found_by_name(chosen, tmp_path) -> None:
    weights = Path(core("prior").__file__).parent / "weights" / "vae.npz"
    shutil.copy(weights, tmp_path / "mine.npz")
    (tmp_path / "notes.txt").touch()
    offered = addon("preferences").offered_priors
    assert offered(None, bpy.context, "") == []
    chosen.prior_folder = str(tmp_path)
    assert offered(None, bpy.context, "") == ["mine.npz"] and offered(None, bpy.context, "other") == []
    bpy.ops.poise.add_body()
    bones = bpy.context.object.pose.bones
    bpy.ops.poise.generate_pose(seed=5)
    expected = np.array([bone.matrix_basis for bone in bones])
    bpy.ops.poise.generate_pose(seed=6)
    bpy.ops.poise.generate_pose(seed=5, prior="mine.npz")
    assert np.allclose([bone.matrix_basis for bone in bones], expected, atol=1e-5)
    with pytest.raises(RuntimeError, match=r"other\.npz"):
        bpy.ops.poise.generate_pose(prior="other.npz")
