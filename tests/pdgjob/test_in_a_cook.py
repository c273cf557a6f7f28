"""The whole way: a job of a real cook imports pdgcmd and pdgjson, and what it says stands on its item."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import pdg


@pytest.fixture
def cook(tmp_path: Path) -> Callable[..., list[Any]]:
    def run(script: str, **parms: Any) -> list[Any]:
        path = tmp_path / "job.py"
        path.write_text(script, encoding="utf-8")
        context = pdg.GraphContext()
        context.addScheduler("localscheduler", "here")
        context.setParameter("here", "pdg_workingdir", str(tmp_path / "work"))
        for name, value in parms.items():
            context.setParameter("here", name, value)
        context.setDefaultScheduler("here")
        context.addNode("genericgenerator", "node")
        context.setParameter("node", "itemcount", 2)
        context.setParameter("node", "command", f"{sys.executable} {path}")
        context.cook(True)
        return list(context.graph.node("node").workItems)

    return run


def test_what_a_job_reports_stands_on_its_item(cook: Any, tmp_path: Path) -> None:
    items = cook(
        "import os, pdgcmd, pdgjson\n"
        "item = pdgjson.WorkItem.fromJobEnvironment()\n"
        "path = os.path.join(os.environ['PDG_DIR'], 'out %d.png' % item.index)\n"
        "open(path, 'w').close()\n"
        "pdgcmd.addOutputFile(path)\n"
        "item.setFloatAttrib('f', [1.5, item.index])\n"
        "pdgcmd.setStringAttrib('s', 'ü')\n"
        "pdgcmd.workItemSetCookPercent(0.5)\n"
    )
    assert [item.state for item in items] == [pdg.workItemState.CookedSuccess] * 2
    assert [item.floatAttribArray("f") for item in items] == [[1.5, 0.0], [1.5, 1.0]]
    assert [item.stringAttribValue("s") for item in items] == ["ü"] * 2
    for item in items:
        (made,) = item.outputFiles
        assert (made.path, made.tag) == (str(tmp_path / "work" / f"out {item.index}.png"), "file/image")


@pytest.mark.skipif(not shutil.which("bash"), reason="no bash here")
def test_what_a_shell_reports_stands_on_its_item(cook: Any, tmp_path: Path) -> None:
    made = tmp_path / "work" / "made.txt"
    tell = "PDG_PYTHON=/nowhere/python $PDG_SCRIPTDIR/pdgcmd"
    script = f"touch {made}; {tell} addOutputFile {made} && {tell} setStringAttrib s 'ü & \\'"
    items = cook(f"import subprocess; subprocess.run(['bash', '-c', {script!r}], check=True)")
    assert [item.state for item in items] == [pdg.workItemState.CookedSuccess] * 2
    assert [item.stringAttribValue("s") for item in items] == ["ü & \\"] * 2
    assert [[each.path for each in item.outputFiles] for item in items] == [[str(made)]] * 2


def test_starts_and_ends_of_local_jobs_need_no_client(tmp_path: Path) -> None:
    context = pdg.GraphContext()
    context.addScheduler("localscheduler", "here")
    context.setParameter("here", "pdg_workingdir", str(tmp_path))
    context.setDefaultScheduler("here")
    context.addNode("genericgenerator", "node")
    context.setParameter("node", "itemcount", 3)
    context.setParameter("node", "command", "test $PDG_ITEM_ID -ne 2")
    context.cook(True)
    items = list(context.graph.node("node").workItems)
    assert sorted(item.state.name for item in items) == ["CookedFail", "CookedSuccess", "CookedSuccess"]
    assert all(item.cookDuration > 0 for item in items)
    server = context.core._server
    assert server is None or server.counters.connections == 0


def test_a_cook_of_functions_fills_a_script_directory_when_a_function_asks_for_a_jobs_environment(
    tmp_path: Path,
) -> None:
    seen = []
    for asks in (False, True):
        context = pdg.GraphContext()
        context.addScheduler("inprocessscheduler", "here")
        context.setParameter("here", "pdg_workingdir", str(tmp_path / str(asks)))
        context.setDefaultScheduler("here")
        (tmp_path / "items.jsonl").write_text('{"name": "one", "inprocess": true}')
        context.addNode("itemgraph", "node")
        context.setParameter("node", "file", str(tmp_path / "items.jsonl"))
        context.cook(True)
        (item,) = context.graph.node("node").workItems
        host = context.core.host("here")
        if asks:
            host.job_environment(context.core.item(item.id))
        seen.append(Path(host.directories.script_dir(local=True), "pdgcmd.py").is_file())
    assert seen == [False, True]


def test_a_job_may_fail_itself(cook: Any) -> None:
    items = cook("import pdgcmd\npdgcmd.workItemFailed()\n")
    assert [item.state for item in items] == [pdg.workItemState.CookedFail] * 2


def test_a_job_that_guesses_at_another_item_is_told(cook: Any) -> None:
    items = cook(
        "import pdgcmd\n"
        "try:\n"
        "    pdgcmd.workItemSuccess(99999)\n"
        "except pdgcmd.RpcFault as fault:\n"
        "    raise SystemExit(0 if 'unknown work item 99999' in str(fault) else 3)\n"
        "raise SystemExit(4)\n"
    )
    assert [item.state for item in items] == [pdg.workItemState.CookedSuccess] * 2


def test_compressed_data_is_read(cook: Any) -> None:
    items = cook("import pdgjson\npdgjson.WorkItem.fromJobEnvironment()\n", pdg_compressworkitemdata=1)
    assert [item.state for item in items] == [pdg.workItemState.CookedSuccess] * 2


def test_data_by_message_is_read(cook: Any) -> None:
    items = cook(
        "import pdgjson\nassert pdgjson.WorkItem.fromJobEnvironment().name.startswith('node_')\n",
        pdg_workitemdatasource=1,
    )
    assert [item.state for item in items] == [pdg.workItemState.CookedSuccess] * 2
