"""What a name is answered with, for every state that the files behind it can be in."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topcook.errors import UnknownSchedulerError, UnknownTypeError
from topcook.factory import Factory, Kind, Origin, Record, State, Tier
from topcook.factory.names import close_names, explain, known, state_told

Drop = Callable[..., Path]
Scan = Callable[..., Factory]

NODE = """
import pdg
from pdg.processor import PyProcessor
class Wedgie(PyProcessor):
    def onGenerate(self, item_holder, upstream_items, generation_type):
        return pdg.result.Success
def registerTypes(r): r.registerNode(Wedgie, pdg.nodeType.Processor, name="{name}")
"""


def answer(factory: Factory, name: str) -> str:
    with pytest.raises(UnknownSchedulerError) as caught:
        factory.scheduler(name)
    assert caught.value.name == name
    return str(caught.value)


def test_a_broken_file_answers_with_its_reason_place_and_remedy(drop: Drop, scan: Scan) -> None:
    path = drop("farm.py", "import pdg\nimport lgging\ndef registerTypes(r): r.registerScheduler(1)\n")
    told = answer(scan(), "farm").splitlines()
    assert told[0] == 'scheduler "farm" cannot be used'
    assert told[1].strip().startswith("failed, because ")
    assert "lgging" in told[1]
    assert told[2].strip().startswith(f"{path}:2")
    assert 'did you mean "logging"?' in told[3]
    assert told[-1].strip() == "the whole story: topcook doctor farm"


def test_of_several_problems_the_first_is_told_and_the_others_are_counted(drop: Drop, scan: Scan) -> None:
    path = drop(
        "farm.py", "class Farm:\n  def onSchedul(self, w): ...\ndef registerTypes(r): r.registerScheduler(Farm)\n"
    )
    told = answer(scan(), "farm")
    assert "invalid, because" in told
    assert f"more problems: topcook check {path}" in told


def test_a_helper_says_that_it_is_none_and_what_would_make_it_one(drop: Drop, scan: Scan) -> None:
    drop("farm.py", "from pdg.scheduler import PyScheduler\nclass Farm(PyScheduler): pass\n")
    told = answer(scan(), "farm")
    assert "it has the class Farm but no registerTypes" in told
    assert "def registerTypes(type_registry)" in told


def test_a_helper_does_not_stand_in_the_way_of_another_file(drop: Drop, scan: Scan) -> None:
    drop("farm.py", "x = 1\n", folder="one")
    path = drop("farm.py", folder="two")
    assert scan("one", "two").scheduler("farm").origin.path == str(path)


@pytest.mark.parametrize(
    ("asked", "file", "label"),
    [("slrum", "slurm.py", "X"), ("Grid Engine", "sge.py", "Grid Engine"), ("gridengin", "sge.py", "GridEngine")],
)
def test_close_names_are_found_by_name_and_by_label(drop: Drop, scan: Scan, asked: str, file: str, label: str) -> None:
    path = drop(file, label=label)
    assert f'did you mean "{path.stem}"?' in answer(scan(), asked)


def test_a_close_name_is_found_by_the_file_it_stands_in(drop: Drop, scan: Scan) -> None:
    drop("deadline_v2.py", name="thinkboxscheduler", label="Thinkbox")
    assert 'did you mean "thinkboxscheduler"?' in answer(scan(), "deadlin_v2")


def test_a_close_name_that_is_broken_says_so_and_stands_behind_one_that_is_not(drop: Drop, scan: Scan) -> None:
    drop("farm1.py", "import no_such\ndef registerTypes(r): r.registerScheduler(1)\n")
    drop("farm2.py")
    assert 'did you mean "farm2", or "farm1" (failed)?' in answer(scan(), "farm3")


def test_where_was_looked_is_told_and_what_of_it_does_not_exist(drop: Drop, scan: Scan, tmp_path: Path) -> None:
    drop("x.py")
    lines = [line.strip() for line in answer(scan("types", "gone"), "qwertz").splitlines()]
    assert f"looked in {tmp_path / 'types'}" in lines
    assert f"looked in {tmp_path / 'gone'} (does not exist)" in lines
    assert "there are: x" in lines


def test_a_node_type_asked_for_as_a_scheduler_is_told_to_be_one(drop: Drop, scan: Scan) -> None:
    drop("wedgie.py", NODE.format(name="wedgie"))
    factory = scan()
    assert '"wedgie" is a node type, no scheduler' in answer(factory, "wedgie")
    with pytest.raises(UnknownTypeError, match='did you mean "wedgie"'):
        factory.node_type("wedgy")


def test_escape_sequences_of_a_file_do_not_reach_the_answer(drop: Drop, scan: Scan) -> None:
    drop("farm.py", "raise ValueError('\\x1b[2J')\ndef registerTypes(r): pass\n")
    assert r"\x1b[2J" in answer(scan(), "farm")
    assert "\x1b" not in answer(scan(), "farm\x1b[2J")


def record(name: str, state: State, reason: str = "", aliases: tuple[str, ...] = ()) -> Record:
    origin = Origin(Tier.PATH, os.path.join(os.sep, "types", f"{name}.py"))
    return Record(name, origin, state, Kind.SCHEDULER, reason=reason, aliases=aliases)


def test_a_disabled_one_and_one_that_is_not_probed_yet_say_so() -> None:
    disabled = record("old", State.DISABLED, "disabled: use slurm")
    waiting = record("new", State.NOT_PROBED, aliases=("newfarm",))
    told = explain(Kind.SCHEDULER, "old", [disabled], [], [])
    assert "disabled: use slurm" in told
    assert "disabled, because disabled" not in told
    told = explain(Kind.SCHEDULER, "newfarm", [waiting], [], [])
    assert "not probed" in told
    assert f"topcook check {waiting.origin.path}" in told


def test_a_shadowed_record_names_its_winner_once(drop: Drop, scan: Scan) -> None:
    drop("a.py", name="farm")
    drop("b.py", name="farm")
    winner, loser = known(Kind.SCHEDULER, "FARM", scan().records)
    assert state_told(loser) == f"shadowed by {winner.origin.path}"
    assert state_told(winner) == "ok"


def test_two_of_one_name_in_one_tier_are_warned_of_with_both_paths_and_across_tiers_are_not(
    drop: Drop, scan: Scan
) -> None:
    first, second = drop("a.py", name="farm"), drop("b.py", name="farm")
    drop("local.py", name="localscheduler")
    factory = scan(builtins=True)
    (problem,) = factory.problems
    assert problem.code == "duplicate-name"
    assert str(first) in problem.message
    assert str(second) in problem.message
    assert [each.origin.tier for each in factory.scheduler("local").shadows] == [Tier.BUILTIN]


@pytest.mark.parametrize(
    "text",
    [
        "class Farm:\n  x = 1\ndef registerTypes(r): r.registerScheduler(Farm, name='farm')\n",
        "import no_such\ndef registerTypes(r): r.registerScheduler(Farm, name='farm')\n",
    ],
    ids=["invalid", "failed"],
)
def test_a_broken_file_that_would_have_won_is_said(drop: Drop, scan: Scan, text: str) -> None:
    broken = drop("a.py", text)
    good = drop("b.py", name="farm")
    factory = scan()
    assert factory.scheduler("farm").origin.path == str(good)
    (problem,) = factory.problems
    assert problem.code == "broken-override"
    assert str(broken) in problem.message
    assert str(good) in problem.message


@settings(deadline=None)
@given(st.text(max_size=30), st.lists(st.text(max_size=20), max_size=6))
def test_every_name_is_answered(asked: str, names: list[str]) -> None:
    records = [record(each, state) for each, state in zip(names, State, strict=False)]
    told = explain(Kind.SCHEDULER, asked, records, names, ["/types"])
    assert told.isprintable() or "\n" in told
    assert len(close_names(Kind.SCHEDULER, asked, records)) <= 3
