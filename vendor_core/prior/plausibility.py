# SPDX-License-Identifier: Apache-2.0
"""How plausible a pose is, from 0 to 1, and which joints are to blame.

A critic, a small network, was trained to tell real poses from poses broken on purpose (`training.train_critic`). For
each joint, and for the pose as a whole, it answers with the log odds that it is out of place: noise-contrastive
estimation, whose optimum is `log p_noise / p_data` up to a constant (Gutmann and Hyvarinen, AISTATS 2010).

A score is what these odds mean among real poses of people who were not in training: **the share of real poses that
look no better**. So real poses spread evenly from 0 to 1, one real pose in twenty scores below 0.05, and a broken pose
scores near 0. A real but rare pose, of a kind that the data lack, scores low too.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np

from ..arrays import Array, Constant, namespace
from ..errors import PriorError
from ..npz import read_npz
from ..skeleton import N_POSE
from .checks import checked_poses
from .network import network_from, usable

_WEIGHTS = Path(__file__).parent / "weights" / "vae.npz"
_SHIPPED = _WEIGHTS.stem
_PREFIX = "critic_"
_CHUNK = 8192  # poses at a time: what the network's layers hold of a long motion
_POSE = N_POSE  # the column of the pose as a whole, after the joints


class Plausibility:
    """The critic and what its answers mean.

    The arrays are `critic_W0`, `critic_b0`, ..., from 189 rotation entries to 22 log odds, and the table
    `critic_odds` (22, K), rising, of the log odds at `critic_shares` (K,), falling: the share of real poses with at
    least these odds.
    """

    def __init__(self, arrays: Mapping[str, np.ndarray], name: str):
        """Check and take the critic's arrays of a prior file.

        Raises:
            PriorError: they are missing or do not fit each other.
        """
        if not all(usable(array) for key, array in arrays.items() if key.startswith(_PREFIX)):
            raise PriorError(
                f"{name}: the critic holds numbers that are not finite or far too large; get the file anew"
            )
        self._network = network_from(arrays, "critic", 9 * N_POSE, N_POSE + 1, name)
        odds, shares = (arrays.get(_PREFIX + key, np.zeros(0)).astype(np.float64) for key in ("odds", "shares"))
        if shares.ndim != 1 or len(shares) < 2 or odds.shape != (N_POSE + 1, len(shares)):
            raise PriorError(
                f"{name}: the critic's table has odds {odds.shape} and shares {shares.shape}; "
                f"expected ({N_POSE + 1}, K) and (K,)"
            )
        falls = (np.diff(shares) < 0).all() and shares[-1] > 0 and shares[0] < 1
        if not falls or not (np.diff(odds) > 0).all():
            raise PriorError(f"{name}: the critic's odds do not rise as its shares fall; get the file anew")
        # A broken line as a sum of ramps: f(x) = f_0 + s_0 (x - x_0) + sum_k (s_k - s_k-1) max(x - x_k, 0).
        heights = np.log(shares / (1 - shares))
        slopes = np.diff(heights) / np.diff(odds)
        self._first, self._height = Constant(odds[:, 0]), float(heights[0])
        self._slope, self._corners = Constant(slopes[:, 0]), Constant(odds[:, 1:-1])
        self._bends = Constant(np.diff(slopes))

    def log_odds(self, R: Array) -> Array:
        """Log odds (..., 22) that each joint, and last the pose as a whole, is out of place.

        Args:
            R: local rotations (..., 21, 3, 3) of joints 1..21 of `skeleton.BODY_JOINTS`, NumPy or torch.
        """
        R = checked_poses(R)
        xp, x = namespace(R), namespace(R).reshape(R, (-1, 9 * N_POSE))
        parts = [self._network(x[i : i + _CHUNK]) for i in range(0, max(x.shape[0], 1), _CHUNK)]
        y = parts[0] if len(parts) == 1 else xp.concat(parts)
        return xp.reshape(odds_of_outputs(y), (*R.shape[:-3], N_POSE + 1))

    def scores(self, R: Array) -> tuple[Array, Array]:
        """The plausibility (...) of poses R (..., 21, 3, 3), 0 to 1, and that of each joint (..., 21)."""
        shares = self.shares(self.log_odds(R))
        return shares[..., _POSE], shares[..., :_POSE]

    def score(self, R: Array) -> Array:
        """The plausibility (...), 0 to 1, of poses R (..., 21, 3, 3).

        Differentiable in torch; an objective had better take the last of `log_odds`, which stays steep where this is 0.
        """
        return self.scores(R)[0]

    def joint_scores(self, R: Array) -> Array:
        """The plausibility (..., 21), 0 to 1, of each joint of poses R (..., 21, 3, 3), given the others."""
        return self.scores(R)[1]

    def shares(self, x: Array) -> Array:
        """Shares (..., 22), 0 to 1, of real poses that have at least the log odds x (..., 22)."""
        xp = namespace(x)
        line = self._height + self._slope.like(x) * (x - self._first.like(x))
        ramps = xp.clip(x[..., None] - self._corners.like(x), 0, None)
        logit = line + xp.sum(self._bends.like(x) * ramps, axis=-1)
        return 0.5 + 0.5 * xp.tanh(0.5 * logit)


def odds_of_outputs(y: Array) -> Array:
    """Log odds (..., 22) of the critic's outputs y (..., 22): the pose's own are averaged with its worst joint's.

    The network's answer for the whole pose knows what no single joint shows, the worst joint what is plainly broken.
    """
    xp = namespace(y)
    worst = xp.max(y[..., :_POSE], axis=-1)
    return xp.concat([y[..., :_POSE], 0.5 * (y[..., _POSE] + worst)[..., None]], axis=-1)


def load_plausibility(name_or_path: str | Path = "vae") -> Plausibility:
    """The critic of a prior's file, as `load_prior` takes it; the shipped one where the prior has none.

    Raises:
        PriorError: there is no such prior or file, it is damaged, or its critic does not fit.
    """
    path = _WEIGHTS.parent / f"{name_or_path}.npz"  # of a shipped prior
    if not path.is_file() and not (path := Path(name_or_path)).exists() and str(name_or_path) != _SHIPPED:
        raise PriorError(f'No prior or file is called "{name_or_path}". Expected "{_SHIPPED}" or a prior\'s file')
    if path.suffix == ".npz" and path.is_file():
        found = _read_once(path)
        if found is not None:
            return found
    shipped = _read_once(_WEIGHTS)
    if shipped is None:
        raise PriorError(f"{_WEIGHTS.name} has no critic; train a prior with `train` and name its file")
    return shipped


def _read_once(path: Path) -> Plausibility | None:
    try:
        stat = path.stat()
    except OSError:
        raise PriorError(f"The file of the critic, {path}, is gone; install Poise again") from None
    return _read(path.resolve(), stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=4)
def _read(path: Path, _mtime_ns: int, _size: int) -> Plausibility | None:
    """The critic of an npz file, None where it has none; time and size are part of the key: see `load_prior`."""
    arrays = read_npz(path, None, PriorError)
    if not any(key.startswith(_PREFIX) for key in arrays):
        return None
    return Plausibility(arrays, path.stem)
