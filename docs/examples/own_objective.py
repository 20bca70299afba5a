# SPDX-License-Identifier: Apache-2.0
"""An objective of your own, in two stages. Needs PyTorch."""

import torch

from vendor_core.body import default_body
from vendor_core.ik.reference import ReferenceStage, minimise
from vendor_core.ik.reference_objectives import PointsOnPrior
from vendor_core.prior import load_prior

body, prior = default_body().first_betas(10), load_prior()
targets = body.joints_template[None, :22] + 0.01
base = PointsOnPrior(body, prior, torch.as_tensor(targets, dtype=torch.float32), whole_mesh=False)


def objective(parameters, frames):  # the usual terms, and one more: the pelvis stays upright
    return base(parameters, frames) | {"upright": parameters["root"][:, [0, 2]].square().sum(-1)}


stages = [
    ReferenceStage({"points": 10.0, "latent": 1.0, "betas": 5.0, "upright": 1.0}, iterations=50),
    ReferenceStage({"points": 10.0, "latent": 0.01, "betas": 0.5, "upright": 0.1}),
]
result = minimise(objective, base.rest_start(), stages)
print(result.cost, result.evaluations, result.status)
