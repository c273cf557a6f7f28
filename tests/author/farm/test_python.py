"""In-process items for a worker elsewhere: which may go there, and what goes along."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from topcook.testkit.cookbench import CookBench, Cooked

#: Runs in-process items as a resident worker would, though in this process, and commands not at all.
FARM = """
import json, threading
import pdg
from pdg.job.callbackserver import CallbackServerMixin
from pdg.scheduler import PyScheduler
from topcook.author.farm.python import accept_python, python_job
from pdgjob.pythonjob import PythonJob

class Farm(CallbackServerMixin, PyScheduler):
    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        CallbackServerMixin.__init__(self, True)
    @classmethod
    def templateName(cls):
        return "farm"
    @classmethod
    def templateBody(cls):
        return json.dumps({"name": "farm", "parameters": []})
    def onStart(self):
        accept_python(self)
        return True
    def onStartCook(self, static, cook_set):
        self.startCallbackServer()
        return True
    def onStopCook(self, cancel):
        self.stopCallbackServer()
        return True
    def onSchedule(self, work_item):
        job = python_job(self, work_item, here="cook it here")
        spec = json.loads(json.dumps(job.spec))
        threading.Thread(target=PythonJob(spec).run).start()
        return pdg.scheduleResult.Succeeded

def registerTypes(registry):
    registry.registerScheduler(Farm)
"""
OWN = """
import json
import pdg
from pdg.processor import PyProcessor

class Own(PyProcessor):
    @classmethod
    def templateName(cls):
        return "own"
    @classmethod
    def templateBody(cls):
        return json.dumps({"name": "own", "parameters": []})
    def onGenerate(self, item_holder, upstream_items, generation_type):
        item_holder.addWorkItem(inProcess=True)
        return pdg.result.Success
    def onCookTask(self, work_item):
        work_item.setStringAttrib("cooked", "by the node's own function")
        return pdg.result.Success

def registerTypes(registry):
    registry.registerNode(Own, pdg.nodeType.Processor)
"""
NETWORK = """
[network]
name = "net"
scheduler = "farm"
[schedulers.farm]
type = "farm"
"""


@pytest.fixture
def farm(bench: CookBench) -> CookBench:
    bench.types("farm", FARM)
    return bench


def cooked(bench: CookBench, nodes: str) -> Cooked:
    done = bench.cook(NETWORK + nodes)
    assert done.outcome == "cooked", done.account
    return done


def test_a_script_runs_on_the_worker_and_its_attributes_reach_what_comes_after(farm: CookBench) -> None:
    done = cooked(
        farm,
        """
        [nodes.make]
        type = "pythonscript"
        parms.script = "work_item.setIntAttrib('size', 7 * self['slots'].evaluateInt()); assert pdg"
        parms.slots = 6
        [nodes.after]
        type = "pythonscript"
        inputs = ["make"]
        parms.script = "work_item.setIntAttrib('seen', work_item.intAttribValue('size'))"
        """,
    )
    assert [item.attributes["seen"].values for item in done.items("after")] == [(42,)]  # type: ignore[index]
    assert {item.scheduler for item in done.items()} == {"farm"}


def test_a_file_of_python_a_snippet_and_an_item_graph_go_there_too(farm: CookBench) -> None:
    (farm.folder / "said.py").write_text("work_item.setStringAttrib('said', 'by a file')")
    (farm.folder / "items.jsonl").write_text(
        '{"name": "one", "inprocess": true, "command": "work_item.setStringAttrib(\'said\', \'by a graph\')"}\n'
    )
    done = cooked(
        farm,
        """
        [nodes.file]
        type = "pythonscript"
        parms.file = "said.py"
        [nodes.snippet]
        type = "pythonprocessor"
        parms.generate = "item_holder.addWorkItem(inProcess=True)"
        parms.cooktask = '''
            if self.name != "snippet":
                return pdg.result.Failure
            work_item.setStringAttrib('said', 'by a snippet')
        '''
        [nodes.graph]
        type = "itemgraph"
        parms.file = "$HIP/items.jsonl"
        """,
    )
    said = {item.node.name: item.attributes["said"].values[0] for item in done.items()}  # type: ignore[index]
    assert said == {"file": "by a file", "snippet": "by a snippet", "graph": "by a graph"}
    assert {item.scheduler for item in done.items()} == {"farm"}


def test_an_error_shows_the_line_of_the_network_file(farm: CookBench) -> None:
    done = farm.cook(
        NETWORK + '[nodes.make]\ntype = "pythonscript"\nparms.script = """\nx = 1\nraise OSError(x)\n"""\n'
    )
    (item,) = done.items()
    assert (item.state.name, item.ran().messages[-1]) == ("CookedFail", "OSError: 1")
    text = (farm.folder / "net.toml").read_text()
    line = text.splitlines().index("raise OSError(x)") + 1
    logs = Path(done.context.core.host("farm").directories.log_dir(local=True))
    assert f'net.toml", line {line}, in <module>\n    raise OSError(x)' in (logs / f"{item.name}.log").read_text()


def test_what_only_a_node_s_own_class_can_do_is_cooked_here(farm: CookBench) -> None:
    farm.types("own", OWN)
    done = cooked(farm, '[nodes.make]\ntype = "own"\n')
    (item,) = done.items()
    assert item.scheduler == "pdg_inprocessscheduler"
    assert item.attributes["cooked"].values == ("by the node's own function",)  # type: ignore[index]


def test_a_class_that_cooks_otherwise_than_the_one_that_it_derives_from_is_cooked_here(farm: CookBench) -> None:
    farm.types(
        "own",
        OWN.replace(
            "from pdg.processor import PyProcessor",
            "from topcook.author import TaskScript\n"
            "from pdg.processor import PyProcessor\n"
            "class Base(PyProcessor):\n"
            "    def onCookTask(self, work_item): return pdg.result.Success\n"
            "    def taskScript(self, work_item): return TaskScript('', '<nothing>')\n",
        ).replace("Own(PyProcessor)", "Own(Base)"),
    )
    done = cooked(farm, '[nodes.make]\ntype = "own"\n')
    assert done.items()[0].scheduler == "pdg_inprocessscheduler"


def test_the_values_of_secret_parms_stay_here(farm: CookBench, monkeypatch: pytest.MonkeyPatch) -> None:
    farm.types(
        "own",
        OWN.replace('"parameters": []', '"parameters": [{"name": "key", "tag": ["secret"]}, {"name": "open"}]')
        .replace("from pdg.processor", "from topcook.author import TaskScript\nfrom pdg.processor")
        .replace(
            "    def onCookTask",
            "    def taskScript(self, work_item):\n"
            '        return TaskScript(\'assert self["key"] is None and self["open"].value == "yes"\', \'<test>\')\n'
            "    def onCookTask",
        ),
    )
    monkeypatch.setenv("STUDIO_KEY", "opensesame")
    cooked(farm, '[nodes.make]\ntype = "own"\nparms.key = { env = "STUDIO_KEY" }\nparms.open = "yes"\n')
    for path in (farm.folder / "pdgtemp").rglob("*"):
        assert not path.is_file() or b"opensesame" not in path.read_bytes(), path


def test_many_reports_that_are_told_together_are_each_recorded_or_refused(farm: CookBench) -> None:
    path = farm.folder / "refused"
    farm.types(
        "farm",
        FARM.replace(
            "import accept_python, python_job", "import accept_python\nfrom topcook.author.farm.ends import tell_cook"
        ).replace(
            FARM[FARM.index("        job = python_job") : FARM.index("        return pdg.scheduleResult.Succeeded")],
            "        calls = [['set_int_attrib', 1, work_item.id, -1, 'n%d' % n, n, 0, ''] for n in range(450)]\n"
            "        calls.insert(300, ['set_int_attrib', 1, 987654, -1, 'n', 1, 0, ''])\n"
            "        calls.append(['success', 1, work_item.id, 0.0, ''])\n"
            f"        with open({str(path)!r}, 'w') as stream:\n"
            "            json.dump(tell_cook(self, calls), stream)\n",
        ),
    )
    done = cooked(farm, '[nodes.make]\ntype = "pythonscript"\nparms.script = "pass"\n')
    (item,) = done.items()
    assert {name: found.values for name, found in (item.attributes or {}).items()} == {
        f"n{number}": (number,) for number in range(450)
    }
    (refused,) = json.loads(path.read_text())
    assert "987654" in refused
