# SPDX-License-Identifier: Apache-2.0
"""What a prior's file says of where it comes from: only what the motion itself says of its licence and makers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..npz import text_of

_CMU = "Trained on motion obtained from mocap.cs.cmu.edu; that database was created with funding from NSF EIA-0196217."
_FREE = {"CMU", "CC0-1.0"}  # licences of motion under which weights can be given away without any condition
_CC0_MAKERS = {
    "Mesh2Motion/": "CC0 animations of the Mesh2Motion project",
    "makehumancommunity/": "CC0 poses of the MakeHuman community",
}
_UNSTATED = "none stated; the terms of the motion that it was trained on apply"


@dataclass(frozen=True)
class Credits:
    """Where motion comes from.

    `origins` are the pairs of licence and source of the clips in motion packs, `own` the names of what says nothing of
    its licence: packs without such pairs, and folders of the user's.
    """

    origins: frozenset[tuple[str, str]]
    own: tuple[str, ...]

    def texts(self) -> dict[str, str]:
        """The `license` of weights trained on it, and the `attribution`."""
        licences = {licence for licence, _ in self.origins}
        told = [_CMU] if "CMU" in licences else []
        made = [words for start, words in _CC0_MAKERS.items() if self._has("CC0-1.0", start)]
        made += [f"motion under {licence}" for licence in sorted(licences - {"CMU", "CC0-1.0"})]
        if self._others_in_the_public_domain():
            made.append("other motion under CC0-1.0")
        if made:
            told.append(f"{'Also' if told else 'Trained'} on {' and '.join(made)}.")
        if self.own:
            told.append(f"Trained by the user on {', '.join(self.own)}.")
        return {
            "license": "CC0-1.0" if licences <= _FREE and not self.own else _UNSTATED,
            "attribution": " ".join(told),
        }

    def _has(self, licence: str, start: str) -> bool:
        return any(given == licence and source.startswith(start) for given, source in self.origins)

    def _others_in_the_public_domain(self) -> bool:
        return any(
            licence == "CC0-1.0" and not source.startswith(tuple(_CC0_MAKERS)) for licence, source in self.origins
        )


def credits_of(packs: Mapping[str, dict[str, np.ndarray]], own: Sequence[str]) -> Credits:
    """The credits of motion packs, by name, and of other motion, by name."""
    origins: set[tuple[str, str]] = set()
    silent: list[str] = []
    for name, pack in packs.items():
        said = [pack.get(key) for key in ("license", "source")]
        if any(texts is None or texts.dtype.kind not in "US" or texts.shape != pack["start"].shape for texts in said):
            silent.append(name)
        else:
            licences, sources = ([text_of(text) for text in texts.tolist()] for texts in said if texts is not None)
            origins |= set(zip(licences, sources, strict=True))
    if any(not licence.strip() for licence, _ in origins):
        silent.append("clips without a licence")
    return Credits(frozenset((licence, source) for licence, source in origins if licence.strip()), (*silent, *own))
