"""Who listens where, and who may report without the secret, as a scheduler's parms say; in real cooks."""

from __future__ import annotations

import json
import socket

import pytest

from topcook.errors import GraphFileError
from topcook.testkit.cookbench import CookBench

OLD = """
import subprocess, sys, threading
import pdg
from pdg.scheduler import PyScheduler
from pdg.job.callbackserver import CallbackServerMixin

SCRIPT = '''
import sys, xmlrpc.client
server = xmlrpc.client.ServerProxy("http://" + sys.argv[1])
try:
    server.start_cook(sys.argv[2], "")
    server.success(sys.argv[2], 1.0, "")
except xmlrpc.client.Error as error:
    print(error)
    raise SystemExit(1)
'''


class Old(CallbackServerMixin, PyScheduler):
    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        CallbackServerMixin.__init__(self, False)

    def onStart(self):
        return self.startCallbackServer()

    def onSchedule(self, work_item):
        address = self.workItemResultServerAddr()
        print("told", address)
        address = "127.0.0.1:" + address.split(":")[1]
        done = subprocess.run([sys.executable, "-c", SCRIPT, address, work_item.name])
        return pdg.scheduleResult.Failed if done.returncode else None


def registerTypes(type_registry):
    type_registry.registerScheduler(Old)
"""
NETWORK = """
[network]
name = "net"
scheduler = "old"
[schedulers.old]
type = "old"
[schedulers.old.parms]
{parms}
[nodes.a]
type = "genericgenerator"
parms = {{ command = "true" }}
"""


def test_a_client_of_old_without_the_secret_is_refused_unless_the_scheduler_says_so(bench: CookBench) -> None:
    bench.types("old", OLD)
    refused = bench.cook(NETWORK.format(parms=""))
    assert refused.outcome == "failed"
    (told,) = [each.text for each in refused.cook.messages if each.source == "result server"]
    assert told.startswith("1 report without the secret was refused\n")
    taken = bench.cook(NETWORK.format(parms="topcook_oldclients = true"))
    assert taken.outcome == "cooked"
    assert not taken.cook.messages
    assert taken.items()[0].ran().started is not None


def test_address_and_ports_are_the_users(bench: CookBench) -> None:
    bench.types("old", OLD)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    parms = f"""
topcook_oldclients = true
topcook_serverbind = "127.0.0.1"
topcook_serveraddress = "render-host"
topcook_serverports = "{port} - {min(port + 50, 65535)}"
"""
    cooked = bench.cook(NETWORK.format(parms=parms))
    assert cooked.outcome == "cooked"
    told = next(line for line in cooked.log("old").splitlines() if line.startswith("told "))
    assert told.startswith("told render-host:")
    assert port <= int(told.rpartition(":")[2]) <= port + 50


def test_what_is_wrong_with_an_address_is_told_when_the_network_is_read(bench: CookBench) -> None:
    bench.types("old", OLD)
    parms = """
topcook_serverbind = "http://here"
topcook_serveraddress = "here:80"
topcook_serverports = "many"
"""
    with pytest.raises(GraphFileError) as refusal:
        bench.load(NETWORK.format(parms=parms))
    assert [problem.code for problem in refusal.value.problems] == [
        "result-server-ports",
        "result-server-address",
        "result-server-address",
    ]
    assert all(problem.line for problem in refusal.value.problems)


def test_the_data_of_an_item_is_there_as_text(bench: CookBench) -> None:
    cooked = bench.cook(NETWORK.format(parms="").replace('type = "old"', 'type = "localscheduler"'))
    item = cooked.items()[0]
    data = json.loads(cooked.context.serializeWorkItemJSON(item.id))["workitem"]
    assert (data["name"], data["schedulerName"]) == (item.name, "old")
    handle = cooked.context.graph.workItemById(item.id)
    assert json.loads(handle.saveJSONString())["workitem"] == data
