# SPDX-License-Identifier: Apache-2.0
"""Train a prior and write it: gather motion, run, keep checkpoints. Seed, data and threads decide every bit of it.

The number of steps is fixed, not the time.
"""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import PriorError
from ..files import remove_unfinished
from ..npz import write_npz
from ..prior.gan import FORMAT as GAN_FORMAT
from ..prior.gan import VARIANTS
from ..prior.vae import FORMAT, VaePrior
from ..skeleton import BODY_JOINTS
from .checkpoint import EVERY, Checkpoint, checkpoint_path
from .curves import can_draw, draw_curves, picture_path
from .data import PoseSet
from .gan_run import GanRun
from .gan_trainer import BATCH as GAN_BATCH
from .gather import Gathered, gather, list_skipped, reasons
from .interruption import asked_to_stop
from .measure import guess_error, reconstruction
from .people import SPLITS
from .processes import Share, joined_processes
from .run import Run
from .train_guess import EFFECTORS
from .vae_run import VaeRun
from .vae_trainer import BATCH

STEPS = {"vae": 16_000} | dict.fromkeys(VARIANTS, 11_000)
"""Of each kind of prior, by default."""
THREADS = 1
_READING, _TRAINED = 0.02, 0.97  # where on the way from start to end

Report = Callable[[float, str], None]
Say = Callable[[str], None]


def train_prior(
    data: Sequence[str | Path],
    out: str | Path,
    seed: int = 0,
    device: str = "auto",
    report: Report | None = None,
    steps: int | None = None,
    split: str = "subjects",
    say: Say | None = None,
    checkpoint_every: float = EVERY,
    kind: str = "vae",
) -> dict[str, Any]:
    """Train a prior and write it; go on where a training of the same file from the same motion was ended early.

    Beside OUT.npz come OUT.loss.png, OUT.skipped.txt where files were skipped, and OUT.checkpoint until it is done.
    Where torchrun started several processes they share the work, and the first one writes.

    Args:
        data: folders with train.npz (and val.npz, measured at the end); folders of AMASS npz and BVH files, or files.
        out: the npz file to write.
        seed: decides the weights; equal seeds give equal files on one machine, however often training was ended.
        device: "auto" (CUDA where there is one), "cpu", "cuda", "mps".
        report: called with the fraction done and a line of text.
        steps: optimiser steps, of the generator where there is one; the default of `STEPS` where None.
        split: "subjects" holds out one person in ten, "amass" is the published split; motion packs come split.
        say: called with lines that the user should not miss.
        checkpoint_every: seconds from one checkpoint to the next.
        kind: "vae", or an adversarial prior: "gan_s", "gan_u", "gan_n".

    Returns:
        steps, seconds, poses, device, bytes, people, skipped files by reason, and, where people are held out, val_loss
        and an auto-encoder's val_mm, val_deg and so on. Nothing in processes but the first.

    Raises:
        MotionError: there is nothing to train on, or a motion pack is damaged.
        PriorError: torch is not installed, the device is not there, or the folder to write to; the checkpoint is
            damaged, or of another training.
    """
    if isinstance(data, str | Path) or kind not in STEPS:
        known = ", ".join(STEPS)
        raise PriorError(f"{kind!r} from {data!r}; expected one of {known}, and a list of folders and files")
    data, out = [Path(place) for place in data], Path(out)
    began, steps = time.monotonic(), steps or STEPS[kind]
    tell, note = report or (lambda _fraction, _text: None), say or (lambda _text: None)
    device = _device(device)
    if not out.parent.is_dir():
        raise PriorError(f"{out.parent} is no folder to write {out.name} to; create it first")
    with joined_processes(device) as (share, device):
        if share.rank:
            tell, note = (lambda _fraction, _text: None), (lambda _text: None)
        tell(0.0, "reading motion")
        gathered = gather(data, split, lambda done, text: tell(_READING * done, text), note)
        if share.rank == 0:
            _tidy(out, gathered, note)
        facts = _agreed(_facts(gathered, seed, steps, device, kind), share)
        checkpoint = Checkpoint(checkpoint_path(out), facts, checkpoint_every, note)
        with _repeatable(seed, device):
            run = _run(kind, gathered, device, seed, steps, share)
            _train(run, share, checkpoint, lambda done, text: tell(_READING + done, text), note)
            if share.rank:
                return {}
            tell(_TRAINED, "measuring")
            arrays, val_loss = run.arrays(), run.kept_loss()
    arrays |= _texts(data, gathered, seed, steps, split, kind)
    try:
        write_npz(out, arrays)
    except OSError as problem:
        raise PriorError(f"{out} cannot be written ({problem.strerror}); choose another place") from None
    checkpoint.remove()
    _draw(run, out, note)
    result = {"steps": steps, "device": device, "bytes": out.stat().st_size} | _results(
        gathered, kind, arrays, val_loss
    )
    result["seconds"] = round(time.monotonic() - began, 1)
    tell(1.0, f"wrote {out.name}")
    return result


def _results(gathered: Gathered, kind: str, arrays: dict[str, np.ndarray], val_loss: float | None) -> dict[str, Any]:
    """What was learned from, and how well."""
    found = {"poses": len(gathered.train), "people": gathered.people, "skipped": reasons(gathered.skipped)}
    if gathered.held_out is not None:
        found |= {"val_loss": val_loss} | _validate(kind, arrays, gathered.held_out)
    return found


def _tidy(out: Path, gathered: Gathered, note: Say) -> None:
    """Remove what killed trainings left beside the output, and list the files that cannot be used."""
    remove_unfinished(out)
    remove_unfinished(checkpoint_path(out))
    list_skipped(out.with_name(f"{out.stem}.skipped.txt"), gathered, note)


def _agreed(facts: dict[str, Any], share: Share) -> dict[str, Any]:
    """The facts, which all processes must have in common."""
    if share.from_first(facts) != facts:
        raise PriorError(f"Process {share.rank} reads other motion than the first; give all of them the same files")
    return facts


def _run(kind: str, gathered: Gathered, device: str, seed: int, steps: int, share: Share) -> Run:
    if kind == "vae":
        return VaeRun(gathered, device, seed, steps, share)
    return GanRun(gathered, device, seed, steps, share, kind)


def _train(run: Run, share: Share, checkpoint: Checkpoint, report: Report, say: Say) -> None:
    """Run to the end, from the checkpoint where there is one; the first process keeps it."""
    state = share.from_first(checkpoint.load() if share.rank == 0 else None)
    if state is not None:
        if state["done"] > run.steps:
            raise PriorError(
                f"{checkpoint.path} has done {state['done']} steps, more than the {run.steps} asked for; give --steps "
                f"{state['done']} or more to go on, or delete it to begin anew"
            )
        run.restore(state)
        say(f"Going on from {checkpoint.path}, at {run.fraction:.0%}; delete it to begin anew")
    try:
        with asked_to_stop() as stop:
            run.run(checkpoint if share.rank == 0 else None, report, stop)
    except KeyboardInterrupt:
        kept = checkpoint.path.exists()
        later = f"the same command goes on from {checkpoint.path}" if kept else "nothing was written"
        raise KeyboardInterrupt(f"interrupted; {later}") from None


def _facts(gathered: Gathered, seed: int, steps: int, device: str, kind: str) -> dict[str, Any]:
    """What makes two trainings the same."""
    digest = hashlib.sha256()
    for poses in filter(None, (gathered.train, gathered.held_out)):
        for array in (poses.R_root, poses.R, poses.weight):
            digest.update(np.ascontiguousarray(array).data)
    motion = f"{len(gathered.train)} poses ({digest.hexdigest()[:8]})"
    how_long = {"steps": steps} if kind == "vae" else {}  # an adversarial training has no schedule: it can be prolonged
    return {"kind": kind, "seed": seed, **how_long, "device": device.split(":")[0], "motion": motion}


def _draw(run: Run, out: Path, say: Say) -> None:
    """The picture of the curves; weights that are written are worth more than it."""
    if not can_draw():
        say('No picture of the loss: matplotlib is not installed; pip install "poise[report]"')
        return
    try:
        draw_curves(picture_path(out), run.curves, f"{out.name}: loss in training")
    except PriorError as problem:
        say(str(problem))


def _validate(kind: str, arrays: dict[str, np.ndarray], poses: PoseSet) -> dict[str, float]:
    """Errors on poses that training has not seen, by name."""
    if kind != "vae":
        return {}
    prior = VaePrior(arrays, kind)
    measured = {
        "val": reconstruction(prior, poses),
        "val_guess_all": guess_error(prior, poses, BODY_JOINTS),
        "val_guess_effectors": guess_error(prior, poses, EFFECTORS),
    }
    return {f"{name}_{unit}": value for name, errors in measured.items() for unit, value in errors.items()}


def _texts(data: list[Path], gathered: Gathered, seed: int, steps: int, split: str, kind: str) -> dict[str, np.ndarray]:
    names, n = " ".join(path.name or path.resolve().name for path in data), len(gathered.train)
    vae, words = kind == "vae", [f"--seed {seed}"]
    words += [f"--kind {kind}"] * (not vae) + [f"--steps {steps}"] * (steps != STEPS[kind])
    words += [f"--split {split}"] * (split != SPLITS[0])
    told, batch = ("VAE", BATCH) if vae else (kind.upper().replace("_", "-"), GAN_BATCH)
    texts = gathered.credits.texts()
    texts = {
        "format": FORMAT if vae else GAN_FORMAT,
        "license": texts["license"],
        "provenance": f"Poise {told} prior, {steps} steps of {batch} poses, {n} poses after thinning and mirroring",
        "command": f"python -m vendor_core train --data {names} -o PRIOR.npz {' '.join(words)}",
        "data": names,
        "attribution": texts["attribution"],
    }
    return {key: np.array(text) for key, text in texts.items()}


def _device(device: str) -> str:
    try:
        import torch
    except ImportError:
        raise PriorError("Training needs torch, which is not installed here; expected `pip install torch`") from None
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if device == "auto":
        return "cuda" if there["cuda"] else "cpu"
    if not there.get(device, False):
        raise PriorError(
            f'Device "{device}" is not here; expected one of: {", ".join(k for k, v in there.items() if v)}'
        )
    return device


@contextmanager
def _repeatable(seed: int, device: str) -> Iterator[None]:
    """Fixed threads, seed and algorithms for as long as training lasts."""
    import torch

    threads, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(THREADS)
    torch.use_deterministic_algorithms(device == "cpu")
    # Filling fresh memory is a guard for faulty code; it costs a fifth of the time.
    torch.utils.deterministic.fill_uninitialized_memory = False  # pyright: ignore[reportAttributeAccessIssue]
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(deterministic)
        torch.utils.deterministic.fill_uninitialized_memory = True  # pyright: ignore[reportAttributeAccessIssue]
