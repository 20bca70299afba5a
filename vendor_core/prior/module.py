# SPDX-License-Identifier: Apache-2.0
"""A prior as a torch module, used as VPoser's is: in an objective of your own, on any device, its gradients finite.

torch is imported when the first module is made, so that the core works without it.
"""

from copy import copy
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from ..errors import PriorError
from ..rotations import exp_so3, log_so3
from ..skeleton import N_POSE
from .autoencoder import AutoEncoder
from .network import Network

if TYPE_CHECKING:
    from torch import Tensor
    from torch.distributions import Normal
    from torch.nn import Module as _Module
else:
    _Module = object  # `as_module` puts torch.nn.Module in its place

_NETWORKS = ("encoder", "decoder")


class PriorModule(_Module):
    """The networks of a prior as parameters `encoder_W0`, `encoder_b0`, ..., `decoder_W0`, ...; made by `as_module`.

    The parameters are frozen: call `requires_grad_()` to train them. They follow `.to(...)` and make up the state
    dict; the density is the prior's own.
    """

    def __init__(self, prior: AutoEncoder):
        from torch import tensor
        from torch.nn import Parameter

        super().__init__()
        self._prior, self._counts = prior, {}
        self.latent_dim = self.latentD = prior.latent_dim  # the latter is VPoser's name for it
        self.num_joints = N_POSE
        for part in _NETWORKS:
            layers = getattr(prior, part).layers
            self._counts[part] = len(layers)
            for k, (W, b) in enumerate(layers):
                for name, values in (("W", W), ("b", b)):
                    weights = Parameter(tensor(values).float(), requires_grad=False)
                    self.register_parameter(f"{part}_{name}{k}", weights)

    def encode(self, pose_body: "Tensor") -> "Normal":
        """The latents that may be behind poses, a Normal of shape (B, L).

        Its scale is the encoder's own spread; exp(-6) where a file has the encoder's means alone.

        Args:
            pose_body: (B, 63) or (B, 21, 3) rotation vectors of joints 1..21, radians.
        """
        from torch.distributions import Normal

        R = exp_so3(pose_body.reshape(len(pose_body), N_POSE, 3))
        return Normal(*self._on_parameters().posterior(R))

    def decode(self, z: "Tensor") -> "dict[str, Tensor]":
        """Poses of latents z (B, L): `pose_body` (B, 21, 3) rotation vectors, `pose_body_matrot` (B, 21, 9)."""
        R = self._on_parameters().decode(z)
        return {"pose_body": log_so3(R), "pose_body_matrot": R.flatten(-2)}

    def forward(self, pose_body: "Tensor") -> "dict[str, Any]":
        """Encode poses (B, 63), draw a latent for each, decode it: as `decode`, with the Normal `q_z` beside it."""
        q_z = self.encode(pose_body)
        return self.decode(q_z.rsample()) | {"poZ_body_mean": q_z.mean, "poZ_body_std": q_z.scale, "q_z": q_z}

    def sample_poses(self, n: int, seed: int = 0) -> "dict[str, Tensor]":
        """n poses from the prior's density, as `decode`; the seed decides them, as it does `prior.sample`."""
        import torch

        z = torch.as_tensor(self._prior.sample(n, seed)).to(next(self.parameters()))
        with torch.no_grad():
            return self.decode(z)

    def log_density(self, z: "Tensor") -> "Tensor":
        """Log densities (B,), nats, of latents z (B, L)."""
        return self._prior.log_density(z)

    def _on_parameters(self) -> AutoEncoder:
        """The prior on this module's parameters, as they are now."""
        prior = copy(self._prior)
        for part in _NETWORKS:
            names = [(f"{part}_W{k}", f"{part}_b{k}") for k in range(self._counts[part])]
            layers = [(getattr(self, W), getattr(self, b)) for W, b in names]
            setattr(prior, part, Network(layers, getattr(self._prior, part).activation))
        return prior


def as_module(prior: AutoEncoder) -> PriorModule:
    """A prior as a torch.nn.Module with VPoser's methods; single precision on the CPU until `.to(...)` says otherwise.

    Args:
        prior: from `load_prior`.

    Raises:
        PriorError: it is none.
    """
    if not isinstance(prior, AutoEncoder):
        raise PriorError(f"a prior is a {type(prior).__name__}; expected what load_prior gives")
    return _with_torch()(prior)


@cache
def _with_torch() -> type[PriorModule]:
    from torch.nn import Module

    return cast(type[PriorModule], type("PriorModule", (PriorModule, Module), {"__doc__": PriorModule.__doc__}))
