"""One name, asked for in a cook, in a network file and in Python: the same answer everywhere."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

NETWORK = """
[network]
name = "net"
scheduler = "SCHEDULER"
[nodes.a]
type = "NODE"
parms = { command = "true" }
"""
BROKEN = "import no_such_client\ndef registerTypes(r): r.registerScheduler(1)\n"
HELPER = "from pdg.scheduler import PyScheduler\nclass Helper(PyScheduler): pass\n"


def network(shell: Any, scheduler: str = "localscheduler", node: str = "genericgenerator") -> Any:
    return shell.write("net.toml", NETWORK.replace("SCHEDULER", scheduler).replace("NODE", node))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("broken", ['there is no module "no_such_client"', "types/broken.py:1", "topcook doctor broken"]),
        ("helper", ["it has the class Helper but no registerTypes", "types/helper.py"]),
        ("old", ["disabled, because use something else", "topcook.toml:1"]),
        ("localshceduler", ['did you mean "localscheduler"?', "/types", "(built-in)", "topcook list --all"]),
    ],
)
def test_why_a_scheduler_cannot_be_used_is_told_alike_everywhere(shell: Any, name: str, said: list[str]) -> None:
    shell.write("types/broken.py", BROKEN)
    shell.write("types/helper.py", HELPER)
    shell.write("types/old.py", BROKEN)
    shell.write("topcook.toml", '[[block]]\nfile = "types/old.py"\nreason = "use something else"\n')
    types = {"PDG_TYPES_PATH": str(shell.folder / "types")}
    asked = shell.run("cook", network(shell), "--scheduler", name, status=2, **types).stderr
    in_file = shell.run("cook", network(shell, scheduler=name), status=2, **types).stderr
    assert "net.toml:4:1" in in_file
    assert "generation" not in in_file, in_file

    code = f"import pdg\npdg.GraphContext('x').addScheduler({name!r})"
    in_python = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd=shell.folder,
        env=shell.environment | types,
    ).stderr
    assert "UnknownSchedulerError" in in_python
    for told in (asked, in_file, in_python):
        for each in said:
            assert each in told, told


def test_an_unknown_node_type_is_answered_at_its_place_in_the_file(shell: Any) -> None:
    told = shell.run("cook", network(shell, node="wegde"), status=2).stderr
    assert "net.toml:6:1" in told
    assert 'unknown node type "wegde"' in told
    assert 'did you mean "wedge"?' in told
    told = shell.run("cook", network(shell), "--scheduler", "wedge", status=2).stderr
    assert '"wedge" is a node type, no scheduler' in told
