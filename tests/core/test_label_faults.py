# SPDX-License-Identifier: Apache-2.0
"""Labels that nobody should write: repeated, empty, odd, prefixed by anything; mapped as far as they mean something."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendor_core.errors import LayoutError
from vendor_core.mocap.layout_table import LAYOUTS, synonyms
from vendor_core.mocap.layouts import map_labels

CMU = [label for label, _ in sorted(LAYOUTS["CMU41"].labels.items())]
odd = st.text(st.characters(codec="utf-8", exclude_categories=()), max_size=12) | st.sampled_from(
    ["", " ", "*", "*1", "#2", ":", "::", "LSHO:", ":LSHO", "LSHO#", "LSHO#0", "LSHO#2#3", "LSHO_1_1", "_", "__LSHO"]
)
wrap = st.sampled_from(
    ["{}", " {} ", "{}\t", "x:{}", "x:y:{}", "x_{}", "{}#2", "{}-1", "{}_3", "_{}_", "\u202e{}", "{}\x00"]
)


@given(st.lists(st.tuples(st.sampled_from(CMU), wrap) | odd, max_size=80), st.none() | odd)
def test_any_mixture_is_mapped_by_the_rules_or_refused_in_a_line(
    mixture: list[tuple[str, str] | str], subject: str | None
) -> None:
    labels = [part if isinstance(part, str) else part[1].format(part[0]) for part in mixture]
    try:
        found = map_labels(labels, subject=subject)
    except LayoutError as error:
        assert "\n" not in str(error) and "\r" not in str(error) and len(str(error)) < 600
        return
    assert set(found.columns) <= set(range(len(labels))) and set(found.columns.values()) <= set(synonyms().values())
    assert 0 < found.confidence <= 1 and all(label in "".join(labels) for label in found.unmapped)
    assert all("\n" not in note for note in found.notes)


@given(st.permutations(CMU), st.lists(odd, max_size=20))
def test_strange_labels_do_not_disturb_good_ones(labels: list[str], more: list[str]) -> None:
    found = map_labels([*labels, *more])
    assert found.subject == "" and found.layout == "CMU41" and found.confidence == 1.0
    assert [found.columns[i] for i in range(len(labels))] == [synonyms()[label] for label in labels]


@pytest.mark.parametrize("subject", ["", "Sam", "a:b", "täglich", "x" * 500, "Sam\nEve"])
def test_a_subject_may_be_called_anything(subject: str) -> None:
    prefix = f"{subject}:" if subject else ""
    labels = [*(f"{prefix}{label}" for label in CMU), *(f"Other:{label}" for label in CMU)]
    found = map_labels(labels, subject=subject)
    assert set(found.columns) == set(range(len(CMU))) and "\n" not in found.notes[0] and len(found.notes[0]) < 300
