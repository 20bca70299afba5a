# SPDX-License-Identifier: Apache-2.0
"""The protocol that priors are judged by."""

from .coverage import CoverageSizes
from .data import EvaluationData, read_evaluation_data
from .denoising import DenoisingSizes
from .latency import LatencySizes
from .metrics import acceleration_error, auc, joint_error, mean_angle, p_mpjpe
from .paths import PathSizes
from .pictures import PictureSizes
from .protocol import BASELINES, ROWS, Sizes, evaluate
from .report_table import table_text

__all__ = [
    "BASELINES", "ROWS", "CoverageSizes", "DenoisingSizes", "EvaluationData", "LatencySizes", "PathSizes",
    "PictureSizes", "Sizes", "acceleration_error", "auc", "evaluate", "joint_error", "mean_angle", "p_mpjpe",
    "read_evaluation_data", "table_text",
]  # fmt: skip
