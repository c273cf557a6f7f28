"""Parms as rows of a table: what a template lists of them, and what they are for jobs."""

from __future__ import annotations

import json
from typing import Any

from topcook.author import JobParms, ParmRow, parm_defaults, parm_template
from topcook.contract.scheduler import PyScheduler
from topcook.contract.template import read_template
from topcook.testkit import FakeHost

OWN: list[ParmRow] = [("pdg_maxitems", "Max Items", "Integer", 0), ("farm_poll", "Ask Every", "Float", 10.0)]
JOB: list[ParmRow] = [("pool", "Pool", "String", "night"), ("hold", "Hold", "Toggle", 1)]


def test_nodes_and_items_may_override_the_rows_of_jobs_and_no_others() -> None:
    listed = {each["name"]: "pdg::scheduler" in each.get("tag", ()) for each in parm_template("farm", OWN, JOB)}
    assert listed == {
        "pdg_maxitems": False, "farm_poll": False, "farm_pool": True, "farm_hold": True, "farm_envunset": True,
        "farm_envmulti": True, "farm_envname#": True, "farm_envvalue#": True,
    }  # fmt: skip


class Farm(PyScheduler):
    @classmethod
    def templateName(cls) -> str:
        return "farm"

    @classmethod
    def templateBody(cls) -> str:
        return json.dumps({"name": "farm", "parameters": parm_template("farm", OWN, JOB)})


def test_a_template_of_rows_is_read_without_a_problem() -> None:
    read = read_template(Farm)
    assert not read.problems
    assert [parm.name for parm in read.parms][:4] == ["pdg_maxitems", "farm_poll", "farm_pool", "farm_hold"]


def test_toggles_of_rows_are_true_or_false_and_stand_where_nobody_gave_them() -> None:
    assert parm_defaults(JOB) == {"pool": "night", "hold": True}
    host = FakeHost(farm_pool="day")
    scheduler: Any = host.make(PyScheduler)
    assert JobParms(scheduler, "farm", parm_defaults(JOB)).own() == {"pool": "day", "hold": True}
