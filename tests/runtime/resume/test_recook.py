"""A network is cooked again: what is as it was counts as done, and what is not says why."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from tests.networks import LOCAL, makes
from topcook.cli.ending import summary_lines
from topcook.runtime.resume import Settings
from topcook.runtime.resume.verdicts import Verdict
from topcook.testkit.recookbench import RecookBench, Recooked

NETWORK = (
    LOCAL
    + """
[nodes.wedge]
type = "wedge"
[nodes.wedge.parms]
wedgecount = 3
wedgemode = "zip"
wedgeattributes = [ { name = "color", type = "string", values = ["red", "green", "blue"] } ]
"""
    + makes("make", "sh -c 'echo @color >> $HIP/ran; echo @color > $HIP/@color.txt'", "$HIP/@color.txt", of="wedge")
    + makes("copy", "cp @pdg_input $HIP/@color.copy", "$HIP/@color.copy", of="make")
    + """
[nodes.all]
type = "waitforall"
inputs = ["copy"]
"""
    + makes("sum", "sh -c 'cat $HIP/*.copy > $HIP/sum'", "$HIP/sum", of="all")
)


@pytest.fixture
def again(tmp_path: Path) -> RecookBench:
    return RecookBench(tmp_path)


def test_what_is_as_it_was_is_not_cooked_again(again: RecookBench) -> None:
    first = again.cook(NETWORK)
    second = again.cook(NETWORK)
    assert (first.outcome, second.outcome) == ("cooked", "cooked")
    assert Counter(first.states().values()) == {"CookedSuccess": 11}
    assert Counter(second.states().values()) == {"CookedCache": 11}
    assert again.read("ran").split() == ["red", "green", "blue"]
    assert [file.path for file in second.items("sum")[0].outputs or ()] == [str(again.folder / "sum")]


def test_the_summary_says_how_many_items_were_cached(again: RecookBench) -> None:
    first = again.cook(NETWORK)
    assert "cached" not in "".join(summary_lines(first.cook, interrupted=False))
    second = again.cook(NETWORK)
    assert "11 items (all cached) in" in "".join(summary_lines(second.cook, interrupted=False))
    third = again.cook(NETWORK.replace('"green"', '"grey"'))
    assert "11 items (6 cached) in" in "".join(summary_lines(third.cook, interrupted=False))


def test_no_scheduler_is_started_when_all_is_done(again: RecookBench) -> None:
    again.cook(NETWORK)
    assert [each.stage for each in again.cook(NETWORK).cook.state.schedulers.values()] == ["idle"]


@pytest.mark.parametrize(
    ("edit", "cooked", "why"),
    [
        (lambda text: text.replace('"green"', '"grey"'), {"make": 1, "copy": 1, "sum": 1}, "command changed: "),
        (lambda text: text.replace("cp @pdg_input", "cp -p @pdg_input"), {"copy": 3, "sum": 1}, "command changed: "),
        (
            lambda text: text.replace("wedgecount = 3", "wedgecount = 2").replace(', "blue"', ""),
            {"make": 2, "copy": 2, "sum": 1},
            "attributes changed: ",
        ),
    ],
)
def test_what_is_edited_cooks_again_with_what_depends_on_it(
    again: RecookBench, edit: Callable[[str], str], cooked: dict[str, int], why: str
) -> None:
    again.cook(NETWORK)
    second = again.cook(edit(NETWORK))
    assert second.outcome == "cooked"
    assert second.cooked_again() == cooked
    assert any(reason.startswith(why) for reason in second.reasons().values())


@pytest.mark.parametrize(
    "line",
    [
        "pdg_retries = 2",
        "pdg_timeout = 60",
        'pdg_resources = "licence"',
        "pdg_onfailure = 'continue'",
        "priority = 7",
        "slots = 2",
    ],
)
def test_how_an_item_is_tried_and_what_room_it_gets_makes_nobody_cook_again(again: RecookBench, line: str) -> None:
    again.cook(NETWORK)
    network = NETWORK.replace("[nodes.make.parms]", f"[nodes.make.parms]\n    {line}")
    assert again.cook(network + "    [resources]\n    licence = 1\n").cooked_again() == {}


def test_limits_of_a_job_make_nobody_cook_again_and_its_environment_does(again: RecookBench) -> None:
    again.cook(NETWORK)
    limited = NETWORK.replace("[nodes.make.parms]", 'job_parms.local_memory = "2G"\n    [nodes.make.parms]')
    assert again.cook(limited).cooked_again() == {}
    other = NETWORK.replace("[nodes.make.parms]", 'job_parms.local_envunset = "HOME"\n    [nodes.make.parms]')
    assert again.cook(other).cooked_again() == {"make": 3, "copy": 3, "sum": 1}


@pytest.mark.parametrize("value", ["0", "1"])
def test_outputs_are_not_looked_for_where_the_scheduler_says_so(again: RecookBench, value: str) -> None:
    network = NETWORK.replace("[nodes.wedge]", f"pdg_validateoutputs = {value}\n    [nodes.wedge]")
    again.cook(network)
    (again.folder / "sum").unlink()
    assert again.cook(network).cooked_again() == ({"sum": 1} if value == "1" else {})


def test_each_item_says_why_it_cooks_again(again: RecookBench) -> None:
    again.cook(NETWORK)
    second = again.cook(NETWORK.replace("@pdg_input $HIP/@color", "@pdg_input $HIP/./@color"))
    reasons = second.reasons()
    assert reasons["sum.0"] == f'depends on "{second.items("copy")[0].name}", which cooks again'
    folder = again.folder
    told = f"info: sum: {second.items('sum')[0].name} cooks again: {reasons['sum.0']}"
    assert told in second.messages
    # Of long commands only what differs is told.
    told = reasons["copy.2"].replace(f"cp {folder}/blue.txt ", "")
    assert told == f"command changed: {folder}/blue.copy -> {folder}/./blue.copy"


def test_a_missing_output_makes_its_item_cook_again(again: RecookBench) -> None:
    again.cook(NETWORK)
    (again.folder / "green.copy").unlink()
    second = again.cook(NETWORK)
    assert second.cooked_again() == {"copy": 1, "sum": 1}
    assert second.reasons()["copy.1"] == f'output "{again.folder}/green.copy" is missing'


def test_a_file_that_was_touched_counts_as_changed_by_time_and_not_by_content(again: RecookBench) -> None:
    again.cook(NETWORK)
    os.utime(again.folder / "green.txt")
    assert again.cook(NETWORK).cooked_again() == {"copy": 1, "sum": 1}
    by_content = Settings(files="hash")
    again.cook(NETWORK, by_content)
    os.utime(again.folder / "green.txt")
    assert again.cook(NETWORK, by_content).cooked_again() == {}
    (again.folder / "green.txt").write_text("other\n")
    third = again.cook(NETWORK, by_content)
    assert third.cooked_again() == {"copy": 1, "sum": 1}
    assert third.reasons()["copy.1"] == f'input "{third.items("make")[1].name}" changed'


FOUND = (
    LOCAL
    + """
[nodes.found]
type = "filepattern"
[nodes.found.parms]
pattern = "$HIP/*.txt"
"""
    + makes(
        "copy",
        "cp @pdg_input $HIP/@filename.copy",
        "$HIP/@filename.copy",
        of="found",
        settings='files = ["$HIP/tools/one", "tools/two"]',
    )
)


def test_what_a_pattern_finds_counts_as_changed_as_other_files_do(again: RecookBench) -> None:
    (again.folder / "tools").mkdir()
    for name in ("red.txt", "green.txt", "tools/one", "tools/two"):
        (again.folder / name).write_text(name)
    by_content = Settings(files="hash")
    again.cook(FOUND, by_content)
    os.utime(again.folder / "red.txt", (1, 1))
    assert again.cook(FOUND, by_content).cooked_again() == {}
    (again.folder / "red.txt").write_text("txt.red")
    third = again.cook(FOUND, by_content)
    assert list(third.reasons().values()) == [f'input "{third.items("found")[1].name}" changed']
    again.cook(FOUND)
    os.utime(again.folder / "red.txt", (1, 1))
    assert again.cook(FOUND).cooked_again() == {"copy": 1}


@pytest.mark.parametrize("name", ["one", "two"])
def test_a_file_that_a_node_declares_is_found_from_the_folder_of_the_network(again: RecookBench, name: str) -> None:
    (again.folder / "red.txt").touch()
    (again.folder / "tools").mkdir()
    for each in ("one", "two"):
        (again.folder / "tools" / each).write_text("1")
    again.cook(FOUND)
    assert again.cook(FOUND).cooked_again() == {}
    (again.folder / "tools" / name).write_text("2, and longer")
    edited = again.cook(FOUND)
    assert list(edited.reasons().values()) == ["file dependencies of its node changed"]


def test_without_a_cache_all_is_cooked(again: RecookBench) -> None:
    again.cook(NETWORK)
    assert again.cook(NETWORK, Settings(files="off")).cooked_again() == {"make": 3, "copy": 3, "sum": 1}


def test_what_a_cook_without_a_cache_has_done_is_done_for_the_next_one_and_for_who_goes_on(again: RecookBench) -> None:
    again.cook(NETWORK, Settings(files="off"))
    assert again.cook(NETWORK, Settings(resume=True)).cooked_again() == {}
    assert again.cook(NETWORK).cooked_again() == {}


def test_items_without_outputs_cook_again(again: RecookBench) -> None:
    network = NETWORK.replace("""outputs = [ { path = "$HIP/sum" } ]""", "")
    again.cook(network)
    second = again.cook(network)
    assert second.cooked_again() == {"sum": 1}
    assert second.reasons()["sum.0"] == "it has no outputs to go by"


@pytest.mark.parametrize(
    ("mode", "cooked"),
    [("automatic", {"copy": 1, "sum": 1}), ("automaticignore", {}), ("alwaysread", {}), ("3", {"copy": 3, "sum": 1})],
)
def test_the_four_cache_modes_of_a_node(again: RecookBench, mode: str, cooked: dict[str, int]) -> None:
    again.cook(NETWORK)
    os.utime(again.folder / "green.txt")
    network = NETWORK.replace("[nodes.copy.parms]", f'[nodes.copy.parms]\n    pdg_cachemode = "{mode}"')
    assert again.cook(network).cooked_again() == cooked


def test_what_is_only_read_fails_when_it_is_not_there(again: RecookBench) -> None:
    network = NETWORK.replace("[nodes.make.parms]", '[nodes.make.parms]\n    pdg_cachemode = "alwaysread"')
    for color in ("red", "blue"):
        (again.folder / f"{color}.txt").write_text(color)
    cooked = again.cook(network)
    assert [item.state.name for item in cooked.items("make")] == ["CookedCache", "CookedFail", "CookedCache"]
    told = f'output "{again.folder}/green.txt" is missing, and pdg_cachemode says to read only'
    assert cooked.items("make")[1].ran().messages == [told]
    assert not (again.folder / "ran").exists()


def test_attributes_and_outputs_that_a_job_reported_come_back(again: RecookBench) -> None:
    network = """
        [network]
        [nodes.made]
        type = "pythonscript"
        [nodes.made.parms]
        inprocess = true
        script = '''
        import os
        path = os.environ["HIP"] + "/made.txt"
        with open(path, "w") as stream:
            stream.write("x")
        work_item.addOutputFile(path, "file/text")
        work_item.setStringAttrib("said", "hello")
        '''
    """
    network = dedent(network) + makes("use", "cp @pdg_input $HIP/used.txt", "$HIP/used.txt", of="made")
    again.cook(network)
    second = again.cook(network)
    made = second.items("made")[0]
    assert second.cooked_again() == {}
    assert [(file.path, file.tag) for file in made.outputs or ()] == [(f"{again.folder}/made.txt", "file/text")]
    assert made.attributes is not None
    assert made.attributes["said"].values == ("hello",)
    third = again.cook(network.replace('write("x")', 'write("y")'))
    assert third.cooked_again() == {"made": 1, "use": 1}
    assert third.reasons()["made.0"] == "parms of its node changed"


def test_items_made_during_the_cook_are_known_again_in_whatever_order_they_come(again: RecookBench) -> None:
    network = NETWORK.replace(
        """[nodes.all]
type = "waitforall"
inputs = ["copy"]""",
        """[nodes.found]
type = "filepattern"
inputs = ["copy"]
[nodes.found.parms]
pdg_workitemgeneration = "dynamic"
pattern = "$HIP/@color.copy"
"""
        + makes("each", "cp @pdg_input @pdg_input.again", "$HIP/@color.copy.again", of="found")
        + """[nodes.all]
type = "partitionbyattribute"
inputs = ["each"]
[nodes.all.parms]
attributes = [ { name = "color" } ]""",
    )
    first = again.cook(network)
    assert first.outcome == "cooked", first.messages
    (again.folder / "red.copy").unlink()
    second = again.cook(network)
    assert second.cooked_again() == {"copy": 1, "each": 1, "sum": 1}
    assert again.cook(network).cooked_again() == {}


def test_verdicts_are_kept_for_who_asks(again: RecookBench) -> None:
    again.cook(NETWORK)
    second: Recooked = again.cook(NETWORK)
    assert second.cook.memory is not None
    assert {verdict for verdict, _ in second.cook.memory.found.values()} == {Verdict.DONE}


STATIC_FARM = """
import subprocess
import pdg
from pdg.scheduler import PyScheduler

class AtOnce(PyScheduler):
    def onScheduleStatic(self, dependencies, dependents, ready_items):
        order = list(ready_items)
        for item in order:
            order += [each for each in dependents.get(item, ()) if each not in order]
        for item in order:
            self.onWorkItemStartCook(item.id, -1)
            command = self.expandCommandTokens(item.command, item)
            if subprocess.call(command, shell=True):
                self.onWorkItemFailed(item.id, -1)
            else:
                self.onWorkItemSucceeded(item.id, -1, 0.1)

    def onSchedule(self, work_item):
        status = subprocess.call(self.expandCommandTokens(work_item.command, work_item), shell=True)
        return pdg.scheduleResult.CookFailed if status else pdg.scheduleResult.CookSucceeded

def registerTypes(type_registry):
    type_registry.registerScheduler(AtOnce, label="At Once")
"""


def test_items_that_are_handed_over_all_at_once_are_known_again(again: RecookBench) -> None:
    (again.folder / "types").mkdir()
    (again.folder / "types" / "atonce.py").write_text(STATIC_FARM)
    network = NETWORK.replace('scheduler = "local"', 'scheduler = "atonce"', 1)
    first = again.cook(network)
    assert first.outcome == "cooked", first.messages
    assert again.cook(network).cooked_again() == {}
    (again.folder / "red.copy").unlink()
    assert again.cook(network).cooked_again() == {"copy": 1, "sum": 1}
    assert again.cook(network).cooked_again() == {}


BATCHES = (
    LOCAL
    + makes(
        "make",
        "sh -c 'echo @pdg_index >> $HIP/made; echo @pdg_index > $HIP/make.@pdg_index'",
        "$HIP/make.@pdg_index",
        parms="itemcount = 4",
    )
    + makes(
        "sim",
        "sh -c 'echo @pdg_index >> $HIP/ran; cp $HIP/make.@pdg_index $HIP/sim.@pdg_index'",
        "$HIP/sim.@pdg_index",
        of="make",
        parms="framesperbatch = 2\nsequential = 1",
    )
    + makes("use", "cp @pdg_input $HIP/use.@pdg_index", "$HIP/use.@pdg_index", of="sim")
)


def test_batches_that_are_as_they_were_are_done_with_all_their_sub_items(again: RecookBench) -> None:
    first = again.cook(BATCHES)
    assert first.outcome == "cooked"
    for how in (None, Settings(resume=True)):
        second = again.cook(BATCHES, how)
        assert (second.outcome, set(second.states().values())) == ("cooked", {"CookedCache"})
        assert [each.stage for each in second.cook.state.schedulers.values()] == ["idle"]
        subs = [item for item in second.items("sim") if item.batch_parent is not None]
        assert [file.path for item in subs for file in item.outputs or ()] == [
            f"{again.folder}/sim.{n}" for n in range(4)
        ]
    assert len(again.read("ran").split()) == 4


def test_of_a_batch_only_those_sub_items_cook_again_that_are_not_done(again: RecookBench) -> None:
    again.cook(BATCHES)
    (again.folder / "sim.3").unlink()
    second = again.cook(BATCHES)
    assert second.outcome == "cooked"
    assert again.read("ran").split() == ["0", "1", "2", "3", "3"]
    missing = f'output "{again.folder}/sim.3" is missing'
    assert any(missing in reason for reason in second.reasons().values())
    (again.folder / "make.0").write_text("other")
    third = again.cook(BATCHES)
    # What it depends on has changed in the first batch, and the second waits for that.
    assert third.outcome == "cooked"
    assert again.read("ran").split()[5:] == ["0", "1", "2", "3"]
    assert again.cook(BATCHES).cooked_again() == {}


WHOLE = BATCHES.replace(
    "command = \"sh -c 'echo @pdg_index >> $HIP/ran; cp $HIP/make.@pdg_index $HIP/sim.@pdg_index'\"",
    'command = "sh $HIP/whole.sh @pdg_batchstart @pdg_batchend"',
)


def test_a_batch_with_one_command_for_all_its_sub_items_cooks_again_as_a_whole(again: RecookBench) -> None:
    (again.folder / "whole.sh").write_text(
        'cd "$HIP"; for n in $(seq $1 $2); do echo $n >> ran; cp make.$n sim.$n; done\n', encoding="utf-8"
    )
    assert again.cook(WHOLE).outcome == "cooked"
    assert again.cook(WHOLE).cooked_again() == {}
    (again.folder / "sim.3").unlink()
    second = again.cook(WHOLE)
    assert second.outcome == "cooked"
    assert again.read("ran").split() == ["0", "1", "2", "3", "2", "3"]
    assert f'output "{again.folder}/sim.3" is missing' in second.reasons()["sim.2"]


def test_a_batch_that_starts_on_some_of_its_frames_leaves_out_what_is_done(again: RecookBench) -> None:
    """Its second frame is known to be done before it is known that the first is not."""
    network = BATCHES.replace("sequential = 1\n", 'batchactivation = "any"\n')
    again.cook(network)
    (again.folder / "make.0").unlink()
    second = again.cook(network)
    assert second.outcome == "cooked"
    assert again.read("made").split() == ["0", "1", "2", "3", "0"]
    assert again.read("ran").split() == ["0", "1", "2", "3", "0"]


def test_a_batch_whose_sub_items_failed_stays_failed_for_who_goes_on_and_the_good_ones_stay_good(
    again: RecookBench,
) -> None:
    network = BATCHES.replace("sequential = 1\n", "").replace(
        "; cp $HIP/make.@", "; [ -e $HIP/mended ] || [ @pdg_index != 1 ] && cp $HIP/make.@"
    )
    assert again.cook(network).outcome == "failed"
    second = again.cook(network, Settings(resume=True))
    states = {(item.index, item.batch is None): item.state.name for item in second.items("sim")}
    assert (states[0, True], states[1, True], states[0, False]) == ("CookedCache", "CookedFail", "CookedFail")
    assert again.read("ran").split() == ["0", "1", "2", "3"]
    (again.folder / "mended").touch()
    third = again.cook(network, Settings(resume=True, retry_failed=True))
    assert third.outcome == "cooked", third.messages
    assert again.read("ran").split() == ["0", "1", "2", "3", "1"]
