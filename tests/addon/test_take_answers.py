# SPDX-License-Identifier: Apache-2.0
"""The worker's answer to a take arrives in a scene that the artist has changed meanwhile."""

from types import SimpleNamespace
from typing import Any

import bpy
import pytest
from known_take import write_take
from support import addon, assert_unchanged, core, snapshot
from test_mocap import known  # noqa: F401


@pytest.fixture
def take(scene, known, tmp_path) -> bpy.types.Object:  # noqa: F811
    """A take of a few frames, mapped, on the empty scene."""
    path = write_take(tmp_path / "walk.c3d", known[0][:6], known[2])
    assert bpy.ops.poise.import_c3d(filepath=str(path), solve=False) == {"FINISHED"}
    return bpy.context.object


def asked(take: bpy.types.Object, rig: str | None) -> tuple[Any, Any]:
    """A request, and what the worker answers to it."""
    solving = addon("take_solve")
    request = solving.SolveRequest(take.name, bpy.context.scene.name, rig, fit_shape=False, every_frame=False)
    params, arrays = solving.solve_params(bpy.context, request)
    data, found = core("take_jobs").solve(params | arrays, lambda fraction, text: None)
    return request, SimpleNamespace(type="result", data=data, arrays=found, fields={})


def test_what_was_corrected_in_the_table_stays(take) -> None:
    request, answer = asked(take, None)
    layout = take.poise_take.layout
    take.poise_take.labels["T10"].marker = ""
    take.poise_take.labels["STRN"].marker = "T10"
    addon("take_solve").write_solved(bpy.context, request, answer)
    assert take.poise_take.labels["T10"].marker == "" and take.poise_take.labels["STRN"].marker == "T10"
    assert take.poise_take.layout == layout and take.poise_take.labels["CLAV"].residual >= 0


def test_a_body_left_out_of_the_view_layer_is_one_line_and_changes_nothing(take) -> None:
    bpy.ops.poise.add_body()
    rig = bpy.context.object
    request, answer = asked(take, rig.name)
    aside = bpy.data.collections.new("Aside")
    bpy.context.scene.collection.children.link(aside)
    for obj in (rig, *rig.children):
        for collection in list(obj.users_collection):
            collection.objects.unlink(obj)
        aside.objects.link(obj)
    bpy.context.view_layer.layer_collection.children["Aside"].exclude = True
    before = snapshot()
    with pytest.raises(core("errors").PoiseError, match=f'"{rig.name}" was left out of the view layer meanwhile'):
        addon("take_solve").write_solved(bpy.context, request, answer)
    assert_unchanged(before)
    bpy.data.objects.remove(rig)
    with pytest.raises(core("errors").PoiseError, match="was removed meanwhile"):
        addon("take_solve").write_solved(bpy.context, request, answer)
