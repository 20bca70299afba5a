# SPDX-License-Identifier: Apache-2.0
"""An objective of your own, in torch, minimised in two stages. Needs PyTorch."""

from collections.abc import Mapping

import torch

from vendor_core.body import default_body
from vendor_core.ik.reference import ReferenceStage, minimise
from vendor_core.prior import load_prior
from vendor_core.rotations import exp_so3

prior, body = load_prior(), default_body().like(torch.zeros(1))  # a body of torch tensors, single precision
at = {name: i for i, name in enumerate(body.joint_names)}
wanted = torch.tensor([[0.1, 1.2, 0.4], [-0.4, 0.9, 0.5], [0.3, 1.5, 0.3]])  # (3, 3) metres, Y up: of the left wrist


def posed(parameters: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Joints (n, 55, 3), metres."""
    R = torch.cat([exp_so3(parameters["root"])[:, None], prior.decode(parameters["z"])], dim=1)
    return body.pose(R, parameters["trans"]).joints


def objective(parameters: Mapping[str, torch.Tensor], frames: torch.Tensor) -> dict[str, torch.Tensor]:
    """Terms (n,) of the cost, each its own weight: frames on their own, gradients by torch."""
    joints = posed(parameters)
    hands = joints[:, at["left_wrist"]] - joints[:, at["right_wrist"]]
    feet = joints[:, [at["left_foot"], at["right_foot"]]]
    return {
        "reach": (joints[:, at["left_wrist"]] - wanted[frames]).square().sum(-1),
        "clap": (hands.norm(dim=-1) - 0.15).square(),  # 15 cm from wrist to wrist
        "stand": feet[..., 1].square().sum(-1),  # feet on the floor
        "plausible": -prior.log_density(parameters["z"]),
    }


start = {"z": torch.zeros(3, prior.latent_dim), "root": torch.zeros(3, 3), "trans": torch.tensor([[0.0, 1.0, 0.0]] * 3)}
stages = [
    ReferenceStage({"reach": 1e3, "clap": 1e3, "stand": 1e3, "plausible": 1.0}, iterations=50),
    ReferenceStage({"reach": 1e4, "clap": 1e4, "stand": 1e4, "plausible": 0.1}, iterations=50),  # then closely
]
result = minimise(objective, start, stages)
terms = objective(result.parameters, torch.arange(3))
for frame in range(3):
    reach, clap, stand = (1e3 * float(terms[name][frame]) ** 0.5 for name in ("reach", "clap", "stand"))
    print(
        f"pose {frame}: wrist off by {reach:.1f} mm, hands by {clap:.1f} mm, feet by {stand:.1f} mm, "
        f"log density {-terms['plausible'][frame]:.0f} nats, {result.evaluations[frame]} evaluations"
    )
