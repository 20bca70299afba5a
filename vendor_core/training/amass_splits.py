# SPDX-License-Identifier: Apache-2.0
"""The data sets of AMASS by all names that their folders have, and the split that VPoser's authors published.

Mahmood et al., "AMASS: Archive of Motion Capture as Surface Shapes", ICCV 2019; the lists are those of the data page
and of the configuration V02_05 of VPoser (github.com/nghorbani/human_body_prior), which adds BMLmovi and DFaust to the
ones that the archive began with.
"""

import re

AMASS_SPLIT: dict[str, tuple[str, ...]] = {
    "train": (
        "CMU", "PosePrior", "TotalCapture", "EyesJapanDataset", "KIT", "BMLrub", "BMLmovi", "EKUT", "TCDHands", "ACCAD",
    ),
    "val": ("HumanEva", "HDM05", "SFU", "MoSh"),
    "test": ("Transitions", "SSM", "DFaust"),
}  # fmt: skip
"""The published split; "val" is called vald there."""

_OTHERS = ("BMLhandball", "CNRS", "DanceDB", "GRAB", "HUMAN4D", "MOYO", "SOMA", "WEIZMANN")  # joined later
_EARLIER = {  # names of folders in the first archives, or without what they begin or end with
    "mpilimits": "PosePrior", "mpihdm05": "HDM05", "mpimosh": "MoSh", "biomotionlabntroje": "BMLrub", "bml": "BMLrub",
    "tcdhandmocap": "TCDHands", "transitionsmocap": "Transitions", "ssmsynced": "SSM", "dfaust67": "DFaust",
    "eyesjapan": "EyesJapanDataset",
}  # fmt: skip
_NAMES = {name.lower(): name for names in (*AMASS_SPLIT.values(), _OTHERS) for name in names} | _EARLIER
_SPELLING = re.compile(r"[\W_]+")


def data_set(folder: str) -> str | None:
    """The present name of the data set of AMASS that a folder is called after, in any spelling; None for others."""
    return _NAMES.get(_SPELLING.sub("", folder).lower())


def published_part(name: str | None) -> str | None:
    """The part, train, val or test, where the published split has a data set; None where it has it nowhere."""
    return next((part for part, names in AMASS_SPLIT.items() if name in names), None)
