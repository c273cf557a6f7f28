"""The environment of a farm's jobs, put together once for each node."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pdg.scheduler import PyScheduler
from topcook.author import JobParms
from topcook.author.farm.variables import JobVariables, variables_of
from topcook.testkit.fakehost import FakeHost

ENVMULTI = {"farm_envmulti": 2, "farm_envname1": "SHOW", "farm_envvalue1": "abc", "farm_envunset": "HOME LANG"}


class Plain(PyScheduler):
    def onSchedule(self, work_item: Any) -> bool:
        return True


class Own(Plain):
    def addCommonJobEnvVars(self, env_dict: dict[str, str], work_item: Any) -> dict[str, str]:
        env: dict[str, str] = super().addCommonJobEnvVars(env_dict, work_item)
        env["MINE"] = work_item.name
        return env


@pytest.mark.parametrize("kind", [Plain, Own])
@pytest.mark.parametrize(
    "parms",
    [
        {},
        {"farm_envname2": "POOL", "farm_envvalue2": "x"},
        {"farm_envname2": "RANK", "farm_envvalue2": "@rank"},
        # One of the item's own, replaced for all.
        {"farm_envname2": "PDG_INDEX", "farm_envvalue2": "7"},
    ],
)
def test_what_is_put_together_once_is_what_each_item_would_be_given(
    kind: type[PyScheduler], parms: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "pdgtemp" / "1" / "scripts").mkdir(parents=True)
    host = FakeHost(working=str(tmp_path))
    scheduler = host.make(kind)
    host.graph.add_node("set").job_parms = {**ENVMULTI, **parms}
    known = JobVariables(scheduler, "farm", JobParms(scheduler, "farm", {}))
    for node in ("set", "none", "set", "set", "none"):
        item = host.graph.handle(host.graph.add_item("true", node=node, rank=len(node)))
        assert known.of(item) == variables_of(scheduler, item, "farm")
    own = host.graph.handle(host.graph.add_item("true", node="set", rank=3, farm_envvalue1="mine"))
    assert known.of(own) == variables_of(scheduler, own, "farm")
    assert known.of(own)[0]["SHOW"] == "mine"


def test_what_somebody_does_to_one_jobs_variables_reaches_no_other(tmp_path: Path) -> None:
    (tmp_path / "pdgtemp" / "1" / "scripts").mkdir(parents=True)
    host = FakeHost(working=str(tmp_path))
    scheduler = host.make(Plain)
    known = JobVariables(scheduler, "farm", JobParms(scheduler, "farm", {}))
    for _ in range(3):
        env, _ = known.of(host.graph.handle(host.graph.add_item("true")))
        assert "CHANGED" not in env
        env["CHANGED"] = "1"
