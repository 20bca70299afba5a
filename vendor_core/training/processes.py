# SPDX-License-Identifier: Apache-2.0
"""Training by several processes that torchrun started: each computes its share of every batch.

All of them draw the chance of the whole batch, so what is learned from is what one process would learn from; the
gradients are averaged before each step.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import PriorError

if TYPE_CHECKING:
    from torch import Tensor

MOST = 8  # processes; beyond, the shares of a batch are too small
_SET_BY_TORCHRUN = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")


@dataclass(frozen=True)
class Share:
    """Which part of a batch is this process's: every `count`-th row from row `rank` on."""

    rank: int = 0
    count: int = 1

    def of(self, x: "Tensor") -> "Tensor":
        """This process's rows of a batch."""
        return x if self.count == 1 else x[self.rank :: self.count]

    def average(self, weights: "Sequence[Tensor]") -> None:
        """Put the mean of all processes' gradients in place of each one's own."""
        if self.count == 1:
            return
        import torch
        from torch import distributed

        grads = [weight.grad for weight in weights if weight.grad is not None]
        flat = torch.cat([grad.flatten() for grad in grads])
        distributed.all_reduce(flat)
        flat /= self.count
        for grad, mean in zip(grads, flat.split([grad.numel() for grad in grads]), strict=True):
            grad.copy_(mean.view_as(grad))

    def from_first(self, x: Any) -> Any:
        """What the first process has."""
        if self.count == 1:
            return x
        from torch import distributed

        box = [x]
        distributed.broadcast_object_list(box, src=0)
        return box[0]


ALONE = Share()


def is_first() -> bool:
    """Whether this process is alone, or the first of those that torchrun started."""
    return not _started_by_torchrun() or os.environ["RANK"] == "0"


def _started_by_torchrun() -> bool:
    return all(key in os.environ for key in _SET_BY_TORCHRUN)


@contextmanager
def joined_processes(device: str) -> Iterator[tuple[Share, str]]:
    """This process's share, and its device, of a group for as long as training lasts; alone without torchrun.

    Args:
        device: "cpu", "cuda" or "mps".

    Raises:
        PriorError: more processes than can share a batch.
    """
    count = int(os.environ["WORLD_SIZE"]) if _started_by_torchrun() else 1
    if count == 1:
        yield ALONE, device
        return
    if count > MOST:
        raise PriorError(f"{count} processes share the training; expected at most {MOST}: lower --nproc-per-node")
    import torch
    from torch import distributed

    if device == "cuda":
        device = f"cuda:{int(os.environ['LOCAL_RANK']) % torch.cuda.device_count()}"
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    try:
        yield Share(distributed.get_rank(), count), device
    finally:
        distributed.destroy_process_group()
