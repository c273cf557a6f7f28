"""What a few typed letters find."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topcook.cli.tab.match import CATEGORY, EXACT, INITIALS, LETTERS, WORD, fit


@pytest.mark.parametrize(
    ("typed", "label", "name", "kind"),
    [
        ("sch", "Local Scheduler", "localscheduler", WORD),
        ("LOC", "Local Scheduler", "localscheduler", WORD),
        ("ls", "Local Scheduler", "localscheduler", INITIALS),
        ("pba", "Partition by Attribute", "partitionbyattribute", INITIALS),
        ("lcl", "Local Scheduler", "localscheduler", LETTERS),
        ("localscheduler", "Local Scheduler", "localscheduler", EXACT),
        ("queue", "HQueue", "hq", WORD),
        ("hq", "HQueue", "queue", WORD),
        ("v2", "Farm v2", "farm", WORD),
        ("sched loc", "Local Scheduler", "localscheduler", WORD),
        ("my_f", "My Farm", "my_farm", WORD),
        ("農", "農場 Farm", "noujou", WORD),
        ("ferm", "Ferme à Calcul", "f", WORD),
    ],
)
def test_a_type_is_found(typed: str, label: str, name: str, kind: int) -> None:
    found = fit(typed, label, name)
    assert found is not None
    assert found.kind == kind


@pytest.mark.parametrize("typed", ["x", "rl", "local x", "scheduler q"])
def test_letters_that_are_not_there_or_in_another_order_find_nothing(typed: str) -> None:
    assert fit(typed, "Local Scheduler", "localscheduler") is None


def test_the_category_fits_last_and_only_by_the_beginning_of_its_words() -> None:
    found = fit("sch", "HQueue", "hqueue", "Schedulers")
    assert found is not None
    assert found.kind == CATEGORY
    assert fit("edul", "HQueue", "hqueue", "Schedulers") is None


def test_a_word_goes_before_initials_and_these_before_letters_in_order() -> None:
    labels = ["All Is Set", "Lazy Sun", "LSF", "Local Scheduler"]
    fits = {label: fit("ls", label, "x") for label in labels}
    order = sorted((label for label in labels if fits[label]), key=lambda label: fits[label] or (9, 9))
    assert order == ["LSF", "Lazy Sun", "Local Scheduler", "All Is Set"]


@given(st.text(max_size=12), st.text(max_size=30), st.text(max_size=30))
def test_any_text_is_taken(typed: str, label: str, name: str) -> None:
    found = fit(typed, label, name)
    assert found is None or found.kind < CATEGORY


@given(st.text("abc XY_1", min_size=1, max_size=12), st.data())
def test_letters_taken_in_order_from_a_label_always_find_it(label: str, data: st.DataObject) -> None:
    places = data.draw(st.sets(st.integers(0, len(label) - 1)))
    assert fit("".join(label[place] for place in sorted(places)).replace(" ", ""), label, "zzz") is not None
