"""Looking at types and networks from the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from topcook.model import graphfile

LISTING = json.loads((Path(graphfile.__file__).parents[1] / "schemas" / "listing.schema.json").read_text("utf-8"))
NODES = """
[nodes.gen]
type = "genericgenerator"
[nodes.gen.parms]
itemcount = 2
command = "render -o __PDG_DIR__/@pdg_name.exr --as $PDG_INDEX"
outputs = [ { path = "__PDG_DIR__/@pdg_name.exr" } ]
[nodes.late]
type = "filepattern"
inputs = ["gen"]
[nodes.late.parms]
pattern = "__PDG_DIR__/*.exr"
"""


def test_the_listing_fits_its_schema(shell: Any) -> None:
    listed = json.loads(shell.run("list", "--json").stdout)
    jsonschema.validate(listed, LISTING)
    assert {"localscheduler", "inprocessscheduler"} <= {each["name"] for each in listed["schedulers"]}


def test_the_menu_stands_by_category_and_in_plain_letters_where_asked(shell: Any) -> None:
    lines = shell.run("list").stdout.splitlines()
    assert lines[0] == "Schedulers ▸"
    assert any("● Local Scheduler" in line and "built-in" in line for line in lines)
    plain = shell.run("list", "--types", "nodes", NO_COLOR="1").stdout
    assert "Schedulers" not in plain
    assert "  * Wedge" in plain
    assert plain.isascii()


def test_a_terminal_that_knows_ascii_only_can_show_the_menu(shell: Any) -> None:
    assert "Local Scheduler" in shell.run("list", PYTHONIOENCODING="ascii", PYTHONUTF8="0").stdout


def test_the_menu_can_be_cut_off_by_its_reader(shell: Any) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f'"{sys.executable}" -m topcook list --json | head -1'],
        capture_output=True,
        text=True,
        check=False,
        env=shell.environment,
    )
    assert (done.stdout, done.stderr) == ("{\n", "")


def test_a_dry_run_shows_what_would_be_run_and_runs_nothing(shell: Any) -> None:
    network = shell.network(NODES)
    shown = shell.run("expand", network).stdout
    assert shell.run("cook", network, "--dry-run").stdout == shown
    work = shell.folder / "work"
    assert f"$ render -o {work}/gen_1.exr" in shown
    assert "on local: the network's default" in shown
    assert f"PDG_DIR={work}" in shown
    assert "PDG_ITEM_NAME=gen_2" in shown
    assert f"-> {work}/gen_2.exr" in shown
    assert not work.exists()


def test_an_item_is_found_by_its_name_and_its_scheduler_by_what_named_it(shell: Any) -> None:
    network = shell.network(NODES)
    shown = shell.run("expand", network, "gen_2", "--override", "gen=localscheduler").stdout
    assert "gen_1" not in shown
    assert "--override gen=" in shown
    done = shell.run("expand", network, "gen_9", status=2)
    assert "did you mean" in done.stderr


def test_the_expansion_is_there_as_json(shell: Any) -> None:
    found = json.loads(shell.run("expand", shell.network(NODES), "--json").stdout)
    assert [item["name"] for item in found["items"]][:2] == ["gen_1", "gen_2"]
    first = found["items"][0]
    assert first["scheduler"] == "local"
    assert first["environment"]["PDG_ITEM_ID"] == "1"
    assert first["environment"]["PDG_RESULT_SECRET"] == "<secret>"
    assert found["schedulers"]["local"]["directories"]["logs"].endswith("/logs")


def test_what_a_type_decides_by_itself_is_pointed_out(shell: Any) -> None:
    shell.write("types/farm.py", """
import pdg
from pdg.scheduler import PyScheduler
class Farm(PyScheduler):
    @classmethod
    def templateName(cls): return "farm"
    def onStart(self): raise RuntimeError("nobody may start me")
    def onSchedule(self, work_item): return pdg.scheduleResult.CookSucceeded
    def applicationBin(self, app, work_item): return "/farm/bin/" + app
def registerTypes(type_registry): type_registry.registerScheduler(Farm)
""")  # fmt: skip
    variables = {"PDG_TYPES_PATH": str(shell.folder / "types")}
    shown = shell.run("expand", shell.network(NODES), "--scheduler", "farm", "--override", "gen=farm", **variables)
    assert "it has its own applicationBin" in shown.stdout


BAD = """
[network]
name = "net"
[nodes.gen]
type = "genericgenerater"
[nodes.other]
type = "genericgenerator"
inputs = ["gem"]
[nodes.other.parms]
itemcount = "many"
comand = "true"
"""


@pytest.mark.parametrize("command", ["check", "expand", "cook"])
def test_every_mistake_of_a_network_is_told_with_its_place(shell: Any, command: str) -> None:
    shell.write("net.toml", BAD)
    status = 1 if command == "check" else 2
    done = shell.run(command, "net.toml", status=status)
    told = done.stdout + done.stderr
    assert "net.toml:8:" in told
    if command == "check":
        assert 'inputs = ["gem"]' in told
        assert "^" in told
    # What the reader finds comes first; mended, the factory has its say.
    shell.write("net.toml", BAD.replace('"gem"', '"gen"'))
    again = shell.run(command, "net.toml", status=status)
    told = again.stdout + again.stderr
    assert "net.toml:5:" in told
    assert "genericgenerator" in told


def test_a_wrong_attribute_in_a_command_is_found_before_anything_runs(shell: Any) -> None:
    network = shell.network("""
        [nodes.a]
        type = "genericgenerator"
        [nodes.a.parms]
        command = "touch $HIP/ran"
        [nodes.b]
        type = "genericgenerator"
        [nodes.b.parms]
        command = "echo @nosuch"
        """)
    done = shell.run("cook", network, status=2)
    assert "nosuch" in done.stderr
    assert "net.toml:" in done.stderr
    assert not (shell.folder / "ran").exists()
    assert "nosuch" in shell.run("check", network, status=1).stdout


@pytest.mark.parametrize("command", [["check"], ["expand"], ["cook", "--dry-run"]], ids=" ".join)
def test_who_only_looks_leaves_nothing(shell: Any, command: list[str]) -> None:
    network = shell.network(NODES)
    before = sorted(shell.folder.rglob("*"))
    shell.run(*command, network)
    assert sorted(shell.folder.rglob("*")) == before


def test_check_takes_types_networks_and_item_graphs_together(shell: Any) -> None:
    network = shell.network(NODES)
    graph = shell.write("g.jsonl", '{"name": "a"}\n{"name": "b", "dependencies": ["a"]}\n')
    types = shell.write("farm.py", "import pdg\nclass A(pdg.PyScheduler):\n    def onShedule(self, i): pass\n"
                                   "def registerTypes(r): r.registerScheduler(A)\n")  # fmt: skip
    good = shell.run("check", network, graph)
    assert "g.jsonl: ok, 2 items" in good.stdout
    assert "2 items known before the cook" in good.stdout
    bad = shell.run("check", types, network, status=1)
    assert "onSchedule" in bad.stdout
    found = json.loads(shell.run("check", "--json", types, network, status=1).stdout)
    assert [len(each["problems"]) > 0 for each in found["files"]] == [True, False]
    assert found["files"][0]["problems"][0]["line"] is not None
    missing = shell.run("check", "nothing.toml", status=1)
    assert "there is no such file" in missing.stdout


def test_strict_check_asks_for_all_that_the_help_page_calls_a_must(shell: Any) -> None:
    types = shell.write("farm.py", "import pdg\nfrom pdg.scheduler import PyScheduler\nclass A(PyScheduler):\n"
                                   "    def onSchedule(self, work_item): return pdg.scheduleResult.CookSucceeded\n"
                                   "def registerTypes(r): r.registerScheduler(A)\n")  # fmt: skip
    assert 'ok, scheduler "a"' in shell.run("check", types).stdout
    strict = shell.run("check", "--strict", types, status=1)
    assert "onScheduleStatic" in strict.stdout


def test_names_are_completed(shell: Any) -> None:
    shell.network(NODES)

    def complete(line: str) -> list[str]:
        words = line.split(" ")
        variables = {"_TOPCOOK_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
        out = shell.run(status=None, **variables).stdout
        return [each.partition(",")[2] for each in out.splitlines()]

    assert complete("topcook exp") == ["expand", "explain"]
    assert complete("topcook cook net.toml --node l") == ["late"]
    assert complete("topcook cook net.toml --scheduler local") == ["local", "localscheduler"]
