# SPDX-License-Identifier: Apache-2.0
"""The preferences: the worker's interpreter and device, tested in the worker itself."""

from collections.abc import Iterator

import bpy
import pytest
from support import addon, snapshot


@pytest.fixture
def chosen(scene: bpy.types.Scene) -> Iterator[bpy.types.AddonPreferences]:
    preferences = addon("preferences").preferences(bpy.context)
    yield preferences
    for name in ("worker_python", "device"):
        preferences.property_unset(name)
    addon("jobs").close()


def test_the_worker_says_what_it_computes_with_and_how_fast(chosen) -> None:
    before = snapshot()
    assert bpy.ops.poise.test_worker() == {"FINISHED"}
    report = addon("worker_report").latest
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
    report = addon("worker_report").latest
    assert report.failed and words in report.lines[0] and report.settings == (python, device)
    chosen.worker_python, chosen.device = "", "auto"
    assert bpy.ops.poise.test_worker() == {"FINISHED"} and not addon("worker_report").latest.failed
