"""What limits a cook from the command line, and what can be seen of it."""

from __future__ import annotations

import json
from typing import Any

FAILING = """
[nodes.work]
type = "genericgenerator"
parms.itemcount = 4
parms.command = "sh -c 'echo x >> $HIP/tries; exit 3'"
"""


def test_failed_items_are_tried_again_as_often_as_the_command_line_says(shell: Any) -> None:
    shell.network(FAILING)
    shell.run("cook", "net.toml", "--retries", "2", "--report", "report.json", "--progress", "off", status=1)
    report = json.loads((shell.folder / "report.json").read_text())
    assert [item["attempts"] for item in report["items"]] == [3] * 4
    assert {each["exit_status"] for item in report["items"] for each in item["earlier_attempts"]} == {3}


def test_a_nodes_own_number_of_retries_beats_the_command_line(shell: Any) -> None:
    shell.network(FAILING + "parms.pdg_retries = 0\n")
    shell.run("cook", "net.toml", "--retries", "2", "--progress", "off", status=1)
    assert (shell.folder / "tries").read_text().count("x") == 4


def test_the_cook_stops_after_so_many_failures(shell: Any) -> None:
    shell.network(FAILING)
    done = shell.run("cook", "net.toml", "--slots", "1", "--max-failures", "2", "--progress", "off", status=1)
    assert "2 items have failed" in done.stdout + done.stderr
    assert (shell.folder / "tries").read_text().count("x") in {2, 3}


def test_explain_and_expand_tell_the_policy_of_a_node(shell: Any) -> None:
    shell.network(FAILING + 'parms.pdg_retries = 2\nparms.pdg_onfailure = "continue"\nparms.pdg_timeout = 60\n')
    for command in ("explain", "expand"):
        said = shell.run(command, "net.toml", *(["work"] if command == "explain" else [])).stdout
        assert "2 more attempts, at once" in said
        assert "on failure: continue" in said
        assert "timed out after 60 s, killed 5 s later" in said
