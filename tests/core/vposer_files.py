# SPDX-License-Identifier: Apache-2.0
"""VPoser's two networks in plain torch, with random weights, and their checkpoints as the originals are laid out."""

from collections import OrderedDict
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from vendor_core.rotations import log_so3


class Heads(nn.Module):
    def __init__(self, width: int, latent: int):
        super().__init__()
        self.mu, self.logvar = nn.Linear(width, latent), nn.Linear(width, latent)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.mu(x), functional.softplus(self.logvar(x))


class VPoser2(nn.Module):
    """The layers' places in the two sequences are those of the original, and so are the names in its state dict."""

    def __init__(self, width: int = 512, latent: int = 32):
        super().__init__()
        self.encoder_net = nn.Sequential(
            nn.Flatten(), nn.BatchNorm1d(63), nn.Linear(63, width), nn.LeakyReLU(0.01), nn.BatchNorm1d(width),
            nn.Dropout(0.1), nn.Linear(width, width), nn.Linear(width, width), Heads(width, latent),
        )  # fmt: skip
        self.decoder_net = nn.Sequential(
            nn.Linear(latent, width), nn.LeakyReLU(0.01), nn.Dropout(0.1), nn.Linear(width, width),
            nn.LeakyReLU(0.01), nn.Linear(width, 126),
        )  # fmt: skip

    def encode(self, R: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.encoder_net(log_so3(R).flatten(1))

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        return gram_schmidt(self.decoder_net(z))


class VPoser1(nn.Module):
    """The published weights take 63 numbers, rotation vectors; others were trained on 189, rotation matrices."""

    def __init__(self, width: int = 512, latent: int = 32, n_in: int = 63):
        super().__init__()
        self.bodyprior_enc_bn1, self.bodyprior_enc_fc1 = nn.BatchNorm1d(n_in), nn.Linear(n_in, width)
        self.bodyprior_enc_bn2, self.bodyprior_enc_fc2 = nn.BatchNorm1d(width), nn.Linear(width, width)
        self.bodyprior_enc_mu, self.bodyprior_enc_logvar = nn.Linear(width, latent), nn.Linear(width, latent)
        self.bodyprior_dec_fc1, self.bodyprior_dec_fc2 = nn.Linear(latent, width), nn.Linear(width, width)
        self.bodyprior_dec_out = nn.Linear(width, 126)
        self.n_in = n_in

    def encode(self, R: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = log_so3(R).flatten(1) if self.n_in == 63 else R.flatten(1)
        x = functional.leaky_relu(self.bodyprior_enc_fc1(self.bodyprior_enc_bn1(x)), 0.2)
        x = functional.leaky_relu(self.bodyprior_enc_fc2(self.bodyprior_enc_bn2(x)), 0.2)
        return self.bodyprior_enc_mu(x), functional.softplus(self.bodyprior_enc_logvar(x))

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        x = functional.leaky_relu(self.bodyprior_dec_fc1(z), 0.2)
        x = functional.leaky_relu(self.bodyprior_dec_fc2(x), 0.2)
        return gram_schmidt(self.bodyprior_dec_out(x))


def gram_schmidt(y: torch.Tensor) -> torch.Tensor:
    """Rotations (B, 21, 3, 3) of (B, 126): six numbers are a 3 x 2 matrix, row by row, whose columns come first."""
    a, b = y.view(-1, 21, 3, 2).unbind(-1)
    x = functional.normalize(a, dim=-1)
    y = functional.normalize(b - (x * b).sum(-1, keepdim=True) * x, dim=-1)
    return torch.stack([x, y, torch.linalg.cross(x, y)], dim=-1)


def randomised(model: nn.Module, seed: int = 0) -> nn.Module:
    """The model after training, as it were: statistics far from 0 and 1, rotations near the identity, evaluating."""
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.BatchNorm1d):
                module.running_mean.normal_(0, 0.5, generator=draw)
                module.running_var.uniform_(0.2, 2.0, generator=draw)
                module.weight.uniform_(0.5, 1.5, generator=draw)
                module.bias.normal_(0, 0.5, generator=draw)
            elif isinstance(module, nn.Linear):
                module.weight.normal_(0, module.in_features**-0.5, generator=draw)
                module.bias.normal_(0, 0.1, generator=draw)
                if module.out_features == 126:
                    module.bias += torch.tensor([1.0, 0, 0, 1, 0, 0]).repeat(21)
    return model.eval()


def lightning(model: nn.Module) -> dict:
    """A checkpoint of version 2 in full: the state dict with a body's buffers, the optimiser and more."""
    state = OrderedDict((f"vp_model.{name}", tensor) for name, tensor in model.state_dict().items())
    state["bm_train.init_v_template"] = torch.zeros(1, 100, 3)
    state["bm_train.f"] = torch.zeros(200, 3, dtype=torch.int32)
    return {"epoch": 13, "global_step": 140_000, "pytorch-lightning_version": "1.0.8", "state_dict": state} | {
        "callbacks": {}, "optimizer_states": [torch.optim.Adam(model.parameters()).state_dict()], "lr_schedulers": [],
    }  # fmt: skip


def write_folder(folder: Path, model: nn.Module, version: int, zipped: bool = True) -> Path:
    """The folder of an experiment as it is downloaded."""
    (folder / "snapshots").mkdir(parents=True)
    if version == 2:
        (folder / "V02_05.yaml").write_text("model_params:\n  num_neurons: 512\n  latentD: 32\n")
        old = lightning(randomised(VPoser2(64, 8), seed=99))
        torch.save(old, folder / "snapshots" / "V02_05_epoch=08_val_loss=0.03.ckpt")
        path, content = folder / "snapshots" / "V02_05_epoch=13_val_loss=0.03.ckpt", lightning(model)
    else:
        (folder / "TR00_004_00_WO_accad.ini").write_text("[All]\nnum_neurons : 512\n")
        path, content = folder / "snapshots" / "TR00_E096.pt", model.state_dict()
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    return folder
