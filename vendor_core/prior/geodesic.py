# SPDX-License-Identifier: Apache-2.0
"""The path between two poses along which the skin moves least, among all that the prior decodes.

The straight latent line is bent by a few sines, `z(t) = z_line(t) + sum_k c_k sin(k pi t)`, and the energy, the sum of
the squared steps of the skin between even times, is lowered by Levenberg-Marquardt in the c_k: a geodesic of the metric
that the decoder pulls back from the skin (Arvanitidis et al., "Latent Space Oddity", ICLR 2018).
"""

import numpy as np

from ..body.kinematics import BODY_TREE
from ..body.patches import SkinPatches, joint_columns, joints_of
from ..linalg import gemm, one_blas_thread, solve_spd
from ..rotations import skew
from .segment_paths import LatentPath, sines

_BENDS = 4
_STEPS = 12  # of the path, where its energy is measured
_ITERATIONS = 4
_ENOUGH = 3e-3  # of the energy: an iteration that gains less is the last
_DAMPING = 1e-2


@one_blas_thread
def geodesic(path: LatentPath, skin: SkinPatches, rest: np.ndarray) -> LatentPath:
    """A path through the same keys of no more energy, and within about one percent of the least.

    Args:
        path: the straight one.
        skin: what moves.
        rest: rest joints (22, 3), metres.
    """
    t = np.linspace(0, 1, _STEPS + 1)
    phi = sines(t[1:-1], _BENDS)
    best = path.bent(np.zeros((_BENDS, path.prior.latent_dim)))
    X = features(best, t, skin, rest)
    least, damping, system = energy(X), _DAMPING, None
    for _ in range(_ITERATIONS):
        g, H = system = system or normal_equations(X, jacobian(best, t[1:-1], skin, rest), phi)
        stiff = np.diag(H)
        step, _ok = solve_spd(H + damping * np.diag(stiff + 1e-3 * stiff.max()), -g[:, None])
        trial = best.bent(best.bends + step.reshape(best.bends.shape))
        X_trial = features(trial, t, skin, rest)
        gained = least - energy(X_trial)
        if not gained > 0:  # NaN too
            damping *= 10
            continue
        best, X, least, damping, system = trial, X_trial, least - gained, damping / 10, None
        if gained < _ENOUGH * least:
            break
    return best


def energy(X: np.ndarray) -> float:
    """Sum of the squared steps of features X (T, 3 E)."""
    return float(np.sum(np.diff(X, axis=0) ** 2))


def features(path: LatentPath, t: np.ndarray, skin: SkinPatches, rest: np.ndarray) -> np.ndarray:
    """Features X (T, 3 E), whose squared steps are those of the skin."""
    X = gemm(skin.energy_root, joint_columns(*joints_of(path(t), rest)))
    return X.reshape(len(t), -1)


def jacobian(path: LatentPath, t: np.ndarray, skin: SkinPatches, rest: np.ndarray) -> np.ndarray:
    """Derivatives D (T, 3 E, L) of the features by the latents, in single precision: they only say where to go."""
    latents, residual, rest, root = (
        x.astype(np.float32) for x in (path.latents(t), path.residual(t), rest, skin.energy_root)
    )
    R, W = path.prior.decode_with_jacobian(latents)
    G, p = joints_of(R @ residual, rest)
    # Body-frame angular velocities, first after the residual's turn, then in the world, then summed from the root.
    turning = G[:, 1:] @ (np.swapaxes(residual, -1, -2) @ W)
    turning = np.concatenate([np.zeros_like(turning[:, :1]), turning], axis=1)  # (T, 22, 3, L), relative to the parent
    n, L = len(t), W.shape[-1]
    omega = BODY_TREE.sum_over_ancestors(turning.reshape(n, -1, 3 * L)).reshape(turning.shape)
    parents = BODY_TREE.parent_index
    moving = -skew(p - p[:, parents]) @ omega[:, parents]  # of each joint, relative to its parent
    velocity = BODY_TREE.sum_over_ancestors(moving.reshape(n, -1, 3 * L)).reshape(moving.shape)
    columns = -skew(np.swapaxes(G, -1, -2)) @ omega[:, :, None]  # (T, 22, 3 columns, 3, L)
    dS = np.concatenate([columns.reshape(n, -1, 3 * L), velocity.reshape(n, -1, 3 * L)], axis=1)
    return gemm(root, dS).reshape(n, -1, L)


def normal_equations(X: np.ndarray, D: np.ndarray, phi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gradient g (K L,) and Gauss-Newton Hessian H (K L, K L) of half the energy by the bends.

    Args:
        X: features (T, 3 E) at all times.
        D: (T - 2, 3 E, L) their derivatives between the ends, which stay.
        phi: (T - 2, K) the bends' sines there.
    """
    K, L = phi.shape[1], D.shape[2]
    D_t, phi = np.swapaxes(D, -1, -2), phi.astype(D.dtype)
    steps = np.diff(X, axis=0).astype(D.dtype)
    pull = (D_t @ (steps[:-1] - steps[1:])[..., None])[..., 0]  # (T - 2, L)
    own, next_ = gemm(D_t, D), gemm(D_t[:-1], D[1:])
    weights = [
        (2 * phi[:, :, None] * phi[:, None, :]).reshape(-1, K * K),
        (-phi[:-1, :, None] * phi[1:, None, :]).reshape(-1, K * K),
    ]
    half, cross = (
        gemm(w.T, blocks.reshape(len(blocks), -1)).reshape(K, K, L, L).transpose(0, 2, 1, 3).reshape(K * L, K * L)
        for w, blocks in zip(weights, (own, next_), strict=True)
    )
    return gemm(phi.T, pull).reshape(-1), half + cross + cross.T
