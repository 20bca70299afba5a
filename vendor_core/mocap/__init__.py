# SPDX-License-Identifier: Apache-2.0
"""Motion capture: takes of marker trajectories to motion."""

from .c3d import C3D
from .calibrate_takes import calibrate_takes
from .calibration_file import Calibration, read_calibration, write_calibration
from .layouts import LAYOUTS, LabelMap, Layout, map_markers, read_layout
from .marker_points import PlacedMarkers, SkinPlace, place_markers
from .solve_take import TakeOptions, TakeSolution, solve_take
from .takes import read_take, take_of_points

__all__ = [
    "C3D", "LAYOUTS", "Calibration", "LabelMap", "Layout", "PlacedMarkers", "SkinPlace", "TakeOptions", "TakeSolution",
    "calibrate_takes", "map_markers", "place_markers", "read_calibration", "read_layout", "read_take", "solve_take",
    "take_of_points", "write_calibration",
]  # fmt: skip
