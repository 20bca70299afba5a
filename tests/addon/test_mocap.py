# SPDX-License-Identifier: Apache-2.0
"""C3D import through the real worker process: a take of our own with known joints, and everything that may go wrong."""

import time
from pathlib import Path

import bpy
import numpy as np
import pytest
from known_take import known_take
from support import addon, bone_heads, c3d_bytes, core, smplx_addon_rig, snapshot, tweak

RATE = 60.0
SECONDS = 1


@pytest.fixture(scope="module")
def known(poise: str) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Markers (61, M, 3) on the default body between two poses, its joints (61, 22, 3), and the labels."""
    return known_take(int(RATE * SECONDS) + 1)


@pytest.fixture
def take(known, tmp_path) -> Path:
    markers, _, labels = known
    path = tmp_path / "walk.c3d"
    path.write_bytes(c3d_bytes(1000 * markers, labels, rate=RATE))
    return path


def heads_at(rig: bpy.types.Object, frame: float) -> np.ndarray:
    bpy.context.scene.frame_set(int(frame), subframe=frame % 1)
    return bone_heads(rig)


def curve(rig: bpy.types.Object) -> bpy.types.FCurve:
    return next(
        c for c in addon("rig.keying.keys").curves_of(rig) if c.data_path.endswith('["left_knee"].rotation_quaternion')
    )


def test_take_comes_onto_a_new_body_at_the_scenes_rate(scene, take, known) -> None:
    scene.render.fps = 24
    scene.frame_end = 10
    assert bpy.ops.poise.import_c3d(filepath=str(take), start=101) == {"FINISHED"}
    rig = bpy.context.object
    assert rig.name == "walk" and rig["poise_body"] == "default"
    assert [k.co[0] for k in curve(rig).keyframe_points] == list(range(101, 126))
    errors = [np.linalg.norm(heads_at(rig, 101 + i * 0.4 * 5) - known[1][i * 5], axis=1) for i in range(0, 12, 2)]
    assert np.mean(errors) < 0.015
    assert scene.frame_end == 125
    assert np.abs([b.value for b in rig.poise.betas]).max() < 1.5


def test_every_frame_of_the_take_between_the_scenes_frames(scene, take, known) -> None:
    scene.render.fps = 24
    bpy.ops.poise.import_c3d(filepath=str(take), rate="SUBFRAMES", start=1, extend_range=False)
    rig = bpy.context.object
    frames = np.array([k.co[0] for k in curve(rig).keyframe_points])
    assert np.allclose(frames, 1 + np.arange(61) * 0.4, atol=1e-3)
    assert np.linalg.norm(heads_at(rig, 1 + 30 * 0.4) - known[1][30], axis=1).mean() < 0.015


def test_trimmed_seconds_are_left_out(scene, take) -> None:
    scene.render.fps = 60
    bpy.ops.poise.import_c3d(filepath=str(take), trim_start=0.25, trim_end=0.5)
    assert len(curve(bpy.context.object).keyframe_points) == 61 - 15 - 30
    before = snapshot()
    with pytest.raises(RuntimeError, match=r"lasts 1.02 s; trimming leaves nothing"):
        bpy.ops.poise.import_c3d(filepath=str(take), trim_start=0.6, trim_end=0.6)
    assert snapshot() == before


def test_active_body_keeps_its_old_action_and_its_shape_when_asked(body, scene, take) -> None:
    body.keyframe_insert("location", frame=1)
    old = body.animation_data.action
    body.poise.betas[0].value = 0.5
    bpy.ops.poise.import_c3d(filepath=str(take), target="ACTIVE", fit_shape=False)
    assert old.name in bpy.data.actions and old.use_fake_user and body.animation_data.action != old
    assert len([o for o in bpy.data.objects if o.type == "ARMATURE"]) == 1
    assert body.poise.betas[0].value == 0.5
    model = core("body").default_body()
    rest = addon("rig.pose").read_rig(body).rest_joints()
    betas = np.zeros(model.num_betas)
    betas[0] = 0.5
    assert np.allclose(rest, model.rest_joints(betas)[:22], atol=1e-5)


def test_in_tweak_mode_the_active_body_gets_no_take(body, take, monkeypatch) -> None:
    """Said before the job; and where the artist begins to tweak meanwhile, before the body gets its new shape."""
    body.keyframe_insert("location", frame=1)
    took = addon("operators.solve_take")
    write = took.write_solved

    def meddling_write(*arguments):
        tweak(body)
        before.append(snapshot())
        return write(*arguments)

    before: list[dict] = []
    monkeypatch.setattr(took, "write_solved", meddling_write)
    for _ in range(2):  # the second time it is tweaked from the start
        with pytest.raises(RuntimeError, match=r"another action now\. Leave the NLA's tweak mode") as caught:
            bpy.ops.poise.import_c3d(filepath=str(take), target="ACTIVE")
        assert "Traceback" not in str(caught.value)
        assert snapshot() == before[0]
    assert len(before) == 1


def test_take_onto_a_rig_of_the_smplx_addon(scene, take, known) -> None:
    joints = core("body").default_body().rest_joints()
    rig = smplx_addon_rig(1.1 * joints)
    bpy.ops.poise.import_c3d(filepath=str(take), target="ACTIVE", fit_shape=False)
    scene.frame_set(13)
    heads, expected = bone_heads(rig), known[1][30]
    for a, b in ((1, 4), (4, 7), (17, 19), (19, 21)):
        bone, truth = heads[b] - heads[a], expected[b] - expected[a]
        assert np.degrees(np.arccos(bone @ truth / np.linalg.norm(bone) / np.linalg.norm(truth))) < 6
    assert heads[0][2] == pytest.approx(1.1 * expected[0][2], abs=0.02)


def test_markers_become_empties_that_follow_the_take(scene, take, known) -> None:
    scene.render.fps = 60
    bpy.ops.poise.import_c3d(filepath=str(take), solve=False)
    bpy.context.object.location.x = 2
    assert bpy.ops.poise.markers_to_empties() == {"FINISHED"}
    collection = bpy.data.collections["walk Markers"]
    assert {o.name for o in collection.objects} == set(known[2])
    scene.frame_set(21)
    empty = collection.objects[known[2][3]]
    assert np.allclose(empty.matrix_world.translation, known[0][20, 3] + (2, 0, 0), atol=1e-4)


def unreadable(folder: Path, known) -> dict[str, tuple[Path, str]]:
    """Files that are no takes, with what is to be said of them."""
    markers, _, labels = known
    contents = {
        "text": (b"LFHD, RFHD\n1, 2\n" * 99, "not a C3D file"),
        "cut": (c3d_bytes(1000 * markers, labels, rate=RATE)[:700], "cut short"),
        "empty": (c3d_bytes(np.full_like(markers, np.nan), labels, rate=RATE), "marker"),
        "rate": (c3d_bytes(1000 * markers, labels, rate=-5.0), "frame rate"),
    }
    for name, (data, _) in contents.items():
        (folder / f"{name}.c3d").write_bytes(data)
    return {name: (folder / f"{name}.c3d", message) for name, (_, message) in contents.items()} | {
        "missing": (folder / "missing.c3d", "does not exist")
    }


@pytest.mark.parametrize("case", ["text", "cut", "empty", "rate", "missing"])
def test_bad_takes_are_one_clear_line_and_change_nothing(scene, tmp_path, known, case: str) -> None:
    path, message = unreadable(tmp_path, known)[case]
    before = snapshot()
    with pytest.raises(RuntimeError, match=message) as caught:
        bpy.ops.poise.import_c3d(filepath=str(path))
    assert "\n" not in str(caught.value).strip() and "Traceback" not in str(caught.value)
    assert snapshot() == before and not addon("worker.jobs").state.running


def test_a_worker_that_dies_is_one_clear_line_and_the_next_import_works(scene, take, monkeypatch) -> None:
    jobs = addon("worker.jobs")
    poll, calls = jobs.poll, []

    def deadly_poll():
        calls.append(1)
        if len(calls) == 5:
            jobs._client._process.kill()
        return poll()

    monkeypatch.setattr(jobs, "poll", deadly_poll)
    with pytest.raises(RuntimeError, match=r"worker process ended unexpectedly.*Run it again"):
        bpy.ops.poise.import_c3d(filepath=str(take))
    assert only_the_take_came() and not jobs.state.running
    monkeypatch.undo()
    assert bpy.ops.poise.solve_take() == {"FINISHED"}
    assert bpy.context.object.name == "walk"


def only_the_take_came() -> bool:
    """Whether a take was imported, and nothing solved."""
    (obj,) = bpy.data.objects
    return obj.name == "walk.c3d" and not obj.poise_take.residual_version and not bpy.data.actions


def test_cancel_ends_soon_and_changes_nothing(scene, take, monkeypatch) -> None:
    jobs = addon("worker.jobs")
    poll, cancelled = jobs.poll, []

    def impatient_poll():
        message = poll()
        if jobs.state.fraction > 0 and not cancelled:
            cancelled.append(time.monotonic())
            bpy.ops.poise.cancel_job()
        return message

    monkeypatch.setattr(jobs, "poll", impatient_poll)
    with pytest.raises(RuntimeError, match="cancelled, nothing was changed"):
        bpy.ops.poise.import_c3d(filepath=str(take))
    assert time.monotonic() - cancelled[0] < 1
    assert only_the_take_came() and not bpy.ops.poise.cancel_job.poll()


def test_an_interpreter_that_is_none(scene, take, poise: str) -> None:
    preferences = bpy.context.preferences.addons[poise].preferences
    preferences.worker_python = "/nowhere/python"
    try:
        with pytest.raises(RuntimeError, match="/nowhere/python cannot be run"):
            bpy.ops.poise.import_c3d(filepath=str(take))
    finally:
        preferences.worker_python = ""
    assert only_the_take_came()


def test_real_take(scene, shared_data) -> None:
    scene.render.fps = 30
    bpy.ops.poise.import_c3d(filepath=str(shared_data / "c3d" / "cmu_02_01.c3d"))
    rig = bpy.context.object
    heads = heads_at(rig, 40)
    assert heads[15][2] > heads[0][2] > heads[7][2]  # head above pelvis above ankle
    assert 0 < heads[[7, 8], 2].min() < 0.2


def test_take_onto_a_body_from_a_users_file(scene, take, known, tmp_path) -> None:
    from test_bodies import user_body

    path = user_body(tmp_path / "MINE.npz", 55)
    bpy.ops.poise.add_body_from_file(filepath=str(path))
    rig = bpy.context.object
    scene.render.fps = 60
    bpy.ops.poise.import_c3d(filepath=str(take), target="ACTIVE")
    assert np.linalg.norm(heads_at(rig, 31) - known[1][30], axis=1).mean() < 0.015
    path.unlink()
    before = snapshot()
    with pytest.raises(RuntimeError, match=r"MINE.npz, is gone; put it back"):
        bpy.ops.poise.import_c3d(filepath=str(take), target="ACTIVE")
    assert snapshot() == before


def test_hidden_bodies_get_no_new_shape(body, take) -> None:
    body.hide_set(True)
    before = snapshot()
    with pytest.raises(RuntimeError, match=r"is hidden and cannot get a new shape"):
        bpy.ops.poise.import_c3d(filepath=str(take), target="ACTIVE")
    assert snapshot() == before


def test_every_layout_can_be_chosen(poise: str) -> None:
    items = bpy.ops.poise.import_c3d.get_rna_type().properties["layout_name"].enum_items
    assert {item.identifier for item in items} == {"auto", *core("mocap.layouts").LAYOUTS}
