# SPDX-License-Identifier: Apache-2.0
"""What training minimises, on torch tensors: reconstruction, the prior's divergence, evenness of speed."""

from typing import TYPE_CHECKING

from ..skeleton import BODY_PARENTS, N_BODY

if TYPE_CHECKING:
    from torch import Tensor

TIP = 0.09  # metres: three points beside each joint see the twist that joint positions cannot
_TINY = 1e-10


def body_points(R: "Tensor", offsets: "Tensor", eye: "Tensor") -> "Tensor":
    """Points (B, 22, 4, 3) of poses R (B, 21, 3, 3): each joint, and a tip along each of its axes; pelvis at 0.

    Args:
        offsets: (22, 3) from parent to joint at rest, metres.
        eye: (3, 3) identity of R's dtype and device.
    """
    import torch

    # A list of joints, not one tensor indexed by level: the gradient of an index is slow, that of unbind is free.
    local = R.unbind(1)
    G, p = [eye.expand(len(R), 3, 3)], [torch.zeros_like(R[:, 0, 0])]
    for joint in range(1, N_BODY):
        parent = BODY_PARENTS[joint]
        G.append(local[joint - 1] if parent == 0 else G[parent] @ local[joint - 1])
        p.append(p[parent] + (offsets[joint] if parent == 0 else G[parent] @ offsets[joint]))
    joints = torch.stack(p, 1)[:, :, None]
    return torch.cat([joints, joints + TIP * torch.stack(G, 1).mT], 2)


def smooth_angle(R: "Tensor", R_target: "Tensor") -> "Tensor":
    """Angles (...) between rotations from the chord, 2 asin(|R - R'|_F / sqrt 8): its gradient stays finite at 0."""
    chord2 = (R - R_target).square().sum((-1, -2)) / 8
    return 2 * (chord2 + _TINY).sqrt().clamp(max=1 - 1e-6).asin()


def gaussian_divergence(mean: "Tensor", log_var: "Tensor", free: float) -> "Tensor":
    """KL(N(mean, var) || N(0, I)), a sum over latent dimensions, each counted only beyond `free` nats (free bits)."""
    each = 0.5 * (mean.square() + log_var.exp() - 1 - log_var).mean(0)
    return (each - free).clamp(min=0).sum()


def speeds(pairs: "Tensor", apart: float) -> "Tensor":
    """Mean speed (paths, times) of points (paths, times, 2, points, 3), given just before and just after each time."""
    return (pairs[:, :, 1] - pairs[:, :, 0]).square().sum(-1).add(_TINY).sqrt().mean(-1) / apart


def unevenness(speed: "Tensor") -> "Tensor":
    """Variance of the log of speed (paths, times) along each path, averaged over paths."""
    return speed.log().var(1).mean()


def detour(speed: "Tensor", straight: "Tensor") -> "Tensor":
    """Log of the length of each path, from its speed (paths, times), by the distance (paths, 1) of its ends."""
    return (speed.mean(1, keepdim=True) / straight).log().mean()
