"""``[profiles.NAME]``: the same network, cooked elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from topcook.errors import GraphFileError
from topcook.runtime.profiles import profile_rows
from topcook.testkit.cookbench import CookBench

NETWORK = """
    [network]
    name = "net"
    scheduler = "near"
    [schedulers.near]
    type = "localscheduler"
    [schedulers.far]
    type = "localscheduler"
    parms.local_single = 0
    [schedulers.other]
    type = "localscheduler"
    [nodes.a]
    type = "genericgenerator"
    parms.command = "true"
    [nodes.b]
    type = "genericgenerator"
    scheduler = "near"
    inputs = ["a"]
    parms.command = "true"
    [nodes.c]
    type = "genericgenerator"
    inputs = ["b"]
    job_parms.local_single = 0
    parms.command = "true"
    [profiles.farm]
    scheduler = "far"
    overrides = { c = "other" }
    parms = { "far.maxprocsmenu" = 1, "far.maxprocs" = 3, "a.itemcount" = 2 }
    job_parms.c = { local_CPUs_to_use = 2, local_single = 1 }
    [profiles.plain]
    """


def schedulers(bench: CookBench, **options: Any) -> list[str]:
    core = bench.load(NETWORK, **options).core
    return [core.scheduler_name_for(core.network.nodes[name]) for name in "abc"]


def test_without_a_profile_nothing_of_it_holds(bench: CookBench) -> None:
    assert schedulers(bench) == ["near", "near", "near"]


def test_a_profile_gives_another_scheduler_and_nodes_theirs(bench: CookBench) -> None:
    # Of its own, b has asked for near: as with --scheduler, that stands.
    assert schedulers(bench, profile="farm") == ["far", "near", "other"]


def test_the_command_line_goes_before_the_profile(bench: CookBench) -> None:
    assert schedulers(bench, profile="farm", scheduler="other") == ["other", "near", "other"]
    assert schedulers(bench, profile="farm", overrides={"c": "near", "b": "far"}) == ["far", "far", "near"]


def test_a_profile_sets_parms_of_nodes_and_schedulers_and_job_parms(bench: CookBench) -> None:
    context = bench.load(NETWORK, profile="farm", parms=[("far", "maxprocs", 7)], job_parms=[("c", "local_single", 0)])
    network = context.core.network
    assert [network.schedulers["far"].parms.get(name).at() for name in ("maxprocsmenu", "maxprocs")] == [1, 7]  # type: ignore[union-attr]
    assert network.nodes["c"].job_parms == {"local_CPUs_to_use": 2, "local_single": 0}
    done = bench.cook(context)
    assert (done.outcome, len(done.items("a"))) == ("cooked", 2)
    assert {item.scheduler for item in done.items("c")} == {"other"}


@pytest.mark.parametrize(
    ("change", "code", "words", "line"),
    [
        ('scheduler = "far"\n    overrides', "unknown-scheduler", 'unknown scheduler "fra"', 26),
        ('{ c = "other" }', "unknown-node", 'there is no node "d"', 27),
        ('"a.itemcount" = 2', "unknown-parm", "itemcont", 28),
    ],
)
def test_a_mistake_in_a_profile_is_told_at_its_place_when_it_is_used(
    change: str, code: str, words: str, line: int, bench: CookBench
) -> None:
    wrong = change.replace('"far"', '"fra"').replace("{ c =", "{ d =").replace("itemcount", "itemcont")
    text = NETWORK.replace(change, wrong)
    bench.load(text)
    with pytest.raises(GraphFileError) as caught:
        bench.load(text, profile="farm")
    (problem,) = caught.value.problems
    assert (problem.code, problem.line) == (code, line)
    assert words in problem.message


def test_an_unknown_profile_is_answered_with_the_closest(bench: CookBench) -> None:
    with pytest.raises(GraphFileError) as caught:
        bench.load(NETWORK, profile="frm")
    (problem,) = caught.value.problems
    assert (problem.code, problem.message) == ("unknown-profile", '--profile: there is no profile "frm"')
    assert problem.hint == "did you mean farm?"


def test_keys_of_a_profile_may_be_dotted_or_tables() -> None:
    values = {"a.b": 1, "n": {"x": 2}, "d.o.t": {"y": 3}, "d.o.t.z": 4, "gone": {"w": 5}, "bare": 6}
    rows = [(row.path, row.owner, row.parm, row.value) for row in profile_rows(values, {"a", "n", "d.o.t"})]
    assert rows == [
        (("a.b",), "a", "b", 1),
        (("n", "x"), "n", "x", 2),
        (("d.o.t", "y"), "d.o.t", "y", 3),
        (("d.o.t.z",), "d.o.t", "z", 4),
        (("gone", "w"), "gone", "w", 5),
        (("bare",), "", "bare", 6),
    ]


def test_a_parm_of_nobody_is_a_mistake(bench: CookBench) -> None:
    with pytest.raises(GraphFileError) as caught:
        bench.load(NETWORK.replace('"a.itemcount" = 2', "itemcount = 2"), profile="farm")
    (problem,) = caught.value.problems
    assert (problem.message, problem.line) == ('"itemcount" does not say of which node or scheduler', 28)
    assert problem.hint == 'write "OWNER.itemcount", for example "a.itemcount"'
    with pytest.raises(GraphFileError):
        bench.load(NETWORK.replace('"a.itemcount" = 2', '"z.itemcount" = 2'), profile="farm")
