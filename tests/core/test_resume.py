# SPDX-License-Identifier: Apache-2.0
"""Training killed at any moment goes on and ends with the same bytes; full disks and foreign checkpoints."""

import random
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.core.motion_folders import amass_folder
from vendor_core.errors import PriorError

torch = pytest.importorskip("torch", reason="torch is not installed, which training needs")
STEPS = 16
PARTS = {"prior": 15, "initialiser": 15, "critic": 5}  # and a step of each by which a killer comes in time


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return amass_folder(tmp_path_factory.mktemp("people"))


@pytest.fixture(scope="module")
def undisturbed(people: Path) -> tuple[bytes, float]:
    """The bytes of the weights, and the loss of people held out."""
    from tests.core.training_runs import train_here

    out = people.parent / "undisturbed" / "prior.npz"
    out.parent.mkdir()
    result = train_here(out, data=[people], steps=STEPS)
    assert result["people"] == {"train": 23, "val": 2} and result["val_loss"] > 0
    assert {path.name for path in out.parent.iterdir()} == {"prior.npz", "prior.loss.png"}
    return out.read_bytes(), result["val_loss"]


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """Writing more fails as on a full disk, while a checkpoint is written as well."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_killed_three_times_it_ends_with_the_same_bytes(
    people: Path, undisturbed: tuple[bytes, float], tmp_path: Path
) -> None:
    """At any moment of each of the three parts; then the disk is full for a while: the last good checkpoint stays."""
    from tests.core.training_runs import Run, train_here

    chance = random.SystemRandom()
    moments = [f"{part}: step {chance.randint(2, last)} " for part, last in PARTS.items()]

    out, checkpoint = tmp_path / "prior.npz", tmp_path / "prior.checkpoint"
    how = {"data": [people], "steps": STEPS, "checkpoint_every": 0.0}
    (tmp_path / ".prior.npz.abc.part").write_bytes(b"left by a run that was killed while it wrote")
    for moment in moments:
        again, later = checkpoint.exists(), chance.uniform(0, 0.02)
        print(f"killed {later} s after {moment}")  # shown where this fails
        run = Run(out=out, device="cpu", **how)
        run.kill_at(moment, later)
        assert [text.startswith("Going on from") for text in run.said] == [True] * again
        assert checkpoint.exists() and not out.exists()
    kept, said = checkpoint.read_bytes(), []
    with no_file_larger_than(100_000), pytest.raises(PriorError, match=r"prior\.npz cannot be written"):
        train_here(out, say=said.append, **how)
    assert "the last good one stays" in said[1] and len(said) == 2
    assert checkpoint.read_bytes() == kept and not out.exists()
    train_here(out, **how)
    assert out.read_bytes() == undisturbed[0]
    assert {path.name for path in tmp_path.iterdir()} == {"prior.npz", "prior.loss.png"}


def test_asked_to_stop_it_keeps_all_that_is_done(
    people: Path, undisturbed: tuple[bytes, float], tmp_path: Path
) -> None:
    """Ctrl-C long before a checkpoint is due."""
    from tests.core.training_runs import Run, train_here

    how = {"data": [people], "steps": STEPS}
    why = Run(out=tmp_path / "prior.npz", device="cpu", **how).stop_at("initialiser: step 2 ", signal.SIGINT)
    assert why == f"interrupted; the same command goes on from {tmp_path / 'prior.checkpoint'}"
    assert {path.name for path in tmp_path.iterdir()} == {"prior.checkpoint"}
    steps: list[str] = []
    train_here(tmp_path / "prior.npz", report=lambda _done, text: steps.append(text), **how)
    assert not any(text.startswith(("prior: ", "initialiser: step 1 ", "initialiser: step 2 ")) for text in steps)
    assert (tmp_path / "prior.npz").read_bytes() == undisturbed[0]


def test_checkpoints_of_other_trainings_are_refused(tmp_path: Path) -> None:
    from tests.core.training_runs import train_here

    def stop(done: float, _text: str) -> None:
        if done > 0.1:
            raise KeyboardInterrupt

    how = {"data": [amass_folder(tmp_path / "people", 24)], "steps": STEPS, "checkpoint_every": 0.0}
    with pytest.raises(KeyboardInterrupt, match="the same command goes on"):
        train_here(tmp_path / "prior.npz", report=stop, **how)
    for changes, words in (
        ({"seed": 1}, "seed 0, this one has 1"),
        ({"steps": 30}, "steps 16, this one has 30"),
        ({"split": "amass"}, "motion .* poses"),
    ):
        with pytest.raises(PriorError, match=words):
            train_here(tmp_path / "prior.npz", **how | changes)
    whole = (tmp_path / "prior.checkpoint").read_bytes()
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 16]) + whole[middle + 1 :]
    for damaged in (b"a foreign file", whole[:middle], flipped):
        (tmp_path / "prior.checkpoint").write_bytes(damaged)
        with pytest.raises(PriorError, match="delete it to begin anew"):
            train_here(tmp_path / "prior.npz", **how)
    torch.save({"state_dict": {}}, tmp_path / "prior.checkpoint")
    with pytest.raises(PriorError, match="no checkpoint of a training"):
        train_here(tmp_path / "prior.npz", **how)


def test_two_processes_reach_what_one_reaches(people: Path, undisturbed: tuple[bytes, float], tmp_path: Path) -> None:
    """As torchrun starts them. They learn from the same poses, each from half of every batch."""
    if not torch.distributed.is_available():
        pytest.skip("this torch is built without torch.distributed")
    from tests.core.training_runs import Run

    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "localhost", "MASTER_PORT": str(free_port())}
    ranks = ({"RANK": rank, "LOCAL_RANK": rank} for rank in "01")
    how = {"data": [people], "out": tmp_path / "two.npz", "device": "cpu", "steps": STEPS}
    runs = [Run(shared | rank, **how) for rank in ranks]
    results = [run.result() for run in runs]
    assert results[1] == {}
    assert results[0]["val_loss"] == pytest.approx(undisturbed[1], rel=0.02)
    assert (tmp_path / "two.npz").read_bytes() != undisturbed[0]  # they did share the work
    assert {path.name for path in tmp_path.glob("two*")} == {"two.npz", "two.loss.png"}


def free_port() -> int:
    import socket

    with socket.socket() as s:
        s.bind(("localhost", 0))
        return s.getsockname()[1]
