# SPDX-License-Identifier: Apache-2.0
"""The pose prior that is chosen in the panel is what every tool follows, here one whose latents lie on a sphere."""

from itertools import pairwise
from pathlib import Path

import bpy
import numpy as np
import pytest
from support import addon, assert_unchanged, bone_heads, core, snapshot
from test_animation import angle, keyed, rotations_at
from test_generate import channels, limb
from test_live import drag, session_of
from test_poses import local_rotations
from test_sliders import slide

LATENT = 32


def write_generator(path: Path, latent: int = LATENT) -> Path:
    """An adversarial prior on the sphere, of random weights: its poses differ by about half a radian a joint."""
    rng, widths = np.random.default_rng(5), (latent, 64, 64, 126)
    arrays = {"format": np.array(core("prior.gan").FORMAT), "latent": np.array("sphere"), "license": np.array("none")}
    for k in range(3):
        gain = (np.sqrt(latent) if k == 0 else 0.5 if k == 2 else 1.0) / np.sqrt(widths[k])
        arrays[f"decoder_W{k}"] = gain * rng.normal(size=(widths[k + 1], widths[k]))
        arrays[f"decoder_b{k}"] = np.tile([1.0, 0, 0, 0, 1, 0], 21) if k == 2 else np.zeros(widths[k + 1])
    np.savez(path, **arrays)
    return path


@pytest.fixture(scope="module")
def file(poise, tmp_path_factory) -> Path:
    return write_generator(tmp_path_factory.mktemp("prior") / "sphere.npz")


@pytest.fixture
def gan(body, file):
    """The prior, chosen; a body is active."""
    choose(file)
    return core("prior").load_prior(file)


def choose(file: Path | str) -> None:
    bpy.context.scene.poise_prior = "FILE"
    bpy.context.scene.poise_prior_file = str(file)


def distance_from(prior, R: np.ndarray) -> np.ndarray:
    """How far poses (F, 21, 3, 3) are from any that the prior makes, the mean angle of a joint in degrees."""
    found = prior.decode(prior.encode(R))
    rotations = core("rotations")
    return np.degrees(rotations.rotation_angle(np.swapaxes(found, -1, -2) @ R)).mean(-1)


def test_generated_poses_are_the_chosen_priors(body, gan) -> None:
    for seed in (3, 4):
        bpy.ops.poise.generate_pose(seed=seed)
        assert np.allclose(local_rotations(body)[1:22], gan.decode(gan.sample(1, seed))[0], atol=1e-5)
    bpy.ops.poise.generate_pose(seed=3, prior="vae")
    shipped = core("prior").load_prior()
    assert np.allclose(local_rotations(body)[1:22], shipped.decode(shipped.sample(1, 3))[0], atol=1e-5)
    before = channels(body)
    bpy.ops.poise.generate_pose(seed=9, lock={"left_arm", "head"})
    now = channels(body)
    assert all(now[bone] == before[bone] for bone in limb("left_arm", "head"))
    assert distance_from(gan, local_rotations(body)[None, 1:22])[0] > 1  # the arm is the other prior's


def test_every_prior_that_ships_can_be_chosen(body) -> None:
    scene, shipped = bpy.context.scene, addon("prior_choice").SHIPPED
    offered = [item.identifier for item in scene.bl_rna.properties["poise_prior"].enum_items]
    assert [shipped[name] for name in offered[:-1]] == list(core("prior")._SHIPPED) and offered[-1] == "FILE"
    for name in offered[:-1]:
        scene.poise_prior = name
        prior = core("prior").load_prior(shipped[name])
        bpy.ops.poise.generate_pose(seed=3)
        assert np.allclose(local_rotations(body)[1:22], prior.decode(prior.sample(1, 3))[0], atol=1e-5)
        assert tuple(scene.poise_prior_sliders.split("\n")) == addon("sliders").names_of(body, scene)


def test_variations_stay_near_and_among_its_poses(body, gan) -> None:
    bpy.ops.poise.generate_pose(seed=3)
    start = local_rotations(body)[1:22]
    moved = []
    for amount in (0.0, 0.2, 1.0):
        bpy.ops.poise.vary_pose(seed=7, amount=amount)
        now = local_rotations(body)[1:22]
        moved.append(angle(now, start))
        assert distance_from(gan, now[None])[0] < 0.1
        bpy.ops.poise.generate_pose(seed=3)
    assert moved[0] < 1e-5 < moved[1] < moved[2]


def test_sliders_go_its_ways_and_back(body, gan) -> None:
    names = core("prior.directions").principal_directions(gan).names
    assert addon("sliders").names_of(body, bpy.context.scene) == names != addon("sliders").NAMES
    bpy.ops.poise.generate_pose(seed=3)
    start, before = local_rotations(body)[1:22], channels(body)
    steps = [0.0]
    for value in (1.0, 2.0, 4.0):  # the further, the more it turns: latents off the sphere count by their direction
        slide(body, 2, value)
        steps.append(angle(local_rotations(body)[1:22], start))
        assert distance_from(gan, local_rotations(body)[None, 1:22])[0] < 0.1
    assert np.all(np.diff(steps) > 0.01)
    body.poise.locked = [True] + 5 * [False]
    arm = {bone: channels(body)[bone] for bone in limb("left_arm")}
    slide(body, 0, 2.0)
    assert arm == {bone: channels(body)[bone] for bone in limb("left_arm")}
    slide(body, 0, 0.0)
    body.poise.locked = [False] * 6
    slide(body, 2, 0.0)
    assert angle(local_rotations(body)[1:22], start) < 1e-3 and before.keys() == channels(body).keys()


def test_sliders_under_way_and_keyed_ones_keep_their_prior(body, file) -> None:
    scene, names_of = bpy.context.scene, addon("sliders").names_of
    bpy.ops.poise.generate_pose(seed=3)
    start = local_rotations(body)[1:22]
    slide(body, 0, 1.0)
    choose(file)
    assert names_of(body, scene) == addon("sliders").NAMES
    slide(body, 0, 0.0)
    assert angle(local_rotations(body)[1:22], start) < 1e-3
    assert names_of(body, scene) != addon("sliders").NAMES  # the next way is the chosen prior's
    slide(body, 0, 1.5)
    bpy.ops.poise.key_sliders()
    end = bone_heads(body)
    scene.frame_set(11)
    slide(body, 0, 0.0)
    bpy.ops.poise.key_sliders()
    scene.poise_prior = "VAE"
    scene.frame_set(1)
    assert np.allclose(bone_heads(body), end, atol=1e-4)
    assert names_of(body, scene) != addon("sliders").NAMES


def test_in_betweens_go_along_its_great_circles(body, gan) -> None:
    keyed(body, {1: 1, 25: 2})
    expected = {frame: rotations_at(body, frame) for frame in (1, 25)}
    assert bpy.ops.poise.interpolate(timing="linear") == {"FINISHED"}
    for frame, R in expected.items():
        assert angle(rotations_at(body, frame), R) < 1e-4
    between = np.stack([rotations_at(body, frame)[1:22] for frame in range(1, 26)])
    away = distance_from(gan, between[1:-1])  # what the inversion misses of a key is carried along a little
    assert away.max() < 1 and np.median(away) < 0.2
    z = gan.encode(between)
    half = gan.space.between(z[0], z[-1], np.array([0.5]))[0]
    assert angle(between[12], gan.decode(half)) < 0.02
    steps = [angle(a, b) for a, b in pairwise(between)]
    assert max(steps) < 3 * np.median(steps)


def test_the_generated_end_of_in_betweens_is_its_pose(body, gan) -> None:
    bpy.ops.poise.generate_pose(seed=3)
    bpy.context.scene.frame_set(1)
    assert bpy.ops.poise.interpolate(source="GENERATED", seed=8, spacing=10) == {"FINISHED"}
    assert angle(rotations_at(body, 11)[1:22], gan.decode(gan.sample(1, 8))[0]) < 1e-4


def test_a_hand_is_dragged_with_it(body, gan) -> None:
    bpy.ops.poise.generate_pose(seed=3)
    session = session_of(body)
    assert session._prior is gan
    feet = bone_heads(body, ["left_ankle", "right_ankle"])
    target = bone_heads(body, ["left_wrist"])[0] + (0.05, -0.05, 0.08)
    drag(session, "left_wrist", (0.05, -0.05, 0.08))
    assert np.linalg.norm(bone_heads(body, ["left_wrist"])[0] - target) < 0.01
    assert np.linalg.norm(bone_heads(body, ["left_ankle", "right_ankle"]) - feet, axis=1).max() < 0.01
    print(f"a step takes {1e3 * float(np.median(session.costs)):.1f} ms with a prior on the sphere")
    session.restore()


def test_targets_are_solved_with_it(body, gan) -> None:
    bpy.ops.poise.generate_pose(seed=5)
    expected = bone_heads(body)
    bpy.ops.poise.add_targets(joints="ALL")
    bpy.ops.poise.generate_pose(seed=1)
    targets = list(bpy.context.selected_objects)
    names, positions = [t["poise_joint"] for t in targets], [t.matrix_world.translation for t in targets]
    model = core("body").body_from_joints(addon("rig.pose").read_rig(body).rest_joints())
    solved = core("ik").fit_joints(model, gan, names, np.array([positions]))
    assert bpy.ops.poise.solve_targets() == {"FINISHED"}
    assert np.abs(bone_heads(body) - expected).max() < 0.01
    assert np.allclose(local_rotations(body)[1:22], solved.R_local[0, 1:22], atol=1e-3)


def test_poses_are_judged_by_its_critic_or_else_by_poises_own(body, gan, tmp_path) -> None:
    scene, critic_of = bpy.context.scene, addon("prior_choice").critic_of
    own = core("prior.plausibility").load_plausibility()
    bpy.ops.poise.generate_pose(seed=3)
    assert bpy.ops.poise.check_pose() == {"FINISHED"} and addon("pose_check").latest(body) is not None
    before = addon("pose_check").latest(body).plausibility
    assert before == pytest.approx(float(own.score(local_rotations(body)[1:22])), abs=1e-4)
    R = local_rotations(body)[1:22]
    assert bpy.ops.poise.make_plausible(untangle=False) == {"FINISHED"}
    assert angle(local_rotations(body)[1:22], core("prior.repair").repair(gan, own, R)) < 1e-3
    arrays = dict(np.load(Path(core("prior").__file__).parent / "weights" / "vae.npz"))
    arrays["critic_odds"] = arrays["critic_odds"] + 2.0
    np.savez(tmp_path / "strict.npz", **arrays)
    choose(tmp_path / "strict.npz")
    assert addon("pose_check").latest(body) is None  # what another critic said
    assert critic_of(scene) is not own


def test_the_worker_denoises_with_it(body, gan, file, tmp_path) -> None:
    keyed(body, {1: 1, 6: 2, 11: 3})
    assert addon("prior_choice").source_of(bpy.context.scene) == str(file)
    assert bpy.ops.poise.denoise(amount=0.5) == {"FINISHED"}
    bpy.context.scene.poise_prior_file = str(tmp_path / "gone.npz")
    with pytest.raises(RuntimeError, match=r"gone\.npz"):
        bpy.ops.poise.denoise(amount=0.5)
    assert not addon("worker.jobs").state.running


def test_a_file_beside_the_blend_is_found_wherever_both_go(body, tmp_path) -> None:
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        write_generator(tmp_path / name / "mine.npz")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "here" / "shot.blend"))
    choose("//mine.npz")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "here" / "shot.blend"))
    (tmp_path / "here" / "shot.blend").rename(tmp_path / "there" / "shot.blend")
    (tmp_path / "here" / "mine.npz").unlink()
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "there" / "shot.blend"))
    scene = bpy.context.scene
    assert addon("prior_choice").source_of(scene) == str(tmp_path / "there" / "mine.npz")
    assert len(scene.poise_prior_sliders.split("\n")) == 10  # the panel need not read the file
    bpy.context.view_layer.objects.active = bpy.data.objects["Body"]
    assert bpy.ops.poise.generate_pose(seed=1) == {"FINISHED"}


TOOLS = ("generate_pose", "vary_pose", "make_plausible", "check_pose", "interpolate")


@pytest.mark.parametrize("fault", ["", "none.npz", "broken.npz", "few.npz"])
def test_a_file_that_is_none_is_one_line(body, tmp_path, capsys, fault: str) -> None:
    keyed(body, {1: 1, 11: 2})
    (tmp_path / "broken.npz").write_bytes(b"nothing" * 99)
    write_generator(tmp_path / "few.npz", latent=8)
    capsys.readouterr()
    choose(tmp_path / fault if fault else "")
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Poise: ")]
    assert len(said) == bool(fault) and "Traceback" not in str(said)
    if fault == "few.npz":
        assert "8 latents; expected 10 or more" in said[0]
        assert bpy.ops.poise.generate_pose() == {"FINISHED"}  # only its sliders are missing
        return
    before = snapshot()
    for name in TOOLS:
        with pytest.raises(RuntimeError) as caught:
            getattr(bpy.ops.poise, name)()
        assert len(str(caught.value).strip().splitlines()) == 1 and (fault or "no file is chosen") in str(caught.value)
    slide(body, 0, 1.0)
    assert tuple(body.poise.sliders) == (0.0,) * 10
    assert_unchanged(before)
