# SPDX-License-Identifier: Apache-2.0
"""Judge priors by the protocol, beside baselines: `python evaluation.py [FOLDER [PRIOR...]]`.

FOLDER holds train.npz and test.npz, motion packs. Without it both are made from the shipped prior, and the tasks are
small: the figures tell little then.
"""

import sys
from pathlib import Path

import numpy as np

from vendor_core.body import default_body
from vendor_core.evaluation import (
    ROWS,
    EvaluationData,
    PathSizes,
    Sizes,
    evaluate,
    read_evaluation_data,
    table_text,
)
from vendor_core.prior import interpolate_poses, load_prior
from vendor_core.training import PoseSet


def made_data() -> EvaluationData:
    """600 poses to train on, 100 held out and a clip of two seconds."""
    prior, body = load_prior(), default_body()
    rest = body.joints_template[:22] - body.joints_template[0]

    def poses(n: int, seed: int) -> PoseSet:
        R = prior.decode(prior.sample(n, seed)).astype(np.float32)
        return PoseSet(np.broadcast_to(np.eye(3, dtype=np.float32), (n, 3, 3)), R, np.full(n, 1 / n), rest)

    clip = interpolate_poses(prior, prior.decode(prior.sample(3, seed=5)), [30, 30])
    clip = np.concatenate([np.broadcast_to(np.eye(3), (len(clip), 1, 3, 3)), clip], axis=1)
    return EvaluationData("test", poses(600, 1), poses(100, 2), (clip,), body)


if len(sys.argv) > 1:
    data, rows, sizes = read_evaluation_data(Path(sys.argv[1]), "test"), ROWS, Sizes()  # some minutes
else:
    data, rows = made_data(), ("reconstruction", "interpolation", "inverse", "implausible")
    sizes = Sizes(paths=PathSizes(12), inverse=12, implausible=100)
priors = {name: load_prior(name) for name in sys.argv[2:] or ["vae", "gan_s"]}
results = evaluate(priors, data, rows, sizes, lambda fraction, text: print(f"{fraction:4.0%} {text}", file=sys.stderr))
print(table_text(results))
