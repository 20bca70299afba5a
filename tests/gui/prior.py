# SPDX-License-Identifier: Apache-2.0
"""The panel Pose Prior in the window: choosing, a file that is none, and a pose of what was chosen."""

from pathlib import Path

import bpy
import numpy as np
import support
from robot import Steps, find, hands, middle, press, region, shot

_FILE = Path("/job/mine.npz")


def _write_prior() -> None:
    """Poise's own prior, its mean pose another one."""
    arrays = dict(np.load(Path(support.core("prior").__file__).parent / "weights" / "vae.npz"))
    last = max(name for name in arrays if name.startswith("decoder_b"))
    arrays[last] = arrays[last] + np.tile([0.0, 0.3, 0.0, 0.0, 0.0, 0.3], 21).astype(arrays[last].dtype)
    np.savez(_FILE, **arrays)


def _rotations(rig: bpy.types.Object) -> np.ndarray:
    bpy.context.view_layer.update()
    return support.addon("rig.pose").read_pose(rig, support.addon("rig.pose").read_rig(rig)).R_local[0, 1:22]


def test_the_prior_is_chosen_in_the_panel_and_followed() -> Steps[None]:
    _write_prior()
    scene = bpy.context.scene
    yield from press("poise.add_body(")
    name = bpy.context.object.name
    yield from _press_choice("GAN_S")
    yield from press("poise.generate_pose(")
    yield 0.5
    gan, rig = support.core("prior").load_prior("gan_s"), bpy.data.objects[name]
    seed = bpy.context.window_manager.operators[-1].seed
    assert np.abs(_rotations(rig) - gan.decode(gan.sample(1, seed))[0]).max() < 1e-4
    yield from shot("prior_gan_s")
    yield from _press_choice("FILE")
    assert scene.poise_prior == "FILE"
    yield from shot("prior_file", region("UI"))
    scene.poise_prior_file = str(_FILE)
    yield 0.5
    yield from press("poise.generate_pose(")
    yield 0.5
    rig = bpy.data.objects[name]
    mine = support.core("prior").load_prior(_FILE)
    seeds = [bpy.context.window_manager.operators[-1].seed]
    expected = mine.decode(mine.sample(1, seeds[0]))[0]
    assert np.abs(_rotations(rig) - expected).max() < 1e-4
    hands.move(*middle(region("WINDOW")))
    yield from shot("prior_generated")
    yield from hands.undo()
    yield from hands.undo()
    assert bpy.context.scene.poise_prior_file == ""  # a choice is a step of its own


def _press_choice(which: str) -> Steps[None]:
    """Click one of the buttons of the choice: they lie side by side."""
    row = yield from find("poise_prior")
    here = region("UI")
    for across in (0.15, 0.3, 0.45, 0.6, 0.75):
        yield from hands.click((here.x + int(here.width * across), row[1]))
        if bpy.context.scene.poise_prior == which:
            return
    raise AssertionError(f"no button of {which} beside {row}")
