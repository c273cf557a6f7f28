"""``topcook map``: which rule says what a path is called."""

from __future__ import annotations

import json
from typing import Any

MAPS = """
[schedulers.win]
type = "localscheduler"
[nodes.work]
type = "genericgenerator"
[[pathmap]]
from = "/mnt/show"
to = "P:/show"
zone = "WIN"
scheduler = "win"
[[pathmap]]
from = "/mnt"
to = "\\\\\\\\nas\\\\mnt"
zone = "WIN"
"""


def test_the_rule_that_fires_is_named_with_its_line(shell: Any) -> None:
    network = shell.network(MAPS)
    lines = network.read_text().splitlines()
    first, second = (number for number, line in enumerate(lines, 1) if line == "[[pathmap]]")
    done = shell.run("map", "/mnt/show/tex/a.exr", "--network", network, "--zone", "WIN")
    assert done.stdout == "P:/show/tex/a.exr\n"
    assert "prefix /mnt/show -> P:/show in zone WIN for scheduler win" in done.stderr
    assert f"{network}:{first}:" in done.stderr
    done = shell.run("map", "/mnt/show/a", "--network", "net.toml", "--zone", "WIN", "--scheduler", "local", "--json")
    told = json.loads(done.stdout)
    assert (told["mapped"], told["zone"]) == ("\\\\nas\\mnt\\show\\a", "WIN")
    assert f"net.toml:{second}:" in told["rule"]["origin"]


def test_a_path_that_no_rule_fits_stays_and_is_told_so(shell: Any) -> None:
    network = shell.network(MAPS)
    done = shell.run("map", "/mnt2/x", "--network", network, "--zone", "WIN")
    assert done.stdout == "/mnt2/x\n"
    assert "none of 2 rules fits, of which 2 hold in zone WIN" in done.stderr
    assert "of which 0 hold in zone MAC" in shell.run("map", "/mnt/x", "--network", network, "--zone", "MAC").stderr


def test_in_a_job_the_rules_are_those_of_its_environment(shell: Any) -> None:
    rules = json.dumps({"paths": [{"P:/show": {"zone": "LINUX", "path": "/mnt/show"}}]})
    done = shell.run("map", "p:\\Show\\a", PDG_PATHMAP=rules, PDG_PATHMAP_ZONE="LINUX")
    assert done.stdout == "/mnt/show/a\n"
    assert "at $PDG_PATHMAP" in done.stderr
    assert "there are no rules" in shell.run("map", "/a").stderr


def test_a_scheduler_that_is_not_there_is_answered_with_the_closest(shell: Any) -> None:
    done = shell.run("map", "/a", "--network", shell.network(MAPS), "--scheduler", "wim", status=2)
    assert 'there is no scheduler "wim"' in done.stderr
    assert 'did you mean "win"?' in done.stderr
