# SPDX-License-Identifier: Apache-2.0
"""C3D imports with the real worker process while the window stays alive, and every way in which one may end."""

import os
import signal
import time
from pathlib import Path

import bpy
import numpy as np
import support
from known_take import known_take, write_take
from robot import Steps, frame_selected, hands, middle, press, region, reports, shot, until, view, window

TAKE, REAL_TAKE = Path("/job/walk.c3d"), Path("/job/real.c3d")
_RATE, _SECONDS = 100.0, 1.5
_LONGEST_GAP = 1.5  # seconds that Blender may stand still meanwhile, on a busy machine; what it did is printed
_LONGEST_WRITE = 4.0  # and while the result is written into the scene
_CANCELLED = 1.5  # seconds from Esc to the end, on a busy machine; what it took is printed


class Heart:
    """A timer that should beat all the time; its gaps are what an artist feels."""

    def __init__(self) -> None:
        self.longest, self._last = 0.0, time.perf_counter()
        self._timer = self._beat  # one and the same, to be found again
        bpy.app.timers.register(self._timer, persistent=True)

    def _beat(self) -> float:
        now = time.perf_counter()
        self.longest, self._last = max(self.longest, now - self._last), now
        return 0.01

    def stop(self) -> float:
        bpy.app.timers.unregister(self._timer)
        return self.longest


def state():
    return support.addon("worker.jobs").state


def workers() -> list[int]:
    """Processes that Blender has started and that still run."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return [int(pid) for pid in children if b"vendor_core" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def make_take() -> None:
    """Markers on the default body on its way between two poses."""
    if TAKE.is_file():
        return
    markers, _, labels = known_take(int(_RATE * _SECONDS) + 1)
    write_take(TAKE, markers, labels, _RATE)


def start_import(take: Path = TAKE, picture: str | None = None, **options: object) -> Steps[None]:
    """Drop a take, in effect: the operator with a path shows its dialog, which Enter confirms."""
    make_take()
    hands.move(*middle(region("WINDOW")))
    yield 0.1
    with bpy.context.temp_override(window=window(), area=view(), region=region("WINDOW")):
        bpy.ops.poise.import_c3d("INVOKE_DEFAULT", filepath=str(take), **options)
    yield 0.3
    if picture is not None:
        yield from shot(picture)
    hands.tap("RET")
    yield from until(lambda: state().running, 5, "the import starts")


def ended() -> bool:
    return not state().running


def armatures() -> list[bpy.types.Object]:
    return [obj for obj in bpy.data.objects if obj.type == "ARMATURE"]


def test_blender_stays_alive_while_a_take_is_solved() -> Steps[None]:
    make_take()
    before = support.snapshot()
    yield from start_import(REAL_TAKE if REAL_TAKE.is_file() else TAKE, picture="import_dialog")
    heart, seen, start = Heart(), [], time.perf_counter()
    pictured = False
    while not ended():
        seen.append((state().fraction, state().text))
        solving = heart.longest
        if state().fraction > 0.05 and not pictured:
            pictured = True
            yield from shot("import_running")
        yield 0.02
        assert time.perf_counter() - start < 120
    seconds = time.perf_counter() - start
    yield 0.3
    print(f"import: {seconds:.1f} s, longest gap {solving:.2f} s while solving, {heart.stop():.2f} s with the writing")
    texts = list(dict.fromkeys(text for _, text in seen))
    print("progress", texts, f"{len({f for f, _ in seen})} fractions")
    assert solving < _LONGEST_GAP and heart.longest < _LONGEST_WRITE
    assert len(texts) > 1 and [f for f, _ in seen] == sorted(f for f, _ in seen) and pictured
    (rig,) = armatures()
    keys = support.addon("rig.keying.keys").curves_of(rig)
    assert len(keys) > 60 and len(keys[0].keyframe_points) > 20
    yield from frame_selected()
    yield from shot("imported")
    yield from hands.undo()
    assert not armatures() and [obj for obj in bpy.data.objects if obj.poise_take.version]
    yield from hands.undo()
    assert support.snapshot() == before


def test_the_button_asks_for_a_file_and_says_what_it_can_do() -> Steps[None]:
    bpy.context.preferences.view.filebrowser_display_type = "SCREEN"
    yield from press("poise.import_c3d(")
    yield from until(lambda: any(a.type == "FILE_BROWSER" for a in window().screen.areas), 5, "the file browser")
    yield 0.5
    yield from shot("file_browser")
    hands.tap("ESC")
    yield from until(lambda: all(a.type != "FILE_BROWSER" for a in window().screen.areas), 5, "its end")
    assert not state().running and not armatures()


def test_escape_cancels_at_once_and_changes_nothing() -> Steps[None]:
    make_take()
    yield from press("poise.add_body(")
    told = len(reports())
    yield from start_import()
    before = support.snapshot()  # with the take's points
    yield from until(lambda: state().fraction > 0.05, 30, "progress")
    hands.tap("ESC")
    heard = yield from until(lambda: ended() or state().text == "Cancelling", 5, "Esc is heard")
    took = yield from until(ended, 5, "the cancelled import ends")
    print(f"Esc was heard after {heard:.2f} s; {took:.2f} s later the import had ended")
    yield 0.3
    assert took < _CANCELLED
    assert support.snapshot() == before
    said = reports()[told:]
    assert any("cancelled" in line for line in said), said


def test_a_killed_worker_is_one_message_and_the_next_import_works() -> Steps[None]:
    yield from start_import()
    yield from until(lambda: state().fraction > 0.05, 30, "progress")
    before, told = support.snapshot(), len(reports())
    (worker,) = workers()
    os.kill(worker, signal.SIGKILL)
    took = yield from until(ended, 5, "the death is noticed")
    yield 0.3
    said = [line for line in reports()[told:] if "worker" in line]
    print(f"noticed after {took:.2f} s:", said)
    assert len(said) == 1 and "Traceback" not in said[0]
    assert support.snapshot() == before and not workers()
    yield from shot("worker_killed")
    yield from start_import()
    yield from until(ended, 120, "the next import")
    assert len(armatures()) == 1


def test_an_import_onto_a_body_keeps_its_action_and_plays() -> Steps[None]:
    yield from press("poise.add_body(")
    rig = bpy.context.object
    rig.pose.bones["head"].keyframe_insert("rotation_quaternion", frame=1)
    old = rig.animation_data.action.name
    yield from start_import(target="ACTIVE")
    yield from until(ended, 120, "the import")
    yield 0.3
    assert armatures() == [rig] and rig.animation_data.action.name != old
    assert bpy.data.actions[old].use_fake_user
    yield from frame_selected()
    frame, head = bpy.context.scene.frame_current, support.bone_heads(rig, ["head"])
    hands.tap("SPACE")
    yield from until(lambda: bpy.context.scene.frame_current > frame + 10, 30, "playback")
    yield from shot("playback")
    hands.tap("SPACE")
    yield 0.3
    assert np.linalg.norm(support.bone_heads(rig, ["head"]) - head) > 0.05


def test_another_file_ends_the_job() -> Steps[None]:
    yield from start_import()
    yield from until(lambda: state().fraction > 0.05, 30, "progress")
    bpy.ops.wm.read_homefile(use_empty=True)
    yield 0.5
    assert ended() and not workers() and not armatures()
    assert bpy.ops.poise.import_c3d.poll()


def test_disabling_ends_the_job_and_leaves_nothing() -> Steps[None]:
    yield from start_import()
    yield from until(lambda: state().fraction > 0.05, 30, "progress")
    assert workers()
    bpy.ops.preferences.addon_disable(module=support.PACKAGE)
    yield 0.5
    assert not workers()
    assert not [name for name in dir(bpy.types) if name.startswith("POISE")]
    assert not hasattr(bpy.types.Object, "poise") and "poise" not in dir(bpy.ops)
    yield from shot("disabled")
    bpy.ops.preferences.addon_enable(module=support.PACKAGE)
    yield 0.5
    yield from start_import()
    yield from until(ended, 120, "an import after enabling again")
    assert len(armatures()) == 1
    bpy.ops.preferences.addon_disable(module=support.PACKAGE)
    yield 0.5
    assert not workers() and not [name for name in dir(bpy.types) if name.startswith("POISE")]
