# SPDX-License-Identifier: Apache-2.0
"""Your own VPoser weights, here and in the solver: `python vposer.py V02_05`; without them, the shipped prior."""

import sys

import numpy as np

from vendor_core.body import default_body
from vendor_core.ik import fit_joints
from vendor_core.prior import load_prior

prior = load_prior(sys.argv[1] if len(sys.argv) > 1 else "vae")
print(f"{prior.name}: {prior.latent_dim} latents, {prior.about['format']}, {prior.about['license']}")

R = prior.decode(prior.sample(3, seed=0))  # the same calls for every prior
mean, deviation = prior.posterior(R)
print(f"latents {mean.shape}, the posterior's standard deviation {deviation.mean():.3f} on average")

body = default_body()
joints = body.pose(np.concatenate([np.broadcast_to(np.eye(3), (3, 1, 3, 3)), R], axis=1)).joints[:, :22]
miss = fit_joints(body, prior, body.joint_names[:22], joints).residual
print(f"22 joints fitted within {1e3 * miss.mean():.2f} mm on average")
