# SPDX-License-Identifier: Apache-2.0
"""The worker's answer to a take arrives in a scene that the artist has changed meanwhile."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import bpy
import pytest
from known_take import write_take
from support import addon, assert_unchanged, core, key_pose, snapshot
from test_mocap import known  # noqa: F401
from test_take_mend import solved, solved_file  # noqa: F401


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


def test_the_answer_goes_to_the_scene_of_the_take_though_another_is_open(take) -> None:
    home, window = bpy.context.scene, bpy.context.window_manager.windows[0]
    request, answer = asked(take, None)
    take.name = "renamed"
    elsewhere = bpy.data.scenes.new("Elsewhere")
    elsewhere.render.fps = 7
    with bpy.context.temp_override(window=window):
        window.scene = elsewhere
        bpy.ops.poise.add_body()
        other = bpy.context.object
        bpy.ops.object.mode_set(mode="POSE")
        before = [tuple(map(tuple, bone.matrix_basis)) for bone in other.pose.bones]
        request = replace(request, take_uid=take.session_uid)
        line = addon("take_solve").write_solved(bpy.context, request, answer)
        assert window.scene == bpy.context.scene == elsewhere and line.endswith(f'in the scene "{home.name}"')
        assert bpy.context.object == other and other.mode == "POSE"
    assert before == [tuple(map(tuple, bone.matrix_basis)) for bone in other.pose.bones]
    rig = take.poise_take.body
    assert rig is not None and rig.name in home.objects and rig.name not in elsewhere.objects
    frames = addon("rig.keying.keys").keyed_frames(rig, addon("rig.pose").read_rig(rig), selected=False, made_too=True)
    fps = home.render.fps / home.render.fps_base
    assert len(frames) == len(answer.arrays["poses"]) and frames[1] - frames[0] == pytest.approx(1.0, abs=1e-3), fps
    assert len(elsewhere.objects) == 2


def test_the_answer_to_a_range_goes_to_its_scene_too(solved) -> None:  # noqa: F811
    home, window = bpy.context.scene, bpy.context.window_manager.windows[0]
    ranges, rig = addon("operators.resolve_range"), solved.poise_take.body
    bpy.context.view_layer.objects.active = solved
    job = ranges.POISE_OT_resolve_range.job
    asking = SimpleNamespace(first=13, last=20, _set_range=lambda context, take: None)
    answer = core("take_jobs").solve(
        (asked_job := job(asking, bpy.context)).params | asked_job.arrays, lambda fraction, text: None
    )
    message = SimpleNamespace(type="result", data=answer[0], arrays=answer[1], fields={})
    before = solved.poise_take.residual_version
    solved.name, rig.name = "take renamed", "body renamed"
    with bpy.context.temp_override(window=window):
        window.scene = bpy.data.scenes.new("Elsewhere")
        assert "keys solved again" in asked_job.write(bpy.context, message)
        assert bpy.context.scene.name == "Elsewhere"
        window.scene = home
    assert solved.poise_take.residual_version != before
    home.collection.objects.unlink(solved)
    with pytest.raises(core("errors").PoiseError, match="is in no scene any more"):
        asked_job.write(bpy.context, message)


def test_what_is_denoised_finds_its_body_under_another_name_and_from_another_scene(body, monkeypatch) -> None:
    jobs, home, window = addon("worker.jobs"), bpy.context.scene, bpy.context.window_manager.windows[0]
    for frame, seed in ((1, 1), (6, 2), (11, 3)):
        bpy.ops.poise.generate_pose(seed=seed)
        key_pose(body, frame)
    finish, action = jobs.finish, body.animation_data.action

    def meddling_finish(context, message):
        body.name = "Hero"
        window.scene = bpy.data.scenes.new("Elsewhere")
        return finish(context, message)

    monkeypatch.setattr(jobs, "finish", meddling_finish)
    with bpy.context.temp_override(window=window):
        assert bpy.ops.poise.denoise(amount=0.5) == {"FINISHED"}
        assert bpy.context.scene != home
    assert body.animation_data.action != action and body.animation_data.action.name.endswith("Denoised")
