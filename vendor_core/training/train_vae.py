# SPDX-License-Identifier: Apache-2.0
"""Train the VAE prior and its initialiser: seed, data and thread count decide every bit of the weights.

The number of steps is fixed, not the time. Loss after Pavlakos et al., "Expressive Body Capture", CVPR 2019, with a
smooth geodesic term, points instead of a mesh, and a regulariser that evens the speed along straight latent lines.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import cos, pi
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import PriorError
from ..npz import write_npz
from ..prior.network import rotations_of_outputs
from ..prior.vae import FORMAT, VaePrior
from ..skeleton import BODY_JOINTS, N_POSE
from .data import PoseSet, load_poses, pack_files
from .fit_density import fit_mixture
from .losses import body_points, gaussian_divergence, smooth_angle, speed_unevenness
from .measure import guess_error, reconstruction
from .networks import build_network, draw_rows, network_arrays
from .train_guess import EFFECTORS, GuessTrainer

if TYPE_CHECKING:
    from torch import Generator, Tensor

LATENT = 32
WIDTH = 256
STEPS = 16_000
BATCH = 128
RATE = 2e-3
PATHS, TIMES, APART = 8, 6, 0.02  # of the speed regulariser: latent lines, times along each, and their distance
W_ANGLE, W_POINTS, W_DIVERGENCE, W_SPEED, FREE_NATS = 2.0, 60.0, 2e-3, 1.0, 0.05
COMPONENTS = 256
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
    poses = load_poses(pack_files(data, "train"), mirror=True)
    with _repeatable(seed, device):
        trainer = _Trainer(poses, device, seed)
        _run(trainer.step, steps, lambda done, text: tell(0.02 + 0.63 * done, f"prior: {text}"))
        guesser = trainer.guess_trainer()
        _run(guesser.step, steps // 2, lambda done, text: tell(0.65 + 0.3 * done, f"initialiser: {text}"))
        tell(0.95, "fitting the density")
        arrays = trainer.arrays() | network_arrays(guesser.network, "guess", LATENT + 6)
    arrays |= _texts(data, seed, steps, len(poses))
    try:
        write_npz(out, arrays)
    except OSError as problem:
        raise PriorError(f"{out} cannot be written ({problem.strerror}); choose another place") from None
    result = {"steps": steps, "poses": len(poses), "device": device, "bytes": out.stat().st_size}
    if files := pack_files(data, "val"):
        result |= _validate(VaePrior(arrays, out.stem), load_poses(files, mirror=False))
    result["seconds"] = round(time.monotonic() - began, 1)
    tell(1.0, f"wrote {out.name}")
    return result


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


@dataclass
class _Trainer:
    """The networks, the data on the device and the optimiser."""

    poses: PoseSet
    device: str
    seed: int

    def __post_init__(self) -> None:
        import torch

        f = {"dtype": torch.float32, "device": self.device}
        self.R = torch.as_tensor(self.poses.R, **f)
        self.offsets = torch.as_tensor(self.poses.offsets, **f)
        self.eye = torch.eye(3, **f)
        self.cumulative = torch.as_tensor(np.cumsum(self.poses.weight))
        with torch.no_grad():
            self.targets = torch.cat([body_points(R, self.offsets, self.eye) for R in self.R.split(8192)])
        flat = self.poses.R.reshape(len(self.poses), -1)
        self.mean, self.std = flat.mean(0), np.maximum(flat.std(0), 0.05)
        self.x_mean, self.x_std = torch.as_tensor(self.mean, **f), torch.as_tensor(self.std, **f)
        self.encoder = build_network(9 * N_POSE, WIDTH, WIDTH, 2 * LATENT).to(self.device)
        self.decoder = build_network(LATENT, WIDTH, WIDTH, 6 * N_POSE, rotations=N_POSE).to(self.device)
        self.weights = [*self.encoder.parameters(), *self.decoder.parameters()]
        self.optimiser = torch.optim.AdamW(self.weights, RATE, weight_decay=1e-4, fused=True)
        self.draw: Generator = torch.Generator(self.device).manual_seed(self.seed)

    def step(self, progress: float) -> "Tensor":
        """One optimiser step, at a fraction of the training; returns the loss."""
        import torch

        which = draw_rows(self.cumulative, self._random(BATCH))
        R = self.R[which]
        mean, log_var = self.encode(R)
        noise = torch.randn(mean.shape, generator=self.draw, device=self.device)
        z = mean + (0.5 * log_var).exp() * noise
        decoded = self.decode(torch.cat([z, self._lines(mean).flatten(0, 2)]))
        points = body_points(decoded, self.offsets, self.eye)
        ends = points[BATCH:].unflatten(0, (PATHS, TIMES, 2)).flatten(3, 4)
        loss = (
            W_ANGLE * smooth_angle(decoded[:BATCH], R).mean()
            + W_POINTS * (points[:BATCH] - self.targets[which]).abs().mean()
            + W_DIVERGENCE * gaussian_divergence(mean, log_var, FREE_NATS)
            + W_SPEED * min(1.0, progress / 0.1) * speed_unevenness(ends[:, :, 0], ends[:, :, 1])
        )
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.weights, 1.0)
        for group in self.optimiser.param_groups:
            group["lr"] = RATE * (0.01 + 0.99 * 0.5 * (1 + cos(pi * progress))) * min(1.0, progress / 0.005 + 0.05)
        self.optimiser.step()
        return loss.detach()

    def encode(self, R: "Tensor") -> "tuple[Tensor, Tensor]":
        """Mean and log variance (B, L) of poses (B, 21, 3, 3)."""
        mean, log_var = self.encoder((R.flatten(1) - self.x_mean) / self.x_std).chunk(2, -1)
        return mean, log_var.clamp(-12, 4)

    def decode(self, z: "Tensor") -> "Tensor":
        return rotations_of_outputs(self.decoder(z))

    def guess_trainer(self) -> GuessTrainer:
        """The initialiser's training, on the same data and chance, through this decoder."""
        import torch

        R_root = torch.as_tensor(self.poses.R_root, dtype=torch.float32, device=self.device)
        return GuessTrainer(self.decoder, LATENT, R_root, self.R, self.offsets, self.cumulative, self.draw)

    def _lines(self, z: "Tensor") -> "Tensor":
        """Latents (PATHS, TIMES, 2, L): neighbours along lines between encodings, or random points."""
        import torch

        a, b = z[:PATHS], z[PATHS : 2 * PATHS]
        half = PATHS // 2
        noise = torch.randn((2, half, z.shape[1]), generator=self.draw, device=self.device) * 0.8
        a, b = torch.cat([a[:half], noise[0]]), torch.cat([b[:half], noise[1]])
        t = (torch.linspace(0, 0.95, TIMES, device=self.device) + 0.03 * self._random(PATHS, TIMES))[..., None]
        t = torch.stack([t, t + APART], 2)
        return a[:, None, None] * (1 - t) + b[:, None, None] * t

    def _random(self, *shape: int) -> "Tensor":
        import torch

        return torch.rand(shape, generator=self.draw, device=self.device)

    def arrays(self) -> dict[str, np.ndarray]:
        """Networks and density as arrays of a prior file."""
        import torch

        with torch.no_grad():
            parts = [self.encode(R) for R in self.R.split(8192)]
        mean, log_var = torch.cat([m for m, _ in parts]), torch.cat([v for _, v in parts])
        weight = torch.as_tensor(self.poses.weight)
        draw = torch.Generator().manual_seed(self.seed)
        density = fit_mixture(mean, log_var.exp(), weight, COMPONENTS, draw)
        return {
            "format": np.array(FORMAT),
            **network_arrays(self.encoder, "encoder", LATENT, self.mean, self.std),
            **network_arrays(self.decoder, "decoder", 6 * N_POSE),
            **density.to_arrays(),
            "rest_joints": self.poses.rest_joints.astype(np.float32),
        }


def _texts(data: list[Path], seed: int, steps: int, n: int) -> dict[str, np.ndarray]:
    names = " ".join(path.name for path in data)
    texts = {
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
