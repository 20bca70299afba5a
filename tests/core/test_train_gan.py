# SPDX-License-Identifier: Apache-2.0
"""Training an adversarial prior: repeatable, resumable, prolonged, kept where it was best, and it does learn."""

from pathlib import Path

import numpy as np
import pytest
from test_resume import free_port
from test_training import pack

from vendor_core.errors import PriorError
from vendor_core.npz import read_npz, write_npz
from vendor_core.prior import GanPrior, load_prior
from vendor_core.prior.gan import VARIANTS
from vendor_core.rotations import exp_so3
from vendor_core.skeleton import N_BODY

torch = pytest.importorskip("torch")


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vendor_core.training.gan_trainer.BATCH", 16)
    monkeypatch.setattr("vendor_core.training.gan_run._INTERVALS", (1, 1))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("train", "val"):
        write_npz(tmp_path / f"{name}.npz", pack())
    return tmp_path


def trained(folder: Path, name: str, **how: object) -> Path:
    from tests.core.training_runs import train_here

    out = folder / f"{name}.npz"
    train_here(out, data=[folder], **how)
    return out


@pytest.mark.parametrize("kind", VARIANTS)
def test_what_is_trained_is_a_prior_of_its_latent_space(folder: Path, kind: str) -> None:
    prior = load_prior(trained(folder, "mine", kind=kind, steps=3))
    assert isinstance(prior, GanPrior)
    assert prior.space.name == VARIANTS[kind]
    assert f"--kind {kind} --steps 3" in prior.about["command"]
    R = prior.decode(prior.sample(9, 0))
    np.testing.assert_allclose(R @ np.swapaxes(R, -1, -2), np.broadcast_to(np.eye(3), R.shape), atol=1e-6)


def test_one_seed_gives_one_file(folder: Path) -> None:
    a, b, c = (trained(folder, name, kind="gan_s", steps=4, seed=seed) for name, seed in (("a", 1), ("b", 1), ("c", 2)))
    assert a.read_bytes() == b.read_bytes() != c.read_bytes()


def test_ended_early_and_prolonged_it_ends_as_an_undisturbed_one_does(folder: Path) -> None:
    def interrupt(_done: float, text: str) -> None:
        if text.startswith("generator: step 4 "):
            raise KeyboardInterrupt

    whole = trained(folder, "whole", kind="gan_u", steps=8)
    with pytest.raises(KeyboardInterrupt, match="goes on from"):
        trained(folder, "again", kind="gan_u", steps=5, checkpoint_every=0.0, report=interrupt)
    again = trained(folder, "again", kind="gan_u", steps=8)
    assert again.read_bytes() == whole.read_bytes()


def test_the_generator_that_is_kept_is_the_one_nearest_to_people_held_out() -> None:
    from vendor_core.training.gan_run import Best

    best = Best()
    for distance, mark in ((3.0, 0), (1.0, 1), (2.0, 2)):
        best.offer(distance, lambda mark=mark: {"x": np.array([mark])})
    again = Best()
    again.load_state_dict(best.state_dict())
    assert best.arrays["x"] == again.arrays["x"] == 1
    assert again.distance == 1.0


def test_the_file_holds_the_best_generator_and_its_distance(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Draws are measured as worse at every step: so the first is the best."""
    from tests.core.training_runs import train_here

    worse = iter(range(1, 100))
    monkeypatch.setattr("vendor_core.training.gan_run.from_nearest", lambda _a, _b: float(next(worse)))
    first = train_here(folder / "first.npz", data=[folder], kind="gan_s", steps=1)
    worse = iter(range(1, 100))
    last = train_here(folder / "last.npz", data=[folder], kind="gan_s", steps=5)
    assert first["val_loss"] == last["val_loss"] == 3.0  # 1 + 2
    a, b = (read_npz(folder / f"{name}.npz", None, ValueError) for name in ("first", "last"))
    np.testing.assert_array_equal(a["decoder_W1"], b["decoder_W1"])


def test_a_checkpoint_beyond_the_steps_asked_for_is_refused(folder: Path) -> None:
    def interrupt(_done: float, text: str) -> None:
        if text.startswith("generator: step 4 "):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(folder, "mine", kind="gan_s", steps=8, checkpoint_every=0.0, report=interrupt)
    with pytest.raises(PriorError, match="has done 3 steps, more than the 2 asked for"):
        trained(folder, "mine", kind="gan_s", steps=2)


def test_two_processes_learn_what_one_learns(folder: Path) -> None:
    """With the same chance and masks; what differs is the order of sums."""
    if not torch.distributed.is_available():
        pytest.skip("this torch is built without torch.distributed")
    from tests.core.training_runs import Run

    (folder / "val.npz").unlink()  # so that the last generator is the one that is kept
    how = {"data": [folder], "device": "cpu", "kind": "gan_u"}  # all in processes of their own, whose batches are whole
    for name, steps in (("early", 1), ("one", 9)):
        Run(out=folder / f"{name}.npz", steps=steps, **how).result()
    where = {"WORLD_SIZE": "2", "MASTER_ADDR": "localhost", "MASTER_PORT": str(free_port())}
    both = [{**where, "RANK": rank, "LOCAL_RANK": rank} for rank in "01"]
    for run in [Run(environment, out=folder / "two.npz", steps=9, **how) for environment in both]:
        run.result()
    early, one, two = (read_npz(folder / f"{name}.npz", None, ValueError) for name in ("early", "one", "two"))
    for name in ("decoder_W0", "decoder_W1", "decoder_W2"):
        moved, apart = (np.abs(x.astype(float) - one[name]).mean() for x in (early[name], two[name]))
        assert apart < 0.1 * moved, (name, apart, moved)


@pytest.mark.parametrize("kind", VARIANTS)
def test_it_learns_what_poses_it_is_shown(kind: str) -> None:
    """All poses near one: after 150 steps so are those drawn."""
    from vendor_core.training.data import PoseSet
    from vendor_core.training.gan_trainer import GanTrainer
    from vendor_core.training.measure import from_nearest, joint_points

    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    one = 0.7 * rng.normal(size=(21, 3))
    R = exp_so3((one + 0.1 * rng.normal(size=(300, 21, 3))).astype(np.float32))
    rest = np.cumsum(rng.normal(size=(N_BODY, 3)) * 0.2, axis=0).astype(np.float32)
    rest[0] = 0
    trainer = GanTrainer(PoseSet(np.tile(np.eye(3), (300, 1, 1)), R, np.full(300, 1 / 300), rest), "cpu", 0, kind)
    points = joint_points(R, rest)
    before = from_nearest(joint_points(trainer.drawn(), rest), points)
    for _ in range(150):
        trainer.step(0.0)
    assert from_nearest(joint_points(trainer.drawn(), rest), points) < 0.5 * before


def test_distances_from_the_nearest_are_those_of_all_pairs() -> None:
    from vendor_core.training.measure import from_nearest

    a, b = np.random.default_rng(0).normal(size=(2, 20, 5))
    assert from_nearest(a, b) == pytest.approx(np.linalg.norm(a[:, None] - b, axis=-1).min(1).mean())


def test_the_file_holds_nothing_but_the_generator(folder: Path) -> None:
    arrays = read_npz(trained(folder, "mine", kind="gan_n", steps=2), None, ValueError)
    weights = {name for name in arrays if arrays[name].dtype.kind == "f"}
    assert weights == {f"decoder_{part}{k}" for part in "Wb" for k in range(3)}
