# SPDX-License-Identifier: Apache-2.0
"""The baseline: a plain VAE as VPoser is trained, on our motion: `python -m recipes.plain_vae DATA OUT.ckpt`.

Layers, losses and optimiser of human_body_prior 2.0 (Pavlakos et al., "Expressive Body Capture", CVPR 2019): batch
normalisation, LeakyReLU, dropout 0.1, 512 wide; 0.005 KL + 4 L1 of points (88 beside the joints stand for the mesh),
and for the first 15 epochs 2 geodesic + 2 L1 of joints; Adam 1e-3, batch 128. It is written in VPoser's own layout, so
that it is read as a user's VPoser is.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from vendor_core.prior.network import rotations_of_outputs
from vendor_core.rotations import log_so3
from vendor_core.training.data import PoseSet, load_poses, pack_files
from vendor_core.training.losses import body_points, smooth_angle

_WIDTH, _LATENT, _POSE = 512, 32, 63
_BATCH, _STEPS, _RATE, _DECAY = 128, 16_000, 1e-3, 1e-5
_KL, _MESH, _ANGLE, _JOINTS = 0.005, 4.0, 2.0, 2.0
_EXTRA_EPOCHS = 15  # with the geodesic and joint terms


class PlainVae(nn.Module):
    """VPoser's layers under VPoser's names."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder_net = nn.Sequential(
            nn.Flatten(), nn.BatchNorm1d(_POSE), nn.Linear(_POSE, _WIDTH), nn.LeakyReLU(), nn.BatchNorm1d(_WIDTH),
            nn.Dropout(0.1), nn.Linear(_WIDTH, _WIDTH), nn.Linear(_WIDTH, _WIDTH), _Normal(),
        )  # fmt: skip
        self.decoder_net = nn.Sequential(
            nn.Linear(_LATENT, _WIDTH), nn.LeakyReLU(), nn.Dropout(0.1), nn.Linear(_WIDTH, _WIDTH), nn.LeakyReLU(),
            nn.Linear(_WIDTH, 2 * _POSE),
        )  # fmt: skip

    def forward(self, w: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Poses R (B, 21, 3, 3) of poses w (B, 63) encoded with noise and decoded; means and spreads (B, 32)."""
        mean, std = self.encoder_net(w)
        return rotations_of_outputs(self.decoder_net(mean + std * torch.randn_like(std))), mean, std


class _Normal(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.mu, self.logvar = nn.Linear(_WIDTH, _LATENT), nn.Linear(_WIDTH, _LATENT)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.mu(x), functional.softplus(self.logvar(x))


def train(poses: PoseSet, seed: int = 0, steps: int = _STEPS) -> PlainVae:
    """The baseline trained on poses; every pose counts alike, as in the original."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    model, rng = PlainVae(), np.random.default_rng(seed)
    optimiser = torch.optim.Adam(model.parameters(), _RATE, weight_decay=_DECAY)
    R = torch.as_tensor(poses.R)
    w = torch.as_tensor(log_so3(poses.R)).flatten(1)
    offsets, eye = torch.as_tensor(poses.offsets), torch.eye(3)
    for step in tqdm(range(steps), disable=None, leave=False):
        rows = torch.as_tensor(rng.integers(len(poses), size=_BATCH))
        decoded, mean, std = model(w[rows])
        points, target = (body_points(x, offsets, eye) for x in (decoded, R[rows]))
        kl = 0.5 * (mean.square() + std.square() - 1 - 2 * std.log()).sum(1).mean()
        loss = _KL * kl + _MESH * (points - target).abs().mean()
        if step < _EXTRA_EPOCHS * len(poses) / _BATCH:
            loss = loss + _ANGLE * smooth_angle(decoded, R[rows]).mean()
            loss = loss + _JOINTS * (points - target)[:, :, 0].abs().mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
    return model.eval()


def main() -> int:
    parser = argparse.ArgumentParser(prog="recipes.plain_vae", description=__doc__)
    parser.add_argument("data", type=Path, help="folder with train.npz")
    parser.add_argument("out", type=Path, help="the checkpoint to write")
    arguments = parser.parse_args()
    model = train(load_poses(pack_files([arguments.data], "train"), mirror=True))
    part = arguments.out.with_suffix(".part")
    torch.save({"state_dict": vposer_state(model)}, part)
    part.replace(arguments.out)
    return 0


def vposer_state(model: PlainVae) -> dict[str, Tensor]:
    """The weights under VPoser's names, the last layer in its order: six numbers of a joint are 3 x 2, not 2 x 3."""
    state = {f"vp_model.{name}": value for name, value in model.state_dict().items()}
    for name in ("vp_model.decoder_net.5.weight", "vp_model.decoder_net.5.bias"):
        joints = state[name].unflatten(0, (_POSE // 3, 2, 3))
        state[name] = joints.transpose(1, 2).flatten(0, 2).contiguous()
    return state


if __name__ == "__main__":
    sys.exit(main())
