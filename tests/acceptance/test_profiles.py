"""``--profile`` on the command line."""

from __future__ import annotations

import json

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


def test_check_reads_a_network_with_each_of_its_profiles(shell: Shell) -> None:
    shell.network(NODES.replace("make.itemcount", "make.itemcont"))
    done = shell.run("check", "net.toml", status=1)
    assert "itemcont" in done.stdout + done.stderr


def test_an_unknown_profile_is_named_with_the_closest(shell: Shell) -> None:
    shell.network(NODES)
    done = shell.run("cook", "net.toml", "--profile", "frm", status=2)
    assert 'there is no profile "frm"' in done.stderr
    assert "did you mean farm?" in done.stderr
