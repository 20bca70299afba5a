# SPDX-License-Identifier: Apache-2.0
"""Train all of a VAE prior: networks, density, initialiser, critic. Seed, data and threads decide every bit of it.

The number of steps is fixed, not the time.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..body import default_body
from ..errors import PriorError
from ..npz import write_npz
from ..prior.vae import FORMAT, VaePrior
from ..skeleton import BODY_JOINTS, N_BODY
from .data import PoseSet, load_poses, pack_files
from .measure import guess_error, reconstruction
from .networks import network_arrays
from .train_guess import EFFECTORS
from .vae_trainer import BATCH, LATENT, VaeTrainer

if TYPE_CHECKING:
    from torch import Tensor

STEPS = 16_000
THREADS = 1

Report = Callable[[float, str], None]

ATTRIBUTION = (
    "Trained on motion obtained from mocap.cs.cmu.edu; that database was created with funding from NSF EIA-0196217. "
    "Also on CC0 animations of the Mesh2Motion project and CC0 poses of the MakeHuman community."
)


def train_vae(
    data: list[Path], out: Path, seed: int = 0, device: str = "auto", report: Report | None = None, steps: int = STEPS
) -> dict[str, Any]:
    """Train a prior and write it.

    Args:
        data: folders with train.npz (and val.npz, measured at the end), or motion packs to train on.
        out: the npz file to write.
        seed: decides the weights; equal seeds give equal files on one machine.
        device: "auto" (CUDA where there is one), "cpu", "cuda", "mps".
        report: called with the fraction done and a line of text.
        steps: optimiser steps; the shipped weights have the default.

    Returns:
        steps, seconds, poses, device, bytes, and val_mm and val_deg where there are validation poses.

    Raises:
        MotionError: the data cannot be read.
        PriorError: torch is not installed, the device is not there, or the folder to write to.
    """
    began = time.monotonic()
    tell = report or (lambda _fraction, _text: None)
    device = _device(device)
    if not out.parent.is_dir():
        raise PriorError(f"{out.parent} is no folder to write {out.name} to; create it first")
    tell(0.0, "reading motion")
    source = load_poses(pack_files(data, "train"), mirror=True)
    poses = _on_default_body(source)
    held_out = _on_default_body(load_poses(files, mirror=False)) if (files := pack_files(data, "val")) else None
    with _repeatable(seed, device):
        trainer = VaeTrainer(poses, device, seed)
        _run(trainer.step, steps, lambda done, text: tell(0.02 + 0.4 * done, f"prior: {text}"))
        guesser, critic = trainer.guess_trainer(source.offsets), trainer.critic_trainer()
        _run(guesser.step, steps, lambda done, text: tell(0.42 + 0.4 * done, f"initialiser: {text}"))
        _run(critic.step, steps // 2, lambda done, text: tell(0.82 + 0.15 * done, f"critic: {text}"))
        tell(0.97, "fitting the density")
        arrays = trainer.arrays() | network_arrays(guesser.network, "guess", LATENT + 6)
        arrays |= critic.arrays(held_out or poses)
    arrays |= _texts(data, seed, steps, len(poses)) | {"rest_joints": poses.rest_joints}
    try:
        write_npz(out, arrays)
    except OSError as problem:
        raise PriorError(f"{out} cannot be written ({problem.strerror}); choose another place") from None
    result = {"steps": steps, "poses": len(poses), "device": device, "bytes": out.stat().st_size}
    if held_out is not None:
        result |= _validate(VaePrior(arrays, out.stem), held_out)
    result["seconds"] = round(time.monotonic() - began, 1)
    tell(1.0, f"wrote {out.name}")
    return result


def _on_default_body(poses: PoseSet) -> PoseSet:
    """The poses on the skeleton that artists pose and that the evaluation measures, the pelvis at the origin."""
    rest = default_body().joints_template[:N_BODY]
    return replace(poses, rest_joints=(rest - rest[0]).astype(np.float32))


def _run(step: Callable[[float], "Tensor"], steps: int, report: Report) -> None:
    for i in range(steps):
        loss = step(i / steps)
        if i % 200 == 0:
            report(i / steps, f"step {i} of {steps}, loss {float(loss):.4f}")


def _validate(prior: VaePrior, poses: PoseSet) -> dict[str, float]:
    """Errors on poses that training has not seen, by name."""
    measured = {
        "val": reconstruction(prior, poses),
        "val_guess_all": guess_error(prior, poses, BODY_JOINTS),
        "val_guess_effectors": guess_error(prior, poses, EFFECTORS),
    }
    return {f"{name}_{unit}": value for name, errors in measured.items() for unit, value in errors.items()}


def _texts(data: list[Path], seed: int, steps: int, n: int) -> dict[str, np.ndarray]:
    names = " ".join(path.name for path in data)
    texts = {
        "format": FORMAT,
        "license": "CC0-1.0",
        "provenance": f"Poise VAE prior, {steps} steps of {BATCH} poses, {n} poses after thinning and mirroring",
        "command": f"python -m vendor_core train --data {names} -o PRIOR.npz --seed {seed}",
        "data": names,
        "attribution": ATTRIBUTION,
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
