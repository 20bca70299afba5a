# SPDX-License-Identifier: Apache-2.0
"""Pose priors: what a plausible pose is, as a latent space."""

from functools import lru_cache
from os import PathLike
from pathlib import Path

from ..errors import PriorError
from ..npz import read_npz, text_of
from .autoencoder import AutoEncoder
from .base import Prior
from .checkpoint import read_checkpoint
from .draw import variations
from .gan import FORMAT as GAN_FORMAT
from .gan import GanPrior, gan_from, gan_of_authors
from .interpolate import Inbetweens, continuous_quaternions, inbetweens, interpolate_poses, segment_counts
from .module import PriorModule, as_module
from .plausibility import Plausibility, load_plausibility
from .repair import repair
from .state_dicts import GAN, StateDict
from .vae import VaePrior
from .vposer import VPOSER_SUFFIXES, VPoserPrior, checkpoint_in, vposer_from

__all__ = [
    "VPOSER_SUFFIXES",
    "AutoEncoder",
    "GanPrior",
    "Inbetweens",
    "Plausibility",
    "Prior",
    "PriorModule",
    "VPoserPrior",
    "VaePrior",
    "as_module",
    "continuous_quaternions",
    "inbetweens",
    "interpolate_poses",
    "load_plausibility",
    "load_prior",
    "repair",
    "segment_counts",
    "variations",
]

_SHIPPED = {name: Path(__file__).parent / "weights" / f"{name}.npz" for name in ("vae", "gan_s")}


def load_prior(name_or_path: str | Path = "vae") -> AutoEncoder:
    """A prior by name ("vae" or "gan_s", which are shipped) or from a file; a file is read once.

    Args:
        name_or_path: a name; an npz file written by `train`; or VPoser's weights: its folder, such as V02_05, or a
            .ckpt or .pt file of it.

    Raises:
        PriorError: no such prior or file, or the file is damaged or no prior; the message lists the names.
    """
    if not isinstance(name_or_path, str | PathLike):
        kind = type(name_or_path).__name__
        raise PriorError(f"a prior is named by a {kind}; expected one of: {', '.join(_SHIPPED)}; or a file")
    path = _SHIPPED.get(str(name_or_path), Path(name_or_path))
    try:
        path = checkpoint_in(path)
        stat = path.stat()
    except (OSError, ValueError):  # a name with a null byte is a ValueError
        if str(name_or_path) in _SHIPPED:
            raise PriorError(f"The file of the prior, {path}, is gone; install Poise again") from None
        names = ", ".join(_SHIPPED)
        raise PriorError(
            f'No prior or file is called "{name_or_path}". Expected one of: {names}; or an npz file, or a folder, '
            ".ckpt or .pt file of VPoser"
        ) from None
    return _read(path.resolve(), stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=4)
def _read(path: Path, _mtime_ns: int, _size: int) -> AutoEncoder:
    # Time and size are part of the key, so that a prior trained anew under the same name is read anew.
    if path.suffix.lower() not in VPOSER_SUFFIXES:
        arrays = read_npz(path, None, PriorError)
        if text_of(arrays.get("format")) == GAN_FORMAT:
            return gan_from(arrays, path.stem, _shipped())
        return VaePrior(arrays, path.stem)
    weights = StateDict(read_checkpoint(path))
    return (gan_of_authors if weights.kind == GAN else vposer_from)(weights, path.stem, _shipped())


def _shipped() -> VaePrior:
    """What lends an initialiser and a skeleton to priors that have none."""
    prior = load_prior()
    assert isinstance(prior, VaePrior)
    return prior
