# SPDX-License-Identifier: Apache-2.0
"""Real poses broken on purpose, in the ways in which poses break, on torch tensors.

Some joints turned, all joints turned a little, limbs taken from another pose or from the other side, knees and elbows
bent backwards. No family is what people never do: what a critic learns is how often each happens beside real poses.
"""

from dataclasses import dataclass
from math import radians
from typing import TYPE_CHECKING

from ..motion.mirror import MIRROR_SIGNS
from ..rotations import exp_so3
from ..skeleton import BODY_JOINTS, JOINT_GROUPS, MIRROR, N_BODY, N_POSE

if TYPE_CHECKING:
    from torch import Generator, Tensor

_SHARES = (0.65, 0.2, 0.05, 0.1)  # of the families: turned joints, all joints, limbs, hinges
_ONE, _MOST = 0.7, 5  # share of the turned poses in which it is one joint, and the most joints
_TURN = (radians(15), radians(120))
_SLIGHT = (radians(3), radians(25))
_BACKWARDS = (radians(10), radians(50))
_MIRRORED, _SINGLE = 0.2, 0.2  # shares of limbs from the own other side, and of single joints instead of limbs
_FLEXION = {  # axes about which they bend
    "left_knee": (1.0, 0.0, 0.0), "right_knee": (1.0, 0.0, 0.0),
    "left_elbow": (0.0, -0.89, 0.46), "right_elbow": (0.0, 0.89, -0.46),
}  # fmt: skip


@dataclass
class Corruption:
    """Draws broken poses.

    Args:
        draw: source of all chance.
        like: dtype and device of the poses.
    """

    draw: "Generator"
    like: dict

    def __post_init__(self) -> None:
        import torch

        device = self.like["device"]
        groups = [[BODY_JOINTS.index(name) for name in names] for names in JOINT_GROUPS.values()]
        self.limbs = torch.tensor([[j in group for j in range(1, N_BODY)] for group in groups], device=device)
        self.hinges = torch.tensor([BODY_JOINTS.index(name) - 1 for name in _FLEXION], device=device)
        self.flexion = torch.tensor(list(_FLEXION.values()), **self.like)
        self.opposite = torch.tensor([MIRROR[j] - 1 for j in range(1, N_BODY)], device=device)
        self.signs = torch.as_tensor(MIRROR_SIGNS, **self.like)
        self.shares = torch.cumsum(torch.tensor(_SHARES[:-1], **self.like), 0)

    def __call__(self, R: "Tensor") -> "tuple[Tensor, Tensor]":
        """Broken poses (B, 21, 3, 3) of real ones R (B, 21, 3, 3), and which joints are out of place (B, 21)."""
        import torch

        families = [self._turned(R), self._all_turned(R), self._exchanged(R), self._backwards(R)]
        which, row = torch.bucketize(self.uniform(len(R)), self.shares), torch.arange(len(R), device=R.device)
        return tuple(torch.stack(parts)[which, row] for parts in zip(*families, strict=True))  # type: ignore[return-value]

    def shaken(self, R: "Tensor", degrees: float) -> "Tensor":
        """Real poses with measuring noise: each joint turned by a random vector, up to `degrees` long as a rule."""
        spread = radians(degrees) * self.uniform(len(R), 1, 1)
        return R @ exp_so3(0.6 * spread * self.normal(len(R), N_POSE, 3))

    def _turned(self, R: "Tensor") -> "tuple[Tensor, Tensor]":
        n = len(R)
        several = 1 + (_MOST * self.uniform(n)).long().clamp(max=_MOST - 1)
        count = several.where(self.uniform(n) > _ONE, several.new_ones(()))
        rank = self.uniform(n, N_POSE).argsort(1).argsort(1)
        joints = rank < count[:, None]
        angle = self._between(_TURN, n, N_POSE, 1) * joints[..., None]
        return R @ exp_so3(angle * self._directions(n)), joints

    def _all_turned(self, R: "Tensor") -> "tuple[Tensor, Tensor]":
        """All joints by one angle, or by angles around one."""
        n = len(R)
        varied = 0.6 * self.normal(n, N_POSE, 1).abs()
        angle = self._between(_SLIGHT, n, 1, 1) * varied.where(self.uniform(n, 1, 1) < 0.5, varied.new_ones(()))
        return R @ exp_so3(angle * self._directions(n)), R.new_ones(n, N_POSE, dtype=bool)  # type: ignore[call-overload]

    def _exchanged(self, R: "Tensor") -> "tuple[Tensor, Tensor]":
        import torch

        n = len(R)
        other = R[torch.randperm(n, generator=self.draw, device=R.device)]
        mirrored = R[:, self.opposite] * self.signs
        limb = self.limbs[(len(self.limbs) * self.uniform(n)).long()]
        case = self.uniform(n)[:, None]
        joints = limb.where(case < 1 - _SINGLE, self.uniform(n, N_POSE) < 0.3)
        source = mirrored.where((case < _MIRRORED)[..., None, None], other)
        return source.where(joints[..., None, None], R), joints

    def _backwards(self, R: "Tensor") -> "tuple[Tensor, Tensor]":
        import torch

        n = len(R)
        which = (len(self.hinges) * self.uniform(n)).long()
        joints = torch.zeros(n, N_POSE, dtype=torch.bool, device=R.device)
        joints[torch.arange(n, device=R.device), self.hinges[which]] = True
        bent = exp_so3(-self._between(_BACKWARDS, n, 1) * self.flexion[which])
        return bent[:, None].where(joints[..., None, None], R), joints

    def _between(self, ends: tuple[float, float], *shape: int) -> "Tensor":
        return ends[0] + (ends[1] - ends[0]) * self.uniform(*shape)

    def _directions(self, n: int) -> "Tensor":
        v = self.normal(n, N_POSE, 3)
        return v / v.norm(dim=-1, keepdim=True).clamp(min=1e-6)

    def uniform(self, *shape: int) -> "Tensor":
        import torch

        return torch.rand(shape, generator=self.draw, **self.like)

    def normal(self, *shape: int) -> "Tensor":
        import torch

        return torch.randn(shape, generator=self.draw, **self.like)
