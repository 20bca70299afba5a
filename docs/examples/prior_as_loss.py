# SPDX-License-Identifier: Apache-2.0
"""The prior as a term of a loss: poses with broken joints are mended by gradient descent. Needs PyTorch."""

import torch

from vendor_core.prior import as_module, load_plausibility, load_prior
from vendor_core.rotations import exp_so3
from vendor_core.skeleton import BODY_JOINTS

module = as_module(load_prior())  # a torch.nn.Module: .to("cuda"), .double(), .state_dict()
good = module.sample_poses(4, seed=1)["pose_body"]  # (4, 21, 3) rotation vectors
given = good.clone()
given[:, BODY_JOINTS.index("left_elbow") - 1] += torch.tensor([0.0, 1.5, 0.0])  # no elbow bends like this
given[:, BODY_JOINTS.index("right_knee") - 1] += torch.tensor([-1.2, 0.0, 0.0])


def implausibility(pose: torch.Tensor) -> torch.Tensor:
    """How far poses (B, 21, 3) are from what the prior makes of them, and how rare that is: (B,)."""
    z = module.encode(pose).mean
    apart = exp_so3(pose).flatten(-2) - module.decode(z)["pose_body_matrot"]
    return apart.square().sum((-2, -1)) - 0.01 * module.log_density(z)


pose = given.clone().requires_grad_()
optimiser = torch.optim.Adam([pose], lr=0.03)
for _ in range(100):
    optimiser.zero_grad()
    loss = (implausibility(pose) + 0.3 * (pose - given).square().sum((-2, -1))).sum()  # and stay near what was given
    loss.backward()
    optimiser.step()

plausibility = load_plausibility()  # another network: it judges, and took no part in the loss
for name, poses in (("drawn", good), ("broken", given), ("mended", pose.detach())):
    scores = plausibility.score(exp_so3(poses))
    cost = implausibility(poses).detach().mean()
    print(f"{name:7} implausibility {cost:5.2f}, plausibility {[round(float(s), 2) for s in scores]}")
