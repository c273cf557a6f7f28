"""Cooks from the command line: real files, real processes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from topcook.model import graphfile

SCHEMA = json.loads((Path(graphfile.__file__).parents[1] / "schemas" / "report.schema.json").read_text("utf-8"))
ByName = Callable[[dict[str, Any]], dict[str, dict[str, Any]]]
PYTHON = f'"{sys.executable}"'

ONE = """
[nodes.one]
type = "genericgenerator"
[nodes.one.parms]
command = "%s"
"""


def test_a_cook_ends_well_names_what_it_made_and_writes_a_report(shell: Any, by_name: ByName) -> None:
    network = shell.network("""
        [nodes.gen]
        type = "genericgenerator"
        [nodes.gen.parms]
        itemcount = 3
        command = "sh -c 'echo @pdg_index > __PDG_DIR__/@pdg_name.txt'"
        outputs = [ { path = "__PDG_DIR__/@pdg_name.txt", tag = "file/text" } ]
        [nodes.all]
        type = "waitforall"
        inputs = ["gen"]
        [nodes.sum]
        type = "genericgenerator"
        inputs = ["all"]
        [nodes.sum.parms]
        command = "sh -c 'cat __PDG_DIR__/gen_*.txt > __PDG_DIR__/sum.txt'"
        outputs = [ { path = "__PDG_DIR__/sum.txt", tag = "file/text" } ]
        """)
    done = shell.run("cook", network, "--report", "report.json")
    assert "cooked: 5 items" in done.stdout
    assert "work/sum.txt" in done.stdout
    assert (shell.folder / "work" / "sum.txt").read_text() == "0\n1\n2\n"
    report = shell.report()
    jsonschema.validate(report, SCHEMA)
    assert report["state"] == "cooked"
    assert report["counts"] == {"CookedSuccess": 5}
    items = by_name(report)
    last = items["sum_5"]
    assert [output["path"] for output in last["outputs"]] == [str(shell.folder / "work" / "sum.txt")]
    assert last["outputs"][0]["tag"] == "file/text"
    assert last["exit_status"] == 0
    assert last["attempts"] == 1
    assert last["log_uri"].startswith("file:///")
    assert last["dependencies"] == [items["all_4"]["id"]]
    # Nothing starts before what it waits for has ended.
    assert all(items[f"gen_{n}"]["finished"] <= last["started"] for n in (1, 2, 3))
    scheduler = report["schedulers"]["local"]
    assert scheduler["type"] == "localscheduler"
    assert scheduler["origin"].endswith("localscheduler.py")
    assert len(scheduler["version"]) >= 16


def test_a_failing_item_blocks_exactly_its_dependents(shell: Any, by_name: ByName) -> None:
    network = shell.network("""
        [nodes.gen]
        type = "genericgenerator"
        [nodes.gen.parms]
        itemcount = 3
        command = "sh -c 'echo it is @pdg_index; test @pdg_index != 1 || { echo the dam broke >&2; exit 3; }'"
        [nodes.after]
        type = "genericgenerator"
        inputs = ["gen"]
        [nodes.after.parms]
        command = "true"
        [nodes.all]
        type = "waitforall"
        inputs = ["after"]
        """)
    done = shell.run("cook", network, "--report", "report.json", status=1)
    report = shell.report()
    jsonschema.validate(report, SCHEMA)
    items = by_name(report)
    states = {name: item["state"] for name, item in items.items()}
    assert states == {
        "gen_1": "CookedSuccess",
        "gen_2": "CookedFail",
        "gen_3": "CookedSuccess",
        "after_4": "CookedSuccess",
        "after_5": "Waiting",
        "after_6": "CookedSuccess",
        "all_7": "Waiting",
    }
    assert items["gen_2"]["exit_status"] == 3
    assert items["gen_2"]["messages"] == ["exit status 3"]
    assert items["after_5"]["blocked_by"] == items["all_7"]["blocked_by"] == [2]
    assert items["after_5"]["started"] is None
    assert items["after_4"]["blocked_by"] == []
    # The summary says why, shows the log's end and where it is, and what it held up.
    assert "gen_2: exit status 3" in done.stdout
    assert "| the dam broke" in done.stdout
    assert "log: work/pdgtemp/" in done.stdout
    assert "blocks 2 items" in done.stdout
    assert "failed: 4 of 7 items cooked, 1 failed, 2 blocked" in done.stdout


def test_a_signal_is_told_by_its_name(shell: Any) -> None:
    network = shell.network(ONE % "sh -c 'kill -SEGV $$'")
    done = shell.run("cook", network, "--report", "report.json", status=1)
    assert "SIGSEGV" in done.stdout
    assert shell.report()["items"][0]["exit_status"] == -11


def test_a_command_that_does_not_exist_fails_its_item_alone(shell: Any) -> None:
    network = shell.network(ONE % "nosuchprogram --fast")
    done = shell.run("cook", network, "--report", "report.json", status=1)
    assert 'cannot start "nosuchprogram"' in done.stdout
    assert shell.report()["items"][0]["exit_status"] == 127


def test_a_job_that_prints_a_hundred_megabytes_cooks(shell: Any) -> None:
    network = shell.network(ONE % "sh -c 'head -c 100000000 /dev/zero'")
    report = shell.cook(network)
    log = Path(report["items"][0]["log_uri"].removeprefix("file://"))
    assert log.stat().st_size >= 1_000_000


def test_an_item_without_a_command_and_a_node_without_items_cook(shell: Any) -> None:
    network = shell.network("""
        [nodes.none]
        type = "filepattern"
        [nodes.none.parms]
        pattern = "$HIP/nothing-here/*.exr"
        [nodes.silent]
        type = "genericgenerator"
        [nodes.silent.parms]
        command = ""
        [nodes.end]
        type = "merge"
        inputs = ["none", "silent"]
        """)
    assert shell.cook(network)["state"] == "cooked"


def test_a_working_directory_that_cannot_be_made_is_a_clear_end(shell: Any) -> None:
    shell.write("occupied", "a file where a directory should be")
    network = shell.network(ONE % "true")
    done = shell.run("cook", network, "--parm", "local.pdg_workingdir=$HIP/occupied/w", "--report", "r.json", status=1)
    assert 'scheduler "local" cannot use the directory' in done.stderr
    assert "--parm local.pdg_workingdir=DIR" in done.stderr
    assert json.loads((shell.folder / "r.json").read_text())["state"] == "failed"


@pytest.mark.parametrize("way", ["plain", "off", "json"])
def test_every_kind_of_progress_leaves_the_same_report(shell: Any, way: str) -> None:
    network = shell.network(ONE % "true")
    assert shell.cook(network, "--progress", way)["counts"] == {"CookedSuccess": 1}


def test_json_lines_tell_every_step_of_every_item(shell: Any) -> None:
    network = shell.network(ONE % "sh -c 'exit 4'")
    done = shell.run("cook", network, "--progress", "json", status=1)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["event"] for event in events[:1] + events[-1:]] == ["start", "end"]
    steps = [(event["from"], event["state"]) for event in events if event["event"] == "item"]
    assert steps == [("Waiting", "Scheduled"), ("Scheduled", "Cooking"), ("Cooking", "CookedFail")]
    final = next(event for event in events if event.get("state") == "CookedFail")
    assert final["exit_status"] == 4
    assert final["scheduler"] == "local"
    assert events[-1]["state"] == "failed"
    assert events[-1]["counts"] == {"CookedFail": 1}
    assert "failed: 0 of 1 item cooked" in done.stderr


def test_plain_progress_goes_to_standard_error_without_colours(shell: Any) -> None:
    done = shell.run("cook", shell.network(ONE % "true"))
    assert "1/1  one_1 cooked in" in done.stderr
    assert "\x1b" not in done.stderr + done.stdout


def test_a_report_can_go_to_standard_output(shell: Any) -> None:
    done = shell.run("cook", shell.network(ONE % "true"), "--report", "-")
    jsonschema.validate(json.loads(done.stdout), SCHEMA)
    assert "cooked: 1 item" in done.stderr


def test_a_report_that_could_not_be_written_is_refused_before_the_cook(shell: Any) -> None:
    network = shell.network(ONE % "touch $HIP/ran")
    done = shell.run("cook", network, "--report", "no/such/folder/r.json", status=2)
    assert "there is no directory" in done.stderr
    assert not (shell.folder / "ran").exists()
    shell.run("cook", network, "--report", "-", "--progress", "json", status=2)


def test_talkative_cooks_show_what_logs_say(shell: Any) -> None:
    done = shell.run("cook", shell.network(ONE % "echo all is calm"), "-v")
    assert "| all is calm" in done.stderr
    assert "one_1 started on local" in done.stderr


def test_only_the_nodes_that_were_asked_for_are_cooked(shell: Any) -> None:
    network = shell.network("""
        [nodes.a]
        type = "genericgenerator"
        [nodes.a.parms]
        command = "touch $HIP/a"
        [nodes.b]
        type = "genericgenerator"
        inputs = ["a"]
        [nodes.b.parms]
        command = "touch $HIP/b"
        """)
    shell.run("cook", network, "--node", "a")
    assert (shell.folder / "a").exists()
    assert not (shell.folder / "b").exists()
    done = shell.run("cook", network, "--node", "c", status=2)
    assert 'there is no node "c"' in done.stderr


def test_values_on_the_command_line_take_the_type_of_their_parm(shell: Any, by_name: ByName) -> None:
    network = shell.network("""
        [nodes.gen]
        type = "genericgenerator"
        [nodes.gen.parms]
        command = "true"
        """)
    settings = ["--parm", "gen.itemcount=3", "--parm", "gen.command=12", "--job-parm", "gen.local_CPUs_to_use=2"]
    done = shell.run("cook", network, *settings, "--dry-run")
    assert done.stdout.count("$ 12") == 3
    wrong = shell.run("cook", network, "--parm", "gen.itemcount=many", status=2)
    assert "--parm gen.itemcount" in wrong.stderr
    assert "an integer" in wrong.stderr
    shell.run("cook", network, "--parm", "itemcount=3", status=2)
    shell.run("cook", network, "--job-parm", "gen.maxprocs=2", status=2)
    del by_name


CIRCLE = """
[nodes.a]
type = "pythonprocessor"
[nodes.a.parms]
pdg_command = "true"
generate = '''
import pdg
item_holder.addWorkItem(index=0, batch=True, batchOffset=0, batchSize=2, batchActivation=pdg.batchActivation.All)
item_holder.addWorkItem(index=5)
'''
addinternaldependencies = '''
first, second = next(each for each in internal_items if each.isBatch).batchItems
other = next(each for each in internal_items if each.index == 5)
dependency_holder.addDependency(other, first)
dependency_holder.addDependency(second, other)
'''
"""


def test_what_blocks_items_when_nothing_failed_is_told_once(shell: Any) -> None:
    """A batch that waits for what waits for it."""
    done = shell.run("cook", shell.network(CIRCLE), "--progress", "off", status=1)
    assert done.stdout.count("blocked: it waits for itself: ") == 1
    assert "0 of 4 items cooked, 4 blocked" in done.stdout
