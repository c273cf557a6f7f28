"""`topcook check --parms`: what it prints can be pasted into a network, which then has the parms."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from topcook.cli.check import command
from topcook.runtime.netfile import load_network

SCHEDULER = """
import json
import pdg
from pdg.scheduler import PyScheduler
from pdg.job.callbackserver import CallbackServerMixin

class Base(CallbackServerMixin, PyScheduler):
    def pool(self, item):
        return self.evaluateStringOverride(item.node, "farm", "pool", item, 'the "big" one')

class FarmScheduler(Base):
    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        CallbackServerMixin.__init__(self, False)

    @classmethod
    def templateBody(cls):
        return json.dumps({"name": "farm", "parameters": [{"name": "queue"}, {"name": "farm_env#"}]})

    def onStart(self):
        print(self["queue"], self["pdg_workingdir"], self["farm_env1"], self["address"].evaluateString())
        self["pdg_tickperiod"] = 0.1
        return self["port"].evaluateInt() >= 0 and self["mystery"] is None

    def onSchedule(self, work_item):
        self.pool(work_item)
        return pdg.scheduleResult.CookSucceeded

def registerTypes(type_registry):
    type_registry.registerScheduler(FarmScheduler)
"""


def check(*args: str, status: int = 0) -> str:
    done = CliRunner().invoke(command, ["--parms", *args], standalone_mode=False)
    assert done.exception is None, done.output
    assert done.return_value == status, done.output
    return done.output


def test_what_is_printed_declares_the_parms_of_a_network(tmp_path: Path) -> None:
    file = tmp_path / "types" / "farm.py"
    file.parent.mkdir()
    file.write_text(SCHEDULER)
    printed = check(str(file))
    network = tmp_path / "net.toml"
    network.write_text(
        '[schedulers.NAME]\ntype = "pythonscheduler"\n' + printed + '\n[nodes.a]\ntype = "null"\n', encoding="utf-8"
    )
    context = load_network(network)
    specs = context.core.network.schedulers["NAME"].parms.specs
    context.close()
    found = {name: specs[name] for name in ("address", "port", "mystery", "farm_pool")}
    assert [spec.type for spec in found.values()] == ["String", "Integer", "String", "String"]
    assert [spec.default for spec in found.values()] == [("",), (0,), ("",), ('the "big" one',)]
    assert [spec.is_job_parm for spec in found.values()] == [False, False, False, True]
    assert printed.count("[[schedulers.NAME.spare]]") == len(found)
    assert "nothing says which" in printed


def test_json_says_the_same_with_places(tmp_path: Path) -> None:
    (tmp_path / "farm.py").write_text(SCHEDULER)
    (rows,) = json.loads(check(str(tmp_path / "farm.py"), "--json"))["files"]
    pool = next(row for row in rows["parms"] if row["name"] == "farm_pool")
    assert pool == {
        "scheduler": "farmscheduler",
        "name": "farm_pool",
        "type": "String",
        "type_is_known": True,
        "value": 'the "big" one',
        "tags": ["jobParm"],
        "place": pool["place"],
    }
    assert pool["place"].endswith("farm.py:9")


def test_a_file_that_does_not_load_is_read_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "farm.py").write_text("import a_farm_nobody_has\n" + SCHEDULER)
    assert 'name = "farm_pool"' in check(str(tmp_path / "farm.py"))


def test_a_file_that_declares_everything_says_so_and_one_that_is_no_python_fails(tmp_path: Path) -> None:
    good = SCHEDULER.replace('self["', 'dict["').replace('"pool", item', "item.name, item")
    (tmp_path / "good.py").write_text(good)
    (tmp_path / "bad.py").write_text("def f(:\n")
    assert "every parm that is read is declared" in check(str(tmp_path / "good.py"))
    assert "this is no Python" in check(str(tmp_path / "bad.py"), status=1)
    assert "cannot be read" in check(str(tmp_path / "none.py"), status=1)
