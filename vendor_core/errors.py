# SPDX-License-Identifier: Apache-2.0
"""What can go wrong with a user's input, each as one line that says found, expected and what to do."""


class PoiseError(Exception):
    """Base of every error that is the input's fault, not the program's.

    The message is one line, fit for a report in Blender's status bar or for standard error:
    what was found, what was expected, what to do.
    """


class BodyError(PoiseError):
    """A body model file cannot be read or is no SMPL, SMPL-H or SMPL-X body."""


class PriorError(PoiseError):
    """A file of prior weights cannot be read or does not fit."""


class MotionError(PoiseError):
    """A motion, pose or joints file cannot be read or has wrong shapes."""


class C3DError(PoiseError):
    """A C3D file cannot be read."""


class LayoutError(PoiseError):
    """Marker labels do not fit a known layout."""


class SubjectError(PoiseError):
    """A subject's calibration cannot be read, or is of another body."""


class TargetError(PoiseError):
    """Targets given to the solver are unusable: wrong shapes, unknown joints, nothing visible."""


class Cancelled(PoiseError):
    """The user cancelled the job."""
