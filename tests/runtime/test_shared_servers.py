"""Shared servers in real cooks: started by one item, found by others, ended by somebody, never left behind."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from topcook.testkit.cookbench import CookBench

EXAMPLE = Path(__file__).parents[2] / "examples" / "sharedserver"
PATIENCE = 60.0

SERVER = """
import os, socket, sys, threading, time
from http.server import BaseHTTPRequestHandler, HTTPServer

class Hello(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello")

open(os.environ["PDG_DIR"] + "/pid", "w").write(str(os.getpid()))
HTTPServer(("127.0.0.1", int(sys.argv[1])), Hello).serve_forever()
"""
ASK = """
import os, sys
from urllib.request import urlopen
sys.path.insert(0, os.environ["PDG_SCRIPTDIR"])
from pdgjob import sharedserver
found = sharedserver.find("hello", 10)
assert urlopen("http://%s:%d" % (found["host"], found["port"]), timeout=60).read() == b"hello"
print(found["name"], found["item"] == int(sys.argv[1]))
"""
NETWORK = """
[network]
name = "net"
scheduler = "local"
[schedulers.local]
type = "localscheduler"
parms = { maxprocsmenu = 1, maxprocs = 1 }
[nodes.serve]
type = "genericgenerator"
[nodes.serve.parms]
command = '"__PDG_PYTHON__" "__PDG_SCRIPTDIR__/sharedserver.py" start hello -- "__PDG_PYTHON__" "$HIP/server.py" {port}'
[nodes.ask]
type = "genericgenerator"
inputs = ["serve"]
parms = { itemcount = 2, command = '"__PDG_PYTHON__" "$HIP/ask.py" 1' }
"""


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.fixture
def served(bench: CookBench) -> CookBench:
    (bench.folder / "server.py").write_text(SERVER)
    (bench.folder / "ask.py").write_text(ASK)
    return bench


def test_the_example_serves_its_items_and_ends_its_server(bench: CookBench) -> None:
    shutil.copytree(EXAMPLE, bench.folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("work"))
    done = bench.cook((EXAMPLE / "sharedserver.toml").read_text())
    assert done.outcome == "cooked", done.account
    assert len(list((bench.folder / "work" / "tiles").glob("*.png"))) == 12
    assert "served by process" in done.log("pdg_inprocessscheduler")
    assert done.context.core.host("local").shared_servers() == {}


def test_a_server_outlives_its_item_takes_no_slot_and_ends_with_the_cook(served: CookBench) -> None:
    done = served.cook(NETWORK)
    assert done.outcome == "cooked", done.account
    # One slot, and yet the others ran; they found the server, and who had started it.
    logs = Path(served.folder, "pdgtemp", done.cook.cook_id, "logs")
    assert [logs.joinpath(f"{item.name}.log").read_text() for item in done.items("ask")] == ["hello True\n"] * 2
    assert not alive(int((served.folder / "pid").read_text()))


@pytest.mark.parametrize("how", ["failed", "canceled"])
def test_no_server_outlives_a_cook_that_goes_wrong(served: CookBench, how: str) -> None:
    command = "exit 3" if how == "failed" else "touch $PDG_DIR/waits; sleep 600"
    context = served.load(
        NETWORK + f"[nodes.end]\ntype = 'genericgenerator'\ninputs = ['ask']\nparms = {{ command = '{command}' }}\n"
    )
    cook = served.start(context)
    if how == "canceled":
        until = time.monotonic() + PATIENCE
        while not (served.folder / "waits").exists():
            assert time.monotonic() < until
            time.sleep(0.01)
        assert alive(int((served.folder / "pid").read_text()))
        cook.cancel()
    done = served.finish(context, cook)
    assert done.outcome == how
    assert not alive(int((served.folder / "pid").read_text()))


def test_a_server_that_does_not_listen_fails_its_item_with_the_reason(served: CookBench) -> None:
    (served.folder / "server.py").write_text("import sys\nsys.exit(7)")
    done = served.cook(NETWORK, "serve")
    assert done.outcome == "failed"
    log = Path(served.folder, "pdgtemp", done.cook.cook_id, "logs", "serve_1.log").read_text()
    assert 'shared server "hello" ended with status 7; its log:' in log


FARM = """
    import os, subprocess
    import pdg
    from pdg.scheduler import PyScheduler
    from pdg.job.callbackserver import CallbackServerMixin

    def note(*words):
        with open(os.path.join(os.environ["HIP"], "calls.txt"), "a") as stream:
            stream.write(" ".join(map(str, words)) + chr(10))

    class Farm(CallbackServerMixin, PyScheduler):
        def __init__(self, scheduler, name):
            PyScheduler.__init__(self, scheduler, name)
            CallbackServerMixin.__init__(self, False)
        def onStartCook(self, static, cook_set):
            self.startCallbackServer()
            return True
        def onSharedServerStarted(self, args):
            note("started", sorted(args)[:4], args["name"], args["port"])
            self.setSharedServerInfo(args["name"], args)
            return True
        def endSharedServer(self, sharedserver_name):
            note("end", sharedserver_name, self.getSharedServerInfo(sharedserver_name)["port"], self.getSharedServers())
            return True
        def onStopCook(self, cancel):
            note("stop", self.getSharedServers())
            return True
        def onSchedule(self, work_item):
            self.createJobDirsAndSerializeWorkItems(work_item)
            env = dict(os.environ)
            self.addCommonJobEnvVars(env, work_item)
            done = subprocess.run(self.expandCommandTokens(work_item.command, work_item), shell=True, env=env)
            return pdg.scheduleResult.CookFailed if done.returncode else pdg.scheduleResult.CookSucceeded

    def registerTypes(type_registry):
        type_registry.registerScheduler(Farm)
"""


@pytest.mark.parametrize("item", ["", ", workitem_id=1"])
def test_a_foreign_scheduler_is_told_of_a_server_and_asked_once_to_end_it(bench: CookBench, item: str) -> None:
    bench.types("farm", FARM)
    (bench.folder / "tell.py").write_text(
        "import os, sys\nsys.path.insert(0, os.environ['PDG_SCRIPTDIR'])\nimport pdgcmd\n"
        f"pdgcmd.reportServerStarted('sim', 12, 'node7', 4321{item})\n"
        "assert pdgcmd.getSharedServerInfo('other') == {}\n"
    )
    done = bench.cook(
        """
        [network]
        name = "net"
        scheduler = "farm"
        [nodes.tell]
        type = "genericgenerator"
        parms = { command = '"__PDG_PYTHON__" "$HIP/tell.py"' }
        """
    )
    assert done.outcome == "cooked", done.account
    assert (bench.folder / "calls.txt").read_text().splitlines() == [
        "started ['host', 'item', 'log_fname', 'name'] sim 4321",
        "end sim 4321 ['sim']",
        "stop []",
    ]


def test_servers_are_remembered_by_name_and_forgotten(bench: CookBench) -> None:
    bench.types(
        "keeps",
        """
        import json, os
        import pdg
        from pdg.scheduler import PyScheduler

        class Keeps(PyScheduler):
            def onSchedule(self, work_item):
                told = []
                self.onSharedServerStarted({"name": "a", "port": 1})
                self.setSharedServerInfo("b", {"name": "b", "port": 2})
                told.append([self.getSharedServers(), self.getSharedServerInfo("a"), self.getSharedServerInfo("c")])
                told.append([self.endSharedServer("a"), self.endSharedServer("a"), self.getSharedServers()])
                self.cleanSharedServerInfo("b")
                told.append(self.getSharedServers())
                with open(os.path.join(os.environ["HIP"], "told.json"), "w") as stream:
                    json.dump(told, stream)
                return pdg.scheduleResult.CookSucceeded

        def registerTypes(type_registry):
            type_registry.registerScheduler(Keeps)
        """,
    )
    done = bench.cook(
        "[network]\nname = 'net'\nscheduler = 'keeps'\n[nodes.a]\ntype = 'genericgenerator'\nparms = { command = 'x' }\n"
    )
    assert done.outcome == "cooked", done.account
    assert json.loads((bench.folder / "told.json").read_text()) == [
        [["a", "b"], {"name": "a", "port": 1}, {}],
        [True, False, ["b"]],
        [],
    ]
