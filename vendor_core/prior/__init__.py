# SPDX-License-Identifier: Apache-2.0
"""Pose priors: what a plausible pose is, as a latent space."""

from functools import lru_cache
from pathlib import Path

from ..errors import PriorError
from .autoencoder import AutoEncoder
from .base import Prior
from .interpolate import continuous_quaternions, interpolate_poses, segment_counts
from .module import as_module
from .vae import VaePrior, read_vae
from .vposer import VPOSER_SUFFIXES, VPoserPrior, checkpoint_in, read_vposer

__all__ = [
    "VPOSER_SUFFIXES",
    "AutoEncoder",
    "Prior",
    "VPoserPrior",
    "VaePrior",
    "as_module",
    "continuous_quaternions",
    "interpolate_poses",
    "load_prior",
    "segment_counts",
]

_SHIPPED = {"vae": Path(__file__).parent / "weights" / "vae.npz"}


def load_prior(name_or_path: str | Path = "vae") -> AutoEncoder:
    """A prior by name ("vae", the shipped one) or from a file; a file is read once.

    Args:
        name_or_path: a name; an npz file written by `train`; or VPoser's weights: its folder, such as V02_05, or a
            .ckpt or .pt file of it.

    Raises:
        PriorError: no such prior or file, or the file is damaged or no prior; the message lists the names.
    """
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
    if path.suffix.lower() in VPOSER_SUFFIXES:
        return read_vposer(path, read_vae(_SHIPPED["vae"]))
    return read_vae(path)
