# SPDX-License-Identifier: Apache-2.0
"""Write markers as C3D with ezc3d, a program that is not ours: `python write_c3d.py MARKERS.npz TAKE.c3d`."""

import os
import sys

import ezc3d
import numpy as np


def main() -> None:
    """Millimetres, Z up; a marker that was not seen has the residual -1."""
    source, target = sys.argv[1:]
    with np.load(source, allow_pickle=False) as arrays:
        points, labels, rate = arrays["points"], arrays["labels"].tolist(), float(arrays["rate"])
    seen = np.isfinite(points).all(-1)
    take = ezc3d.c3d()
    take["parameters"]["POINT"]["RATE"]["value"] = [rate]
    take["parameters"]["POINT"]["UNITS"]["value"] = ["mm"]
    take["parameters"]["POINT"]["LABELS"]["value"] = labels
    columns = np.ones((4, points.shape[1], points.shape[0]))
    columns[:3] = 1e3 * np.transpose(points, (2, 1, 0))  # ezc3d takes NaN for a point that was not seen
    take["data"]["points"] = columns
    take["data"]["meta_points"]["residuals"] = np.where(seen, 0.0, -1.0).T[None]
    temporary = f"{target}.part.c3d"
    take.write(temporary)
    os.replace(temporary, target)


if __name__ == "__main__":
    main()
