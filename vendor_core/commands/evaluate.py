# SPDX-License-Identifier: Apache-2.0
"""Priors judged on poses that none of them was trained on."""

from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import MotionError, PoiseError, PriorError
from ..prior import Prior, load_prior
from ..prior.plausibility import Plausibility, load_plausibility
from .shared import progress, say


def evaluate(options: Namespace) -> dict[str, Any]:
    """The protocol for each prior and for the baselines: a table, and a page of pictures where that is wanted."""
    from ..evaluation import protocol
    from ..evaluation.data import read_evaluation_data
    from ..evaluation.report import check_report, gallery, write_report
    from ..evaluation.report_table import table_text

    if unknown := [row for row in options.only if row not in protocol.ROWS]:
        raise PoiseError(f'"{unknown[0]}" is no row of the protocol; expected some of {", ".join(protocol.ROWS)}')
    if options.out is not None:
        check_report(options.out)
    priors, sizes = _named(options.prior), protocol.Sizes()
    critics = {own: critic for own, name in zip(priors, options.prior, strict=True) if (critic := _critic(name))}
    with progress("evaluate") as report:
        report(0.0, "reading motion")
        data = read_evaluation_data(*_folder_and_split(options.data, options.split), say)
        results = protocol.evaluate(priors, data, options.only or protocol.ROWS, sizes, report, critics)
    print(table_text(results), flush=True)  # first: it is what remains of long work where the page cannot be written
    if options.out is not None:
        write_report(options.out, results, gallery(priors, data, results, max(sizes.coverage.samples)), data)
    return results


def _folder_and_split(place: Path, split: str | None) -> tuple[Path, str]:
    """A pack stands for its folder and its split; of files, people are judged on whom `train` holds out by default.

    Raises:
        MotionError: it is the one that priors are trained on.
    """
    from ..evaluation.data import is_of_packs
    from ..training.people import SPLITS

    if place.is_file() and place.stem == "train":
        raise MotionError(f"{place} is what priors are trained on; expected its folder, test.npz or val.npz")
    if place.is_file():
        return place.parent, place.stem
    files = place.is_dir() and not is_of_packs(place)
    return place, split or (SPLITS[0] if files else "test")


def _named(names: list[str]) -> Mapping[str, Prior]:
    """Priors by their own names, or by those given where two, or a baseline, are called the same.

    Raises:
        PriorError: one cannot be read, or is given twice.
    """
    from ..evaluation.protocol import BASELINES

    priors = [load_prior(name) for name in names]
    own = [*(prior.name for prior in priors), *BASELINES]
    found = {
        prior.name if own.count(prior.name) == 1 else name: prior for name, prior in zip(names, priors, strict=True)
    }
    if len(found) < len(names):
        raise PriorError(f"{', '.join(names)}: a prior is given twice; expected each once")
    return found


def _critic(name: str) -> Plausibility | None:
    """The critic in a prior's own file: the shipped one is no merit of another prior."""
    try:
        shipped = load_plausibility()
    except PriorError:  # it has none
        return None
    found = load_plausibility(name)
    return found if found is not shipped or load_prior(name) is load_prior() else None
