# SPDX-License-Identifier: Apache-2.0
"""Pose priors: what a plausible pose is, as a latent space."""

from functools import lru_cache
from pathlib import Path

from ..errors import PriorError
from .base import Prior
from .interpolate import continuous_quaternions, interpolate_poses, segment_counts
from .vae import VaePrior, read_vae

__all__ = ["Prior", "VaePrior", "continuous_quaternions", "interpolate_poses", "load_prior", "segment_counts"]

_SHIPPED = {"vae": Path(__file__).parent / "weights" / "vae.npz"}


def load_prior(name_or_path: str | Path = "vae") -> VaePrior:
    """The prior of a name ("vae", the shipped one) or of a file written by `train`; a file is read once.

    Raises:
        PriorError: no such prior or file, or the file is damaged or no prior; the message lists the names.
    """
    path = _SHIPPED.get(str(name_or_path), Path(name_or_path))
    try:
        stat = path.stat()
    except (OSError, ValueError):  # a name with a null byte is a ValueError
        names = ", ".join(_SHIPPED)
        raise PriorError(
            f'No prior or file is called "{name_or_path}". Expected one of: {names}; or an npz file'
        ) from None
    return _read(path.resolve(), stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=4)
def _read(path: Path, _mtime_ns: int, _size: int) -> VaePrior:
    # Time and size are part of the key, so that a prior trained anew under the same name is read anew.
    return read_vae(path)
