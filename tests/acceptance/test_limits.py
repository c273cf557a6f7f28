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


HUNGRY = """
[nodes.hungry]
type = "genericgenerator"
parms.itemcount = 1
parms.command = "__PDG_PYTHON__ -I -S $HIP/hungry.py"
job_parms.local_memory = "96M"

[nodes.modest]
type = "genericgenerator"
parms.itemcount = 4
parms.command = "true"
"""


def test_an_item_that_ran_into_its_limit_of_memory_says_so_and_the_others_cook(shell: Any) -> None:
    shell.write("hungry.py", "held = []\nwhile True: held.append(bytearray(4 << 20))\n")
    shell.network(HUNGRY)
    report = shell.cook("net.toml", "--progress", "off", status=1)
    states = {item["name"]: item["state"] for item in report["items"]}
    assert [state for name, state in states.items() if name.startswith("modest")] == ["CookedSuccess"] * 4
    (hungry,) = (item for item in report["items"] if item["name"].startswith("hungry"))
    assert hungry["state"] == "CookedFail"
    assert "out of memory: its limit is 96 MiB (peak " in json.dumps(hungry)
    assert (
        "for each process by itself" in (said := shell.run("explain", "net.toml", "hungry").stdout) or "cgroup" in said
    )


def test_a_size_of_memory_that_is_none_is_told_at_its_line_before_anything_runs(shell: Any) -> None:
    shell.network(HUNGRY.replace("96M", "much"))
    said = shell.run("cook", "net.toml", status=2).stderr
    assert "net.toml:16" in said
    assert 'parm "local_memory" must be a size such as "2G"' in said


SHARING = """
[nodes.work]
type = "genericgenerator"
parms.itemcount = 20
parms.command = "sh -c ': > in/$$ && ls in | wc -l >> counts && sleep 0.01 && rm in/$$'"
"""


def test_two_cooks_share_the_slots_of_the_machine(shell: Any) -> None:
    (shell.folder / "work/in").mkdir(parents=True)
    for name in ("one", "two"):
        shell.network(SHARING, f"{name}.toml")
    cooks = [
        shell.start("cook", f"{name}.toml", "--machine-slots", "1", "--progress", "off") for name in ("one", "two")
    ]
    for cook in cooks:
        out, err = cook.communicate(timeout=120)
        assert cook.returncode == 0, out + err
    counts = (shell.folder / "work/counts").read_text().split()
    assert counts == ["1"] * 40


def test_a_cache_mode_that_is_none_is_refused_from_the_command_line_too(shell: Any) -> None:
    network = shell.network('[nodes.one]\ntype = "genericgenerator"\nparms.command = "true"\n')
    refused = shell.run("cook", network, "--parm", "one.pdg_cachemode=never", status=2)
    assert "must be one of: automatic, " in refused.stderr
