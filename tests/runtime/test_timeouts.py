"""What takes too long is ended, and has failed by time: jobs, jobs that ignore it, callbacks that block, silent jobs."""

from __future__ import annotations

import os
import textwrap
import time
from pathlib import Path

from topcook.runtime.observers import hookimpl
from topcook.testkit.cookbench import CookBench

WORK = """
    [network]
    name = "net"
    {head}
    [nodes.work]
    type = "genericgenerator"
    parms.command = \"\"\"{command}\"\"\"
    {more}
"""


def network(command: str, more: str, head: str = "") -> str:
    return textwrap.dedent(WORK).format(command=command, more=more, head=head)


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return state == "Z"


def test_a_job_that_takes_too_long_is_ended_and_has_failed(bench: CookBench) -> None:
    began = time.monotonic()
    done = bench.cook(network("sh -c 'echo $$ > pid; exec sleep 600'", "parms.pdg_timeout = 0.3"))
    assert time.monotonic() - began < 30
    (item,) = done.items()
    assert item.state.name == "CookedFail"
    assert item.ran().messages == ["timed out after 0.3 s"]
    assert gone(int((bench.folder / "pid").read_text()))


def test_a_job_that_ignores_being_asked_is_killed_after_its_grace(bench: CookBench) -> None:
    command = "sh -c 'trap : TERM; echo $$ > pid; while :; do sleep 0.1; done'"
    done = bench.cook(network(command, "parms.pdg_timeout = 0.3\nparms.pdg_timeoutgrace = 0.2"))
    (item,) = done.items()
    assert item.ran().messages == ["timed out after 0.3 s"]
    assert (item.ran().finished or 0) - (item.ran().started or 0) < 5
    assert gone(int((bench.folder / "pid").read_text()))


def test_a_job_that_ends_in_time_has_nothing_to_fear(bench: CookBench) -> None:
    done = bench.cook(network("true", "parms.pdg_timeout = 30"))
    assert done.outcome == "cooked"


def test_nothing_times_out_for_who_debugs(bench: CookBench) -> None:
    context = bench.load(network("sleep 0.4", "parms.pdg_timeout = 0.1"))
    context.core.debug = True
    assert bench.cook(context).outcome == "cooked"


def test_a_timed_out_item_is_tried_again(bench: CookBench) -> None:
    command = "sh -c 'echo x >> tries; test $(wc -l < tries) -ge 2 || exec sleep 600'"
    done = bench.cook(network(command, "parms.pdg_timeout = 0.5\nparms.pdg_retries = 1"))
    assert done.outcome == "cooked"
    (item,) = done.items()
    assert item.attempt == 2
    assert [each.messages for each in item.ran().attempts or ()] == [["timed out after 0.5 s"]]


def test_a_callback_that_blocks_on_the_job_is_ended_too(bench: CookBench) -> None:
    bench.types(
        "blocks",
        """
        import subprocess
        import pdg
        from pdg.scheduler import PyScheduler

        class Blocks(PyScheduler):
            @classmethod
            def templateName(cls):
                return "blocks"
            def onSchedule(self, work_item):
                self.onWorkItemStartCook(work_item.id, -1)
                status = subprocess.call(work_item.command, shell=True)
                return pdg.scheduleResult.CookFailed if status else pdg.scheduleResult.CookSucceeded

        def registerTypes(type_registry):
            type_registry.registerScheduler(Blocks)
        """,
    )
    done = bench.cook(network("exec sleep 600", "parms.pdg_timeout = 0.3", 'scheduler = "blocks"'))
    (item,) = done.items()
    assert item.state.name == "CookedFail"
    assert "timed out after 0.3 s" in item.ran().messages


def test_a_callback_that_blocks_is_ended_although_another_item_of_its_scheduler_took_too_long_since(
    bench: CookBench,
) -> None:
    bench.types(
        "mixed",
        """
        import subprocess
        import pdg
        from pdg.scheduler import PyScheduler

        class Mixed(PyScheduler):
            @classmethod
            def templateName(cls):
                return "mixed"
            def onSchedule(self, work_item):
                self.onWorkItemStartCook(work_item.id, -1)
                if work_item.node.name == "work":
                    subprocess.call(work_item.command, shell=True)
                return pdg.scheduleResult.Succeeded

        def registerTypes(type_registry):
            type_registry.registerScheduler(Mixed)
        """,
    )
    head = """
        scheduler = "mixed"
        [nodes.elsewhere]
        type = "genericgenerator"
        parms.command = "true"
        parms.pdg_timeout = 2.0
    """
    more = "parms.pdg_timeout = 0.5\nparms.pdg_timeoutgrace = 4.0"
    survived = bench.folder / "survived"
    command = f"trap : TERM; for i in $(seq 60); do sleep 1; done; touch {survived}"
    done = bench.cook(network(command, more, head))
    assert [item.state.name for item in done.items()] == ["CookedFail"] * 2
    assert all("timed out after" in item.ran().messages[0] for item in done.items())
    assert not survived.exists()


def test_a_job_that_stops_showing_that_it_is_alive_is_ended(bench: CookBench) -> None:
    alive = "__PDG_PYTHON__ __PDG_SCRIPTDIR__/pdgcmd.py keepalive"
    done = bench.cook(network(f"sh -c '{alive}; exec sleep 600'", "parms.pdg_heartbeattimeout = 0.5"))
    (item,) = done.items()
    assert item.state.name == "CookedFail"
    assert item.ran().messages == ["its job gave no sign of life for 0.5 s (pdg_heartbeattimeout)"]


def test_a_job_that_never_promised_to_show_itself_is_not_judged_by_that(bench: CookBench) -> None:
    done = bench.cook(network("sleep 0.5", "parms.pdg_heartbeattimeout = 0.1"))
    assert done.outcome == "cooked"


def busiest(items: list[tuple[float, float]]) -> int:
    edges = sorted([(start, 1) for start, _ in items] + [(end, -1) for _, end in items])
    most = now = 0
    for _, change in edges:
        now += change
        most = max(most, now)
    return most


def spans(done: object) -> list[tuple[float, float]]:
    runs = [item.ran() for item in done.items()]  # type: ignore[attr-defined]
    return [(run.started or 0.0, run.finished or 0.0) for run in runs]


RESOURCES = """
[resources]
"licence:nuke" = 2
[schedulers.local]
type = "localscheduler"
parms.maxprocsmenu = 1
parms.maxprocs = 8
"""


def test_no_more_licences_are_out_than_there_are(bench: CookBench) -> None:
    more = 'scheduler = "local"\nparms.itemcount = 6\nparms.pdg_resources = ["licence:nuke"]\n' + RESOURCES
    done = bench.cook(network("sleep 0.1", more))
    assert done.outcome == "cooked"
    assert busiest(spans(done)) <= 2


def test_no_more_slots_are_used_over_all_schedulers_than_allowed(bench: CookBench) -> None:
    done = bench.cook(network("sleep 0.1", "parms.itemcount = 6\nscheduler = 'local'\n" + RESOURCES, "slots = 3"))
    assert done.outcome == "cooked"
    assert busiest(spans(done)) <= 3


def test_items_of_an_item_graph_name_what_they_need(bench: CookBench) -> None:
    (bench.folder / "items.json").write_text('[{"name": "a", "command": "true", "resources": ["licence:nuk"]}]')
    text = '[nodes.work]\ntype = "itemgraph"\nparms.file = "items.json"\n' + RESOURCES
    done = bench.cook(text)
    assert done.outcome == "refused"
    (problem,) = done.cook.generation_problems
    assert 'there is no resource "licence:nuk"' in problem.message


class _Server:
    """A licence server that has none at first."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    @hookimpl
    def resource_count(self, name: str) -> int:
        self.asked.append(name)
        return 1


def test_who_knows_is_asked_how_many_there_are(bench: CookBench) -> None:
    server = _Server()
    more = 'scheduler = "local"\nparms.itemcount = 4\nparms.pdg_resources = ["licence:nuke"]\n' + RESOURCES
    context = bench.load(network("sleep 0.2", more))
    context.observe(server)
    done = bench.cook(context)
    assert done.outcome == "cooked"
    assert "licence:nuke" in server.asked
    assert done.cook.state.resources is not None
    assert done.cook.state.resources.total["licence:nuke"] == 1
