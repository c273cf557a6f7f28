"""``--profile`` on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tests.acceptance.conftest import Shell

NODES = """
[schedulers.far]
type = "localscheduler"
[nodes.make]
type = "genericgenerator"
parms.command = "true"
[profiles.farm]
scheduler = "far"
parms = { "make.itemcount" = 3 }
job_parms = { "make.local_CPUs_to_use" = 2 }
"""
DEAF = """
import pdg
from pdg.scheduler import PyScheduler
class Deaf(PyScheduler):
    def onSchedule(self, work_item): return pdg.scheduleResult.CookSucceeded
    def submitAsJob(self, graph_file, node_path): return "http://deaf/7"
def registerTypes(type_registry): type_registry.registerScheduler(Deaf, name="deaf")
"""


def test_a_cook_under_a_profile_goes_where_it_says(shell: Shell) -> None:
    shell.network(NODES)
    report = shell.cook("net.toml", "--profile", "farm")
    assert [item["scheduler"] for item in report["items"]] == ["far"] * 3


def test_explain_names_the_profile_and_its_place(shell: Shell) -> None:
    shell.network(NODES)
    said = json.loads(shell.run("explain", "net.toml", "make", "--profile", "farm", "--json").stdout)
    assert (said["scheduler"]["name"], said["scheduler"]["why"]) == ("far", 'profile "farm"')
    line = 1 + (shell.folder / "net.toml").read_text().splitlines().index('scheduler = "far"')
    assert said["scheduler"]["place"].endswith(f"net.toml:{line}")
    (parm,) = (parm for parm in said["parms"] if parm["name"] == "local_CPUs_to_use")
    assert (parm["value"], parm["from"]) == (2, 'profile "farm"')
    assert parm["place"].endswith(f"net.toml:{line + 2}")


def test_a_cook_goes_on_under_the_profile_that_it_was_begun_with(shell: Shell) -> None:
    shell.network(NODES.replace('command = "true"', 'command = "test -e fixed"'))
    shell.cook("net.toml", "--profile", "farm", status=1)
    (shell.folder / "fixed").touch()
    shell.run("resume", "net.toml", "--retry-failed", "--report", "report.json")
    assert [item["scheduler"] for item in shell.report()["items"]] == ["far"] * 3


def test_a_network_is_submitted_with_its_profile(shell: Shell) -> None:
    shell.network(NODES)
    uri = shell.run("submit", "net.toml", "--scheduler", "local", "--profile", "farm").stdout.strip()
    shell.run("status", uri, "--wait")
    report = json.loads(Path(unquote(urlsplit(uri).path)).with_name("report.json").read_text())
    assert [item["scheduler"] for item in report["items"]] == ["far"] * 3


def test_a_scheduler_whose_job_would_not_know_the_profile_is_named(shell: Shell) -> None:
    shell.write("types/deaf.py", DEAF)
    shell.environment["PDG_TYPES_PATH"] = str(shell.folder / "types")
    shell.network(NODES)
    done = shell.run("submit", "net.toml", "--scheduler", "deaf", "--profile", "farm")
    assert done.stdout == "http://deaf/7\n"
    assert 'cooks it without the profile "farm"' in done.stderr
    assert "topcook.author.cook_command" in done.stderr
    assert "warning" not in shell.run("submit", "net.toml", "--scheduler", "deaf").stderr


def test_who_names_a_profile_where_a_scheduler_belongs_is_told(shell: Shell) -> None:
    shell.network(NODES)
    done = shell.run("cook", "net.toml", "--scheduler", "farm", status=2)
    assert "there is a profile of that name: --profile farm" in done.stderr
    done = shell.run("submit", "net.toml", "--profile", "fram", status=2)
    assert "did you mean farm?" in done.stderr


def test_check_reads_a_network_with_each_of_its_profiles(shell: Shell) -> None:
    shell.network(NODES.replace("make.itemcount", "make.itemcont"))
    done = shell.run("check", "net.toml", status=1)
    assert "itemcont" in done.stdout + done.stderr


def test_an_unknown_profile_is_named_with_the_closest(shell: Shell) -> None:
    shell.network(NODES)
    done = shell.run("cook", "net.toml", "--profile", "frm", status=2)
    assert 'there is no profile "frm"' in done.stderr
    assert "did you mean farm?" in done.stderr
