# SPDX-License-Identifier: Apache-2.0
"""A person's shape and markers from takes, kept for other takes."""

from argparse import Namespace
from typing import Any

from ..job_params import body_of
from ..mocap.calibrate_takes import calibrate_takes
from ..mocap.calibration_file import write_calibration
from ..mocap.takes import read_take
from ..prior import load_prior
from .shared import progress


def calibrate(options: Namespace) -> dict[str, Any]:
    """One or several takes of one person to a file for `solve --subject`."""
    body, prior = body_of(options.body), load_prior(options.prior)
    takes = [(path.name, read_take(path)) for path in options.takes]
    with progress(options.out.name) as report:
        found = calibrate_takes(takes, body, prior, options.layout, report)
    write_calibration(options.out, found)
    print(f"{options.out}: {len(found.betas)} betas and {len(found.offsets)} markers from {len(takes)} takes")
    return found.as_dict()
