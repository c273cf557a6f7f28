"""Which scheduler cooks an item: every rank of the order, in-process items, implicit instances, job parms."""

from __future__ import annotations

from typing import Any

import pytest

from topcook.errors import GraphFileError
from topcook.testkit.cookbench import CookBench

TYPES = """
import pdg
from pdg.scheduler import PyScheduler


class Quick(PyScheduler):
    accepts = False

    def onStart(self):
        self.setAcceptInProcess(self.accepts)
        return True

    def onSchedule(self, work_item):
        return pdg.scheduleResult.CookSucceeded


class Accepting(Quick):
    accepts = True


def registerTypes(type_registry):
    for name in ("quick", "swift", "rapid", "fast", "brisk"):
        type_registry.registerScheduler(Quick, name=name)
    type_registry.registerScheduler(Accepting, name="accepting")
"""
NETWORK = """
[network]
name = "net"
NETWORK
[schedulers.swift_one]
type = "swift"
[schedulers.fast]
type = "quick"
[nodes.work]
type = "pythonprocessor"
NODE
parms.generate = "item = item_holder.addWorkItem(INPROCESS); ITEM"
"""
BY_ITEM = "item.setStringAttrib('pdg_scheduler', 'brisk')"


@pytest.mark.parametrize(
    ("network", "node", "item", "options", "chosen"),
    [
        ("", "", "", {}, "pdg_localscheduler"),
        ('scheduler = "quick"', "", "", {}, "pdg_quick"),
        ('scheduler = "swift_one"', "", "", {}, "swift_one"),
        ('scheduler = "quick"', "", "", {"scheduler": "swift_one"}, "swift_one"),
        ('scheduler = "quick"', 'scheduler = "rapid"', "", {"scheduler": "swift"}, "pdg_rapid"),
        ('scheduler = "quick"', 'scheduler = "rapid"', "", {"overrides": {"work": "swift"}}, "pdg_swift"),
        ('scheduler = "quick"', 'scheduler = "rapid"', BY_ITEM, {"overrides": {"work": "swift"}}, "pdg_brisk"),
        # "fast" is a type, too: the instance of that name, of another type, comes first.
        ("", 'scheduler = "fast"', "", {}, "fast"),
    ],
)
def test_the_strongest_name_wins_and_an_instance_beats_a_type(
    bench: CookBench, network: str, node: str, item: str, options: dict[str, object], chosen: str
) -> None:
    bench.types("types", TYPES)
    text = NETWORK.replace("NETWORK", network).replace("NODE", node).replace("ITEM", item or "pass")
    done = bench.cook(text.replace("INPROCESS", ""), **options)
    assert done.outcome == "cooked", done.account
    assert [each.scheduler for each in done.items()] == [chosen]


@pytest.mark.parametrize(
    ("node", "item", "chosen"),
    [
        ('scheduler = "quick"', "", "pdg_inprocessscheduler"),
        ('scheduler = "accepting"', "", "pdg_accepting"),
        ("", "item.setStringAttrib('pdg_scheduler', 'accepting')", "pdg_accepting"),
        ("", BY_ITEM, "pdg_inprocessscheduler"),
    ],
)
def test_in_process_items_go_where_they_are_accepted(bench: CookBench, node: str, item: str, chosen: str) -> None:
    bench.types("types", TYPES)
    text = NETWORK.replace("NETWORK", "").replace("NODE", node).replace("ITEM", item or "pass")
    done = bench.cook(text.replace("INPROCESS", "inProcess=True"))
    assert done.outcome == "cooked", done.account
    assert [each.scheduler for each in done.items()] == [chosen]


def test_the_networks_own_in_process_scheduler_takes_in_process_items(bench: CookBench) -> None:
    done = bench.cook(
        """
        [network]
        name = "net"
        inprocess_scheduler = "one_at_a_time"
        [schedulers.one_at_a_time]
        type = "inprocessscheduler"
        parms.maxthreads = 1
        [nodes.work]
        type = "pythonscript"
        parms.script = "pass"
        """
    )
    assert done.outcome == "cooked", done.account
    assert [each.scheduler for each in done.items()] == ["one_at_a_time"]


def test_an_instance_that_happens_to_have_an_implicit_name_is_not_taken_for_the_type(bench: CookBench) -> None:
    bench.types("types", TYPES)
    done = bench.cook(
        """
        [network]
        name = "net"
        [schedulers.pdg_quick]
        type = "swift"
        [nodes.work]
        type = "genericgenerator"
        scheduler = "quick"
        parms.command = "true"
        """
    )
    assert done.outcome == "cooked", done.account
    chosen = done.items()[0].scheduler
    assert (chosen, done.context.core.network.schedulers[chosen].type_name) == ("pdg_quick2", "quick")


def test_an_instance_added_later_is_chosen_over_the_type_of_its_name(bench: CookBench) -> None:
    bench.types("types", TYPES)
    context = bench.load('[network]\nname = "n"\nscheduler = "rapid"\n[nodes.a]\ntype = "genericgenerator"\n')
    assert context.core.scheduler_name_for(context.core.network.nodes["a"]) == "pdg_rapid"
    context.addScheduler("quick", "rapid")
    assert context.core.scheduler_name_for(context.core.network.nodes["a"]) == "rapid"


@pytest.mark.parametrize("options", [{"scheduler": "qick"}, {"overrides": {"work": "qick"}}])
def test_a_mistyped_scheduler_is_told_with_the_close_names(bench: CookBench, options: dict[str, object]) -> None:
    bench.types("types", TYPES)
    text = NETWORK.replace("NETWORK", "").replace("NODE", "").replace("ITEM", "pass").replace("INPROCESS", "")
    with pytest.raises(GraphFileError, match=r"(?s)qick.*quick"):
        bench.load(text, **options)


def test_an_unknown_scheduler_named_by_an_item_refuses_the_cook(bench: CookBench) -> None:
    text = NETWORK.replace("NETWORK", "").replace("NODE", "").replace("INPROCESS", "")
    text = text.replace('type = "swift"', 'type = "localscheduler"').replace(
        'type = "quick"', 'type = "localscheduler"'
    )
    done = bench.cook(text.replace("ITEM", BY_ITEM))
    assert done.outcome == "refused"
    assert "brisk" in "\n".join(map(str, done.cook.generation_problems))


def test_job_parms_override_the_schedulers_parms_for_their_node(bench: CookBench) -> None:
    done = bench.cook(
        """
        [network]
        name = "net"
        scheduler = "local"
        [schedulers.local]
        type = "localscheduler"
        parms.local_envmulti = 1
        parms.local_envname1 = "WHO"
        parms.local_envvalue1 = "everybody"
        [nodes.one]
        type = "genericgenerator"
        parms.command = "echo $WHO > one.txt"
        [nodes.two]
        type = "genericgenerator"
        parms.command = "echo $WHO > two.txt"
        job_parms.local_envvalue1 = "two alone"
        """,
        job_parms=[("one", "local_envvalue1", "the command line")],
    )
    assert done.outcome == "cooked", done.account
    assert (bench.folder / "one.txt").read_text() == "the command line\n"
    assert (bench.folder / "two.txt").read_text() == "two alone\n"


JOB_PARMS = """
[network]
name = "net"
scheduler = "local"
[schedulers.local]
type = "localscheduler"
[schedulers.other]
type = "quick"
[nodes.one]
type = "genericgenerator"
parms.command = "true"
job_parms.PARM = true
"""


@pytest.mark.parametrize("chosen", [{"overrides": {"one": "other"}}, {"scheduler": "other"}])
def test_a_job_parm_rests_while_the_command_line_gives_its_node_to_another_scheduler(
    bench: CookBench, chosen: dict[str, Any]
) -> None:
    bench.types("types", TYPES)
    done = bench.cook(JOB_PARMS.replace("PARM", "local_single"), **chosen)
    assert done.outcome == "cooked", done.account
    with pytest.raises(GraphFileError, match="nonesuch"):
        bench.load(JOB_PARMS.replace("PARM", "nonesuch"), **chosen)


def test_a_job_parm_that_is_typed_must_fit_the_scheduler_that_cooks(bench: CookBench) -> None:
    bench.types("types", TYPES)
    with pytest.raises(GraphFileError, match="local_single"):
        bench.load(
            JOB_PARMS.replace("PARM", "local_single"),
            overrides={"one": "other"},
            job_parms=[("one", "local_single", "1")],
        )
