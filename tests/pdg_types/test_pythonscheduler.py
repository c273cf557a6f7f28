"""The Python Scheduler node in real cooks: text fields of a network file, the help pages' snippets among them."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from topcook.contract.callbacks import CALLBACKS
from topcook.contract.fields import FIELD_TAG, static_of
from topcook.errors import GraphFileError
from topcook.factory.scan import Factory
from topcook.model.states import WorkItemState
from topcook.runtime.api.context import GraphContext
from topcook.runtime.netfile import load_network

NODE = """
[nodes.work]
type = "genericgenerator"
parms.itemcount = 2
parms.command = "echo from @pdg_index"
"""

#: The help page's snippet, its tabs and its imaginary farm included.
IMAGINARY_API = """
	# Imaginary API to schedule a job
	jobid = myscheduler.submit_job(command=work_item.data.getString("command"),
		                           name=work_item.name,
		                           metadata={"pdg_index": work_item.index})

	# In this example the scheduler returns None if the submission was rejected
	if not jobid:
		# Failed at scheduling the job
		return pdg.scheduleResult.Failed

	# Imaginary call to check the status of a job
	status = myscheduler.get_status(jobid)
	if status == "done":
		# Immediate success!
		return pdg.scheduleResult.CookSucceeded
	elif status == "failed":
		# Immediate failure!
		return pdg.scheduleResult.CookFailed
	elif status == "scheduled":
		# Successfully put in the queue to run later
		return pdg.scheduleResult.Succeeded
"""  # noqa: E101 - the page's own tabs

#: The help page's workingDir: its last block is a comment only.
WORKING_DIR = """
	if local:
		return self["pdg_workingdir"].evaluateString()
	else:
		# Translate the local directory into a remote path using
		# self.localizePath()
"""


def load(folder: Path, fields: dict[str, str], factory: Factory, *, more: str = "", nodes: str = NODE) -> GraphContext:
    """A network whose scheduler "farm" has these fields; ``more`` is for its other tables."""
    texts = "".join(f"{name} = '''\n{text.strip(chr(10))}\n'''\n" for name, text in fields.items())
    path = folder / "net.toml"
    path.write_text(
        f'[network]\nscheduler = "farm"\n[schedulers.farm]\ntype = "pythonscheduler"\n'
        f"[schedulers.farm.parms]\n{texts}{more}\n{nodes}",
        encoding="utf-8",
    )
    return load_network(path, factory=factory)


def states(context: GraphContext) -> dict[str, WorkItemState]:
    return {item.name: item.state for item in context.core.items()}


def errors(context: GraphContext) -> str:
    return "\n".join(context.core.network.schedulers["farm"].errors)


class Farm(ModuleType):
    """The help page's imaginary scheduler software: ends each job by the name of its item."""

    def __init__(self, endings: dict[str, str]) -> None:
        super().__init__("myscheduler")
        self.endings = endings
        self.jobs: dict[int, tuple[str, str, dict[str, Any]]] = {}

    def submit_job(self, command: str, name: str, metadata: dict[str, Any]) -> int | None:
        if self.endings.get(name) == "rejected":
            return None
        self.jobs[len(self.jobs) + 1] = (command, name, metadata)
        return len(self.jobs)

    def get_status(self, job: int) -> str:
        return self.endings.get(self.jobs[job][1], "done")


def test_there_is_a_field_for_each_row_that_has_one_and_the_network_file_names_it(builtins: Factory) -> None:
    record = builtins.scheduler("pythonscheduler")
    fields = [spec.name for spec in record.parms if FIELD_TAG in spec.tags]
    assert sorted(fields) == sorted(row.field for row in CALLBACKS if row.field)
    assert not record.problems


def test_empty_fields_run_the_command_here_and_keep_its_log(tmp_path: Path, builtins: Factory) -> None:
    context = load(tmp_path, {}, builtins)
    assert context.cook()
    host = context.core.host("farm")
    log = Path(host.directories.log_dir(local=True), "work_2.log")
    assert log.read_text() == "from 1\n"
    item: Any = context.graph.workItemById(2)
    assert host.instance.getLogURI(item) == log.as_uri()
    context.close()


def test_a_field_of_comments_only_counts_as_empty(tmp_path: Path, builtins: Factory) -> None:
    context = load(tmp_path, {"onschedule": "# to be written\n\n  # later"}, builtins)
    assert context.cook()
    context.close()


def test_canceling_the_default_ends_its_command(tmp_path: Path, builtins: Factory) -> None:
    os.mkfifo(tmp_path / "fifo")
    nodes = '[nodes.work]\ntype = "genericgenerator"\nparms.command = "echo $$ > fifo; exec sleep 600"\n'
    context = load(tmp_path, {}, builtins, nodes=nodes)
    assert context.cook(False)
    # Reading waits until the command runs.
    pid = int((tmp_path / "fifo").read_text())
    context.cancelCook()
    context.waitAllEvents()
    assert [state.name for state in states(context).values()] == ["CookedCancel"]
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    context.close()


def test_the_imaginary_api_of_the_help_page_runs_verbatim(
    tmp_path: Path, builtins: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    farm = Farm({"work_2": "failed", "work_3": "rejected"})
    monkeypatch.setitem(sys.modules, "myscheduler", farm)
    # What a field makes global the others see, as in the file that Save To Python writes.
    fields = {"onstart": "global myscheduler\nimport myscheduler\n", "onschedule": IMAGINARY_API}
    nodes = NODE.replace("itemcount = 2", "itemcount = 3")
    context = load(tmp_path, fields, builtins, nodes=nodes)
    assert not context.cook()
    assert [state.name for state in states(context).values()] == ["CookedSuccess", "CookedFail", "CookedFail"]
    assert farm.jobs[1] == ("echo from 0", "work_1", {"pdg_index": 0})
    context.close()


def test_working_dir_and_url_of_the_help_page_run_verbatim(
    tmp_path: Path, builtins: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FARM_HOST", "farm")
    fields = {
        "workingdir": WORKING_DIR,
        "onstart": '# Get the value copied from the node\'s "url" parameter\n'
        'url = self["url"].evaluateString()\nself.url = url',
    }
    spare = '[[schedulers.farm.spare]]\nname = "url"\ntype = "string"\nvalue = "http://$FARM_HOST:8080/"\n'
    context = load(tmp_path, fields, builtins, more='pdg_workingdir = "$HIP/there"\n' + spare)
    assert context.cook()
    scheduler = context.core.host("farm").instance
    assert scheduler.url == "http://farm:8080/"
    assert scheduler.workingDir(True) == f"{tmp_path}/there"
    # Nothing returned: the default.
    assert scheduler.workingDir(False) == f"{tmp_path}/there"
    context.close()


def test_working_dir_may_translate_by_localize_path(tmp_path: Path, builtins: Factory) -> None:
    fields = {
        "workingdir": 'if local:\n    return self["pdg_workingdir"].evaluateString()\n'
        'return self.localizePath("__PDG_SHARED_ROOT__/remote")',
        "localizepath": 'return path.replace("__PDG_SHARED_ROOT__", self.workingDir(True))',
    }
    context = load(tmp_path, fields, builtins)
    assert context.cook()
    assert context.core.host("farm").instance.workingDir(False) == f"{tmp_path}/remote"
    context.close()


def test_notifications_may_come_from_a_timer_thread_that_keeps_self(tmp_path: Path, builtins: Factory) -> None:
    fields = {
        "onstartcook": """
            import threading
            self.jobs, self.over = [], threading.Event()
            def poll():
                while not self.over.wait(0.01):
                    for name, index in list(self.jobs):
                        self.onWorkItemStartCook(name, -1)
                        self.onWorkItemSucceeded(name, -1, 0.5)
            self.timer = threading.Thread(target=poll)
            self.timer.start()
            return True
            """,
        "onschedule": "self.jobs.append((work_item.name, work_item.index))\nreturn pdg.scheduleResult.Succeeded",
        "onstopcook": "self.over.set()\nself.timer.join()\nreturn True",
    }
    context = load(tmp_path, fields, builtins)
    assert context.cook()
    assert not [thread for thread in threading.enumerate() if thread.name == "poll"]
    context.close()


def test_every_mistake_of_the_fields_is_told_at_its_own_line_before_the_cook(tmp_path: Path, builtins: Factory) -> None:
    with pytest.raises(GraphFileError) as caught:
        load(tmp_path, {"onstart": "self.a = 1\nself.b = = 2", "onschedule": "if True:\nreturn 1"}, builtins)
    lines = (tmp_path / "net.toml").read_text().splitlines()
    told = {lines[(problem.line or 0) - 1]: problem.message for problem in caught.value.problems}
    assert told.keys() == {"self.b = = 2", "return 1"}
    assert told["self.b = = 2"].startswith('scheduler "farm", parm "onstart": ')


def test_what_a_field_raises_points_at_its_line(tmp_path: Path, builtins: Factory) -> None:
    context = load(tmp_path, {"onschedule": "wanted = {}\n\nreturn wanted['no such key']"}, builtins)
    assert not context.cook()
    lines = (tmp_path / "net.toml").read_text().splitlines()
    place = f"{tmp_path / 'net.toml'}:{lines.index(chr(114) + 'eturn wanted[' + repr('no such key') + ']') + 1}"
    assert f"KeyError: 'no such key'\n    at {place}" in errors(context)
    context.close()


def test_what_a_field_returns_is_held_against_its_row_at_its_place(tmp_path: Path, builtins: Factory) -> None:
    context = load(tmp_path, {"onschedule": '"an odd answer"\nreturn "done"'}, builtins)
    assert not context.cook()
    line = (tmp_path / "net.toml").read_text().splitlines().index('"an odd answer"') + 1
    assert "\"onSchedule\" returned 'done'" in errors(context)
    assert f"net.toml:{line}" in errors(context)
    context.close()


def test_super_in_a_field_is_the_base_class(tmp_path: Path, builtins: Factory) -> None:
    fields = {"localizepath": "return super().localizePath(path) + '!'"}
    context = load(tmp_path, fields, builtins)
    assert context.cook()
    assert context.core.host("farm").instance.localizePath("__PDG_DIR__/x") == f"{tmp_path}/x!"
    context.close()


@pytest.mark.parametrize(
    ("body", "direct"), [("self.sent = file_path\nreturn self.transferFile(file_path)", False), ("self.sent = 1", True)]
)
def test_the_transfer_field_may_call_the_method_it_stands_for(
    tmp_path: Path, builtins: Factory, body: str, direct: bool
) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "x.txt").write_text("content")
    context = load(tmp_path, {"transferfile": body}, builtins, more='pdg_workingdir = "$HIP/made"')
    assert context.cook()
    scheduler = context.core.host("farm").instance
    assert scheduler.onTransferFile(str(tmp_path / "x.txt")) is True
    assert scheduler.sent
    assert (tmp_path / "made" / "x.txt").exists() is not direct
    context.close()


@pytest.mark.parametrize(
    ("body", "static"),
    [
        ("", False),
        ("print(len(dependencies), ready_items)", False),
        ('    print("indented")\n    for item in ready_items:\n        self.farm.submit(item)', True),
        ('text = """\nof several lines"""\nself.graph = dependencies', True),
    ],
)
def test_the_static_field_decides_on_static_hand_over(
    tmp_path: Path, builtins: Factory, body: str, static: bool
) -> None:
    context = load(tmp_path, {"onschedulestatic": body}, builtins)
    node = context.core.network.schedulers["farm"]
    assert static_of(node, (True, "of the type"))[0] is static
    assert context.core.host("farm").takes_static is static
    context.close()


def test_a_static_field_gets_the_whole_graph_and_cooks_it(tmp_path: Path, builtins: Factory) -> None:
    fields = {
        "onschedulestatic": """
            waiting = {item: list(needed) for item, needed in dependencies.items()}
            while waiting:
                ready = [item for item, needed in waiting.items() if not any(each in waiting for each in needed)]
                for item in ready:
                    del waiting[item]
                    self.order.append(item.name)
                    self.onWorkItemSucceeded(item.name, -1, 0)
            """,
        "onstart": "self.order = []",
        "onschedule": "return pdg.scheduleResult.CookFailed",
    }
    nodes = NODE + '[nodes.after]\ntype = "genericgenerator"\ninputs = ["work"]\nparms.command = "true"\n'
    context = load(tmp_path, fields, builtins, nodes=nodes)
    assert context.cook()
    order = context.core.host("farm").instance.order
    assert sorted(order[:2]) == ["work_1", "work_2"]
    assert sorted(order[2:]) == ["after_3", "after_4"]
    context.close()


def test_spare_parms_tagged_job_parm_are_overridden_per_node_and_per_item(tmp_path: Path, builtins: Factory) -> None:
    fields = {
        "onstart": "self.queues = {}",
        "onschedule": "self.queues[work_item.name] = self.evaluateStringOverride("
        'work_item.node, "farm", "queue", work_item, "")\nreturn pdg.scheduleResult.CookSucceeded',
    }
    spare = '[[schedulers.farm.spare]]\nname = "farm_queue"\nvalue = "slow"\ntags = ["jobParm"]\n'
    nodes = (
        NODE
        + '[nodes.fast]\ntype = "genericgenerator"\njob_parms.farm_queue = "fast"\nparms.command = "true"\n'
        + '[nodes.wedge]\ntype = "wedge"\nparms.wedgeattributes = [{name = "farm_queue", values = ["a", "b"]}]\n'
        + '[nodes.each]\ntype = "genericgenerator"\ninputs = ["wedge"]\njob_parms.farm_queue = "fast"\n'
        + 'parms.command = "true"\n'
    )
    context = load(tmp_path, fields, builtins, more=spare, nodes=nodes)
    assert context.cook()
    queues = context.core.host("farm").instance.queues
    found = {(name.partition("_")[0], queue) for name, queue in queues.items()}
    assert found == {("work", "slow"), ("fast", "fast"), ("each", "a"), ("each", "b")}
    context.close()
