"""Whole cooks of graphs of every shape: order, each item once, what a failure holds up."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from topcook.testkit.cookbench import CookBench

LOCAL = """
[network]
name = "graph"
scheduler = "local"
[schedulers.local]
type = "localscheduler"
parms = { pdg_workingdir = "$HIP/work", maxprocsmenu = 1, maxprocs = 4 }
[nodes.graph]
type = "itemgraph"
parms.file = "items.jsonl"
"""


def write(folder: Path, rows: list[dict[str, Any]]) -> None:
    (folder / "items.jsonl").write_text("\n".join(json.dumps(row) for row in rows))


def test_processes_of_a_random_graph_run_once_each_after_what_they_wait_for(bench: CookBench) -> None:
    choose = random.Random(1)
    rows: list[dict[str, Any]] = [
        {
            "name": f"j{number}",
            "command": "true",
            "dependencies": sorted({f"j{choose.randrange(number)}" for _ in range(3)} if number else ()),
        }
        for number in range(2000)
    ]
    write(bench.folder, rows)
    done = bench.cook(LOCAL)
    assert done.outcome == "cooked", done.account
    assert Counter(item.attempt for item in done.items()) == {1: 2000}
    assert Counter(item.state.name for item in done.items()) == {"CookedSuccess": 2000}
    assert done.out_of_order() == []


@pytest.mark.parametrize("inprocess", [True, False])
def test_a_diamond_of_diamonds_runs_in_order(bench: CookBench, inprocess: bool) -> None:
    rows: list[dict[str, Any]] = [{"name": "top"}]
    for layer in range(30):
        above = "top" if layer == 0 else f"join{layer - 1}"
        rows += [{"name": f"{side}{layer}", "dependencies": [above]} for side in ("left", "right")]
        rows.append({"name": f"join{layer}", "dependencies": [f"left{layer}", f"right{layer}"]})
    write(bench.folder, [{**row, **({"inprocess": True} if inprocess else {"command": "true"})} for row in rows])
    done = bench.cook(LOCAL)
    assert done.outcome == "cooked", done.account
    assert done.out_of_order() == []
    assert len(done.items()) == 91


def test_a_chain_of_a_thousand_and_a_fan_of_five_thousand_cook(bench: CookBench) -> None:
    rows: list[dict[str, Any]] = [
        {"name": f"c{n}", "command": "true", "dependencies": [f"c{n - 1}"] if n else []} for n in range(1000)
    ]
    rows += [{"name": f"f{n}", "inprocess": True, "dependencies": ["c999"]} for n in range(5000)]
    rows.append({"name": "end", "command": "true", "dependencies": [f"f{n}" for n in range(5000)]})
    write(bench.folder, rows)
    done = bench.cook(LOCAL)
    assert done.outcome == "cooked", done.account
    assert done.out_of_order() == []
    assert {item.scheduler for item in done.items()} == {"local", "pdg_inprocessscheduler"}


def test_a_failing_item_blocks_exactly_its_dependents(bench: CookBench) -> None:
    write(
        bench.folder,
        [
            {"name": "good", "command": "true"},
            {"name": "bad", "command": "exit 3"},
            {"name": "after_bad", "command": "true", "dependencies": ["bad"]},
            {"name": "far_after_bad", "command": "true", "dependencies": ["after_bad", "good"]},
            {"name": "after_good", "command": "true", "dependencies": ["good"]},
            {"name": "inprocess_after_bad", "inprocess": True, "dependencies": ["bad"]},
        ],
    )
    done = bench.cook(LOCAL)
    assert done.outcome == "failed"
    assert done.states() == {
        "good": "CookedSuccess",
        "bad": "CookedFail",
        "after_bad": "Waiting",
        "far_after_bad": "Waiting",
        "after_good": "CookedSuccess",
        "inprocess_after_bad": "Waiting",
    }
    assert done.item("bad").ran().exit_status == 3
    assert done.item("after_bad").attempt == 0


def test_partitions_and_dynamic_items_gather_what_two_schedulers_made(bench: CookBench) -> None:
    done = bench.cook(
        """
        [network]
        name = "two"
        scheduler = "left"
        [schedulers.left]
        type = "localscheduler"
        parms = { maxprocsmenu = 1, maxprocs = 2 }
        [schedulers.right]
        type = "localscheduler"
        parms = { maxprocsmenu = 1, maxprocs = 2 }

        [nodes.make]
        type = "genericgenerator"
        parms.itemcount = 6
        parms.command = "echo @pdg_index > m@pdg_index.txt"
        parms.outputs = [{ path = "__PDG_DIR__/m@pdg_index.txt" }]

        [nodes.copy]
        type = "genericgenerator"
        inputs = ["make"]
        scheduler = "right"
        parms.command = "cp '@pdg_input' c@pdg_index.txt"
        parms.outputs = [{ path = "__PDG_DIR__/c@pdg_index.txt" }]

        [nodes.back]
        type = "genericgenerator"
        inputs = ["copy"]
        parms.command = "cp '@pdg_input' b@pdg_index.txt"
        parms.outputs = [{ path = "__PDG_DIR__/b@pdg_index.txt" }]

        [nodes.found]
        type = "filepattern"
        inputs = ["back"]
        parms.pattern = "__PDG_DIR__/b@pdg_index.txt"

        [nodes.all]
        type = "waitforall"
        inputs = ["found"]

        [nodes.sum]
        type = "genericgenerator"
        inputs = ["all"]
        scheduler = "right"
        parms.command = "cat b*.txt | sort > sum.txt"
        """
    )
    assert done.outcome == "cooked", done.account
    assert (bench.folder / "sum.txt").read_text().split() == [str(number) for number in range(6)]
    assert done.out_of_order() == []
    assert {item.scheduler for item in done.items("copy")} == {"right"}
    assert {item.scheduler for item in done.items("back")} == {"left"}


def test_a_node_without_items_is_no_mistake(bench: CookBench) -> None:
    done = bench.cook(
        """
        [network]
        name = "none"
        [nodes.none]
        type = "genericgenerator"
        parms = { itemcount = 0, command = "true" }
        [nodes.after]
        type = "genericgenerator"
        inputs = ["none"]
        parms.command = "true"
        [nodes.gather]
        type = "waitforall"
        inputs = ["after"]
        """
    )
    assert (done.outcome, done.messages) == ("cooked", "")
    assert done.items("after") == []


def test_an_item_without_a_command_succeeds_without_a_process(bench: CookBench) -> None:
    write(bench.folder, [{"name": "empty"}, {"name": "after", "command": "true", "dependencies": ["empty"]}])
    done = bench.cook(LOCAL)
    assert done.outcome == "cooked", done.account
    assert done.item("empty").ran().exit_status is None


@pytest.mark.parametrize("command", ["/nowhere/such-a-program --now", "no-such-program-at-all"])
def test_a_command_that_does_not_exist_fails_its_item_and_says_so(bench: CookBench, command: str) -> None:
    write(bench.folder, [{"name": "lost", "command": command}, {"name": "fine", "command": "true"}])
    done = bench.cook(LOCAL)
    assert done.outcome == "failed"
    assert done.states() == {"lost": "CookedFail", "fine": "CookedSuccess"}
    assert done.item("lost").ran().exit_status == 127
    assert command.split(maxsplit=1)[0] in done.why("lost")


def test_a_job_ended_by_a_signal_has_the_signal_as_its_exit_status(bench: CookBench) -> None:
    write(bench.folder, [{"name": "shot", "command": "kill -KILL $$"}])
    done = bench.cook(LOCAL)
    assert done.states() == {"shot": "CookedFail"}
    assert done.item("shot").ran().exit_status == -9
    assert "SIGKILL" in done.why("shot")


def test_a_job_that_prints_a_hundred_megabytes_has_them_in_its_log(bench: CookBench) -> None:
    write(bench.folder, [{"name": "loud", "command": "yes topcook | head -c 100000000"}])
    done = bench.cook(LOCAL)
    assert done.outcome == "cooked", done.account
    log = next((bench.folder / "work").glob(f"pdgtemp/*/logs/{done.item('loud').name}.log"))
    assert log.stat().st_size == 100_000_000


@pytest.mark.parametrize("place", ["file/below", "/proc/topcook"])
def test_a_working_directory_that_cannot_be_written_is_said_and_nothing_runs(bench: CookBench, place: str) -> None:
    (bench.folder / "file").write_text("in the way")
    write(bench.folder, [{"name": "one", "command": "true"}])
    done = bench.cook(LOCAL, parms=[("local", "pdg_workingdir", place)])
    assert done.outcome == "failed"
    assert done.states() == {"one": "Uncooked"}
    assert 'scheduler "local" cannot use the directory' in done.messages
    assert "--parm local.pdg_workingdir=DIR" in done.messages


def test_items_that_wait_for_items_of_a_failed_generation_are_not_waited_for(bench: CookBench) -> None:
    done = bench.cook(
        """
        [network]
        name = "late"
        [nodes.first]
        type = "genericgenerator"
        parms = { itemcount = 2, command = "true" }
        [nodes.broken]
        type = "pythonprocessor"
        inputs = ["first"]
        parms.pdg_workitemgeneration = "dynamic"
        parms.generate = "raise RuntimeError('not today')"
        [nodes.after]
        type = "genericgenerator"
        inputs = ["broken"]
        parms.command = "true"
        """
    )
    assert done.outcome == "failed"
    assert "not today" in done.messages
    assert [item.state.name for item in done.items("first")] == ["CookedSuccess"] * 2
