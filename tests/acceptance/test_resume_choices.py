"""What is chosen when a cook goes on: by its id, with which options and types; and what a dry run says of it."""

from __future__ import annotations

import json

from tests.acceptance.conftest import Shell
from tests.acceptance.gate import by_state, lines
from tests.networks import makes
from topcook.runtime.journal import Past


def test_a_dry_run_says_what_would_become_of_each_item_and_why(shell: Shell) -> None:
    nodes = makes("a", "touch $HIP/a.@pdg_index", "$HIP/a.@pdg_index", parms="itemcount = 2")
    nodes += makes("b", "cp @pdg_input $HIP/b.@pdg_index", "$HIP/b.@pdg_index", of="a")
    shell.network(nodes)
    assert "found done" not in shell.run("cook", "net.toml", "--dry-run").stdout
    shell.cook("net.toml")
    (shell.folder / "a.1").unlink()
    shell.network(nodes.replace("cp @pdg_input", "cp -f @pdg_input"))
    told = shell.run("cook", "net.toml", "--dry-run", "--resume").stdout.splitlines()[-5:]
    folder = shell.folder
    assert told[0].endswith(": 1 of 4 items found done")
    assert [line.split() for line in told[1:3]] == [
        ["done", "a_1"],
        ["cook", "a_2", "output", f'"{folder}/a.1"', "is", "missing"],
    ]
    assert told[3].split()[:4] == ["cook", "b_3", "command", "changed:"]
    assert told[4].split() == ["cook", "b_4", "depends", "on", '"a_2",', "which", "cooks", "again"]
    assert not (folder / "a.1").exists()


BATCHES = makes(
    "sim",
    "sh -c 'test ! -e $HIP/bad.@pdg_index && touch $HIP/sim.@pdg_index'",
    "$HIP/sim.@pdg_index",
    parms="itemcount = 4\nframesperbatch = 2\nsequential = 1",
) + makes("use", "cp @pdg_input $HIP/use.@pdg_index", "$HIP/use.@pdg_index", of="sim")


def test_a_dry_run_tells_the_sub_items_of_batches_apart_as_the_cook_does(shell: Shell) -> None:
    shell.network(BATCHES)
    (shell.folder / "bad.2").touch()
    shell.cook("net.toml", status=1)

    def forecast(*options: str) -> dict[str, str]:
        told = shell.run("cook", "net.toml", "--dry-run", *options).stdout
        rows = [line[2:] for line in told.partition("after cook ")[2].splitlines()[1:]]
        return {row[13:].split()[0]: row[:13].strip() for row in rows}

    done = ["sim_1", "sim_2", "sim_3", "use_7", "use_8"]
    again = ["sim_4", "sim_5", "sim_6", "use_9", "use_10"]
    assert forecast() == dict.fromkeys(done, "done") | dict.fromkeys(again, "cook")
    stays = forecast("--resume")
    assert [name for name, what in stays.items() if what == "done"] == done
    assert [name for name, what in stays.items() if what == "failed before"] == ["sim_4", "sim_5"]
    assert forecast("--resume", "--retry-failed") == forecast()
    (shell.folder / "bad.2").unlink()
    report = shell.cook("net.toml", "--resume", "--retry-failed")
    assert {item["name"] for item in report["items"] if item["state"] == "CookedCache"} == set(done)


FARM = """
import pdg
from pdg.scheduler import PyScheduler

class Sleepy(PyScheduler):
    \"\"\"Runs each command here and now.\"\"\"

    def onSchedule(self, work_item):
        import subprocess
        status = subprocess.call(self.expandCommandTokens(work_item.command, work_item), shell=True)
        return pdg.scheduleResult.CookFailed if status else pdg.scheduleResult.CookSucceeded

def registerTypes(type_registry):
    type_registry.registerScheduler(Sleepy, label="Sleepy")
"""


def test_a_cook_does_not_go_on_with_another_version_of_a_type_unasked(shell: Shell) -> None:
    types = shell.write("types/sleepy.py", FARM)
    sleepy = 'scheduler = "sleepy"'
    shell.network(makes("a", "true", settings=sleepy) + makes("b", "test -e $HIP/mended", of="a", settings=sleepy))
    found = {"PDG_TYPES_PATH": str(types.parent)}
    shell.cook("net.toml", status=1, **found)
    types.write_text(FARM.replace("here and now", "here, now"))
    (shell.folder / "mended").touch()
    told = shell.run("cook", "net.toml", "--resume", "--retry-failed", status=2, **found).stderr
    assert 'type "sleepy" (' in told
    assert "--accept-version" in told
    report = shell.cook("net.toml", "--resume", "--retry-failed", "--accept-version", **found)
    assert by_state(report) == {"CookedCache": 1, "CookedSuccess": 1}


def test_a_cook_goes_on_by_its_id_with_the_options_it_was_begun_with(shell: Shell) -> None:
    network = shell.network(makes("a", "test -e $HIP/mended", parms="itemcount = 1"))
    shell.cook(network, "--parm", "a.itemcount=3", status=1)
    [pointer] = (shell.folder / "work" / "pdgtemp").glob("cook.net.*.json")
    cook = json.loads(pointer.read_text())["cook"]
    (shell.folder / "mended").touch()
    shell.run("resume", cook, "--retry-failed", "--report", "report.json")
    assert by_state(shell.report()) == {"CookedSuccess": 3}
    told = shell.run("resume", "20200101-000000-0000000", status=2).stderr
    assert "there is no cook" in told


def test_a_cook_goes_on_by_its_id_within_the_limits_it_was_begun_with(shell: Shell) -> None:
    command = "sh -c 'echo $PDG_ITEM_ATTEMPT >> $HIP/ran; exit 3'"
    network = shell.network(makes("a", command, parms="itemcount = 3"))
    limits = ["--slots", "1", "--machine-slots", "0", "--max-failures", "1", "--retries", "1"]
    kept = ["--die-with-parent", "--durability", "power", "--cache", "hash"]
    shell.cook(network, *limits, *kept, status=1)
    [pointer] = (shell.folder / "work" / "pdgtemp").glob("cook.net.*.json")
    said = json.loads(pointer.read_text())
    shell.run("resume", said["cook"], "--retry-failed", "--max-failures", "2", status=1)
    with Past.open(said["journal"]) as past:
        first, second = (session.facts for session in past.sessions)
    assert second["durability"] == "power"
    assert second["arguments"] == [
        each if each != "1" or place != 5 else "2" for place, each in enumerate(first["arguments"])
    ]
    # With one slot and one retry each: one item that failed for good, and then two.
    assert lines(shell.folder / "ran") == ["1", "2", "3", "4", "1", "2"]


SECRETIVE = (
    FARM.replace('"""Runs each', '''"""Reads its password, then runs each''')
    .replace("        import subprocess\n", '        import subprocess\n        self["password"].evaluateString()\n')
    .replace(
        "class Sleepy(PyScheduler):",
        "class Sleepy(PyScheduler):\n    @classmethod\n    def templateBody(cls):\n"
        '        return \'{"name": "sleepy", "parameters": [{"name": "password", "type": "String", "tags": ["secret"]}]}\'\n',
    )
)


def test_the_value_of_a_secret_is_not_kept_and_has_to_be_given_again(shell: Shell) -> None:
    types = shell.write("types/sleepy.py", SECRETIVE)
    sleepy = 'scheduler = "sleepy"'
    shell.network(
        """
[schedulers.sleepy]
type = "sleepy"
[schedulers.sleepy.parms]
password = { env = "FARM_PASSWORD" }
"""
        + makes("a", "true", settings=sleepy)
        + makes("b", "true", of="a", settings=sleepy)
    )
    found = {"PDG_TYPES_PATH": str(types.parent), "FARM_PASSWORD": "opensesame"}
    given = "b.command=test -e $HIP/mended # opensesame"
    shell.cook("net.toml", "--parm", given, status=1, **found)
    [pointer] = (shell.folder / "work" / "pdgtemp").glob("cook.net.*.json")
    cook = json.loads(pointer.read_text())["cook"]
    told = shell.run("resume", cook, "--retry-failed", status=2, **found).stderr
    assert f"topcook resume {cook} --parm b.command=..." in told
    (shell.folder / "mended").touch()
    shell.run("resume", cook, "--retry-failed", "--report", "report.json", "--parm", given, **found)
    assert by_state(shell.report()) == {"CookedCache": 1, "CookedSuccess": 1}
