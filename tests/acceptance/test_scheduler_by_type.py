"""Who names a scheduler type on the command line, where the network has a scheduler of that type with its parms."""

from __future__ import annotations

import pytest

from tests.acceptance.conftest import Shell

NODES = "[nodes.a]\ntype = 'genericgenerator'\nparms.command = 'true'\n"


@pytest.mark.parametrize(("option", "given"), [("--scheduler", ""), ("--override", "a=")])
def test_the_networks_own_scheduler_of_that_type_is_named(shell: Shell, option: str, given: str) -> None:
    network = shell.network(NODES)
    told = shell.run("cook", network, option, f"{given}localscheduler").stderr
    assert f"{option} {given}localscheduler is a type" in told
    assert 'the network\'s "local"' in told
    assert "is a type" not in shell.run("cook", network, option, f"{given}local").stderr
    assert "is a type" not in shell.run("cook", network, option, f"{given}inprocessscheduler", status=None).stderr
