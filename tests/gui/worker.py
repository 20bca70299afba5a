# SPDX-License-Identifier: Apache-2.0
"""The worker process behind a window: progress, cancel, undo meanwhile, other interpreters, two Blenders at once."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bpy
import support
from imports import REAL_TAKE, TAKE, Heart, armatures, ended, make_take, start_import, state, workers
from robot import OUT, Steps, hands, middle, press, region, reports, shot, until, view, window

_LONGEST_GAP = 2.0  # seconds that Blender may stand still while a job runs; far above what is printed, for a machine
# that is busy with something else says nothing of the add-on
_CANCELLED = 1.0  # seconds from the wish to the end, on a busy machine; what it took is printed
_OTHER = """
import json, os, time
from pathlib import Path
import bpy
from bl_ext.user_default.poise.addon.worker import jobs
take, quits, told = {take!r}, {quits!r}, Path({told!r})
start = time.monotonic()
def children():
    found = Path(f"/proc/self/task/{{os.getpid()}}/children").read_text().split()
    return [int(pid) for pid in found if b"vendor_core" in Path(f"/proc/{{pid}}/cmdline").read_bytes()]
def begin():
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]):
        bpy.ops.poise.import_c3d(filepath=take)
    bpy.app.timers.register(watch)
pids = []
def watch():
    pids[:] = pids or children()
    if jobs.state.running and not (quits and jobs.state.fraction > 0.05) and time.monotonic() - start < 200:
        return 0.02
    rigs = [o.name for o in bpy.data.objects if o.type == "ARMATURE"]
    told.write_text(json.dumps({{"workers": pids, "running": jobs.state.running, "rigs": rigs}}))
    bpy.ops.wm.quit_blender()
bpy.app.timers.register(begin, first_interval=1.0)
"""


def _other_blender(quits: bool) -> tuple["subprocess.Popen[bytes]", Path]:
    """Another Blender with a window of its own, which imports a take and quits: in the middle of it, or at its end."""
    make_take()
    script, told = OUT / "other_blender.py", OUT / "other_blender.json"
    told.unlink(missing_ok=True)
    script.write_text(_OTHER.format(take=str(TAKE), quits=quits, told=str(told)))
    command = [bpy.app.binary_path, "--window-geometry", "0", "0", "500", "400", "--python", str(script)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL), told


def _take() -> Path:
    make_take()
    return REAL_TAKE if REAL_TAKE.is_file() else TAKE


class Stopwatch:
    """Measures the seconds from the moment at which a wish to cancel is heard to the end of the job."""

    def __init__(self) -> None:
        self.seconds, self._heard = 0.0, 0.0
        bpy.app.timers.register(self._look)

    def _look(self) -> float | None:
        now = time.perf_counter()
        if state().cancelling and not self._heard:
            self._heard = now
        self.seconds = now - self._heard
        return None if ended() else 0.005


def _long_motion() -> Steps[str]:
    """A body with a keyed motion that takes a while to clean; its name."""
    yield from press("poise.add_body(")
    for seed in range(1, 5):
        bpy.ops.poise.generate_pose(seed=seed)
        bpy.ops.poise.store_pose()
    bpy.ops.poise.interpolate(source="STORED", spacing=900)
    with bpy.context.temp_override(window=window()):
        bpy.ops.ed.undo_push(message="A motion")
    yield 0.5
    return bpy.context.object.name


def _start_denoise() -> Steps[None]:
    hands.move(*middle(region("WINDOW")))
    with bpy.context.temp_override(window=window(), area=view(), region=region("WINDOW")):
        bpy.ops.poise.denoise("EXEC_DEFAULT")
    yield from until(lambda: state().fraction > 0.02, 30, "the cleaning goes on")


def test_progress_is_shown_in_the_panel_and_in_the_status_bar() -> Steps[None]:
    yield from start_import(_take())
    heart, told, pictured = Heart(), [], False
    while not ended():
        told.append(state().left_text())
        if "About" in told[-1] and not pictured:
            pictured = True
            yield from shot("job_running")
        yield 0.02
    print("time left, as told:", list(dict.fromkeys(told)))
    print(f"longest gap while a take was solved and written: {heart.stop():.2f} s")
    assert any("About" in line for line in told) and heart.longest < _LONGEST_GAP
    yield 0.3
    yield from shot("job_done")


def test_a_real_take_is_cancelled_soon() -> Steps[None]:
    took = []
    for fraction in (0.03, 0.1, 0.4):
        yield from start_import(_take(), rate="SUBFRAMES")
        before = support.snapshot()  # with the take's points
        yield from until(lambda fraction=fraction: ended() or state().fraction >= fraction, 60, "progress")
        assert not ended(), "the job was over before it could be cancelled"
        watch = Stopwatch()
        if fraction > 0.2:
            hands.tap("ESC")
        else:
            bpy.ops.poise.cancel_job()  # what the panel's and the status bar's button does
        yield from until(ended, 5, "the job ends")
        took.append(watch.seconds)
        yield 0.3
        support.assert_unchanged(before)
    print("a take's job was over", ", ".join(f"{seconds:.2f} s" for seconds in took), "after the wish to cancel")
    assert sorted(took)[1] < _CANCELLED


def test_denoising_leaves_blender_alive_and_is_cancelled_at_once() -> Steps[None]:
    yield from _long_motion()
    before, told = support.snapshot(), len(reports())
    yield from _start_denoise()
    heart = Heart()
    yield 0.5
    assert not ended()
    watch = Stopwatch()
    hands.tap("ESC")
    yield from until(ended, 5, "the job ends")
    took = watch.seconds
    print(f"denoising: longest gap {heart.stop():.2f} s, over {took:.2f} s after Esc was heard")
    yield 0.3
    support.assert_unchanged(before)
    assert took < _CANCELLED and heart.longest < _LONGEST_GAP, (took, heart.longest)
    assert any("cancelled" in line for line in reports()[told:])


def test_a_killed_worker_leaves_the_motion_and_the_next_job_works() -> Steps[None]:
    name = yield from _long_motion()
    before, told = support.snapshot(), len(reports())
    yield from _start_denoise()
    (worker,) = workers()
    os.kill(worker, 9)
    yield from until(ended, 5, "the death is noticed")
    yield 0.3
    said = [line for line in reports()[told:] if "worker" in line]
    assert len(said) == 1 and "Run it again" in said[0], said
    hands.move(region("WINDOW").x + 20, region("WINDOW").y + 20)  # away from the message, which then closes
    yield 0.5
    support.assert_unchanged(before)
    yield from _start_denoise()
    yield from until(ended, 120, "the next job")
    yield 0.3
    assert bpy.data.objects[name].animation_data.action.name.endswith("Denoised")
    yield from hands.undo()
    support.assert_unchanged(before)


def test_undo_in_the_middle_of_a_job_is_minded() -> Steps[None]:
    """The body that the motion was for is undone: nothing comes back, and a line says why."""
    empty = support.snapshot()
    yield from press("poise.add_body(")
    told = len(reports())
    yield from start_import(target="ACTIVE")
    yield from until(lambda: state().fraction > 0.05, 30, "progress")
    yield from hands.undo()  # the take's points
    yield from hands.undo()
    assert support.snapshot() == empty
    yield from until(ended, 120, "the job's end")
    yield 0.3
    said = reports()[told:]
    assert support.snapshot() == empty and any("removed meanwhile" in line for line in said), said


def test_undo_of_something_else_lets_the_job_go_on() -> Steps[None]:
    yield from press("poise.add_body(")
    rig = bpy.context.object.name
    yield from start_import(_take(), target="ACTIVE")
    with bpy.context.temp_override(window=window(), area=view(), region=region("WINDOW")):
        bpy.ops.poise.generate_pose("EXEC_DEFAULT", True)  # an undo step of its own
    yield 0.1
    posed = support.snapshot()[f"pose {rig}"]
    yield from hands.undo()
    assert not ended(), "the job was over before anything could be undone"
    assert support.snapshot()[f"pose {rig}"] != posed
    yield from until(ended, 120, "the job's end")
    yield 0.3
    assert bpy.data.objects[rig].animation_data.action is not None
    yield from hands.undo()
    assert bpy.data.objects[rig].animation_data is None


def test_a_wrong_interpreter_is_told_and_another_one_works() -> Steps[None]:
    for path, words in (("/nowhere/python", "cannot be run"), ("/bin/false", "does not serve as a worker")):
        with _interpreter(path):
            said = yield from _refused_import()
        assert len(said) == 1 and words in said[0] and not armatures(), said
    with _interpreter("/usr/bin/python3"):
        yield from start_import()
        assert os.path.realpath(f"/proc/{workers()[0]}/exe") == os.path.realpath("/usr/bin/python3")
        yield from until(ended, 120, "the import by another interpreter")
    assert len(armatures()) == 1


@contextmanager
def _interpreter(path: str) -> Iterator[None]:
    """Another interpreter in the preferences, for a while."""
    chosen = support.addon("preferences").preferences(bpy.context)
    chosen.worker_python = path
    try:
        yield
    finally:
        chosen.worker_python = ""


def _refused_import() -> Steps[list[str]]:
    """What is said where an import cannot begin: at once to the script that asked for it, or later to the artist."""
    make_take()
    told = len(reports())
    try:
        with bpy.context.temp_override(window=window(), area=view(), region=region("WINDOW")):
            bpy.ops.poise.import_c3d(filepath=str(TAKE))
    except RuntimeError as problem:
        return [str(problem)]
    yield from until(ended, 10, "the end of what cannot begin")
    yield 0.3
    return [line for line in reports()[told:] if "expected a Python" in line]


def test_the_preferences_test_the_worker_without_blocking() -> Steps[None]:
    window().screen.areas[0].tag_redraw()
    area = view()
    area.type = "PREFERENCES"
    bpy.context.preferences.active_section = "ADDONS"
    bpy.context.window_manager.addon_search = "Poise"
    bpy.ops.preferences.addon_expand(module=support.PACKAGE)
    yield 0.5
    heart = Heart()
    with bpy.context.temp_override(window=window(), area=area):
        bpy.ops.poise.test_worker()
    yield from until(lambda: state().fraction > 0.2, 60, "the worker is at work")
    yield from shot("preferences_testing")
    yield from until(ended, 60, "the test's end")
    gap = heart.stop()
    yield from shot("preferences")
    report = support.addon("worker.report").latest
    print("preferences:", *report.lines, f"(longest gap {gap:.2f} s)", sep="\n  ")
    assert not report.failed and "NumPy" in report.lines[0] and gap < _LONGEST_GAP
    bpy.context.window_manager.addon_search = ""
    area.type = "VIEW_3D"


def test_two_blenders_have_two_workers() -> Steps[None]:
    process, told = _other_blender(quits=False)
    yield from start_import()
    mine = workers()
    yield from until(ended, 120, "the import here")
    yield from until(lambda: process.poll() is not None, 120, "the import there")
    theirs = json.loads(told.read_text())
    assert len(armatures()) == 1 and len(theirs["rigs"]) == 1, theirs
    assert len(mine) == len(theirs["workers"]) == 1 and mine != theirs["workers"]


def test_quitting_blender_ends_the_worker() -> Steps[None]:
    process, told = _other_blender(quits=True)
    yield from until(told.is_file, 60, "the other Blender is in the middle of its job")
    start = time.perf_counter()
    yield from until(lambda: process.poll() is not None, 20, "the other Blender quits")
    theirs = json.loads(told.read_text())
    assert theirs["running"] and len(theirs["workers"]) == 1, theirs
    yield from until(lambda: not Path(f"/proc/{theirs['workers'][0]}").exists(), 2, "its worker ends")
    print(f"a Blender that quit in the middle of a job was gone with its worker in {time.perf_counter() - start:.1f} s")
