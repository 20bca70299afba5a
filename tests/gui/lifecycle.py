# SPDX-License-Identifier: Apache-2.0
"""Disabling the add-on in a window, where shortcuts, timers, overlays and processes exist, too."""

import bpy
import support
from posing import body_in_view
from robot import Steps, press, until
from traces import difference, traces

_TIMES = 50


def test_fifty_times_disabled_in_a_window_leaves_nothing() -> Steps[None]:
    bpy.ops.preferences.addon_disable(module=support.PACKAGE)
    yield 0.3
    before = traces()
    for _ in range(_TIMES):
        bpy.ops.preferences.addon_enable(module=support.PACKAGE)
        yield 0.01
        bpy.ops.preferences.addon_disable(module=support.PACKAGE)
        yield 0.01
    assert not difference(before, traces()), difference(before, traces())
    bpy.ops.preferences.addon_enable(module=support.PACKAGE)
    assert any("POISE_MT_pie" in name or "poise" in name for name in difference(before, traces())["keys"])


def test_disabled_in_the_middle_of_live_posing_leaves_nothing() -> Steps[None]:
    bpy.ops.preferences.addon_disable(module=support.PACKAGE)
    yield 0.3
    before = traces()
    bpy.ops.preferences.addon_enable(module=support.PACKAGE)
    yield 0.5
    yield from body_in_view()
    yield from press("poise.pose_live(")
    yield from until(lambda: support.addon("operators.live").session is not None, 5, "the session starts")
    bpy.ops.preferences.addon_disable(module=support.PACKAGE)
    yield 0.5
    assert not difference(before, traces()), difference(before, traces())
    assert bpy.context.preferences.edit.use_global_undo
