"""In-process items on a real cluster: on threads of the workers, with all that a script may do to them."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path
from typing import Any

import pytest
from dask_bench import network, until

from topcook.testkit.cookbench import CookBench, Cooked
from topcook_dask.testcluster import TestCluster

# One farm at a time: they share the two cores.
pytestmark = pytest.mark.engine


def scripts(cluster: TestCluster, script: str, count: int = 1, parms: str = "", more: str = "") -> str:
    """A network of in-process items that run this."""
    text = network(cluster, "true", count=count, parms=parms)
    head, _, _ = textwrap.dedent(text).partition("[nodes.work]")
    return f"""{head}
[nodes.many]
type = "genericgenerator"
parms.itemcount = {count}
scheduler = "here"
parms.command = "true"
[schedulers.here]
type = "localscheduler"
[nodes.work]
type = "pythonscript"
inputs = ["many"]
parms.script = '''
{textwrap.dedent(script)}
'''
{more}
"""


def told(cook: Any) -> str:
    return "\n".join(each.text for each in cook.messages)


def log_of(done: Cooked, name: str) -> str:
    folder = done.context.core.host("farm").directories.log_dir(local=True)
    return (Path(folder) / f"{name}.log").read_text()


def test_what_scripts_make_on_workers_is_what_comes_after_them_gets(bench: CookBench, cluster: TestCluster) -> None:
    script = """
        import os
        work_item.setIntAttrib("square", work_item.index ** 2)
        work_item.setIntAttrib("worker", os.getpid())
        path = work_item.localizePath(f"__PDG_DIR__/out_{work_item.index}")
        with open(path, "w") as stream:
            stream.write(str(work_item.index))
        work_item.addOutputFile(path, "file/txt")
        print("said by", work_item.index)
    """
    more = (
        '[nodes.after]\ntype = "genericgenerator"\ninputs = ["work"]\n'
        "parms.command = 'cp @pdg_input after_@pdg_index'\n"
    )
    done = bench.cook(scripts(cluster, script, count=20, more=more))
    assert done.outcome == "cooked", done.account
    items = done.items("work")
    assert {item.scheduler for item in items} == {"farm"}
    assert [item.attributes["square"].values for item in items] == [(n * n,) for n in range(20)]  # type: ignore[index]
    workers = {item.attributes["worker"].values[0] for item in items}  # type: ignore[index]
    assert workers <= {cluster.worker_pid(name) for name in cluster.names}
    for item in items:
        assert [Path(file.path).name for file in item.outputs or ()] == [f"out_{item.index}"]
        assert f"said by {item.index}\n" in log_of(done, item.name)
        assert (bench.folder / f"after_{item.index}").read_text() == str(item.index)


def test_what_goes_wrong_in_a_script_is_told_with_its_line_and_hurts_nobody_else(
    bench: CookBench, cluster: TestCluster
) -> None:
    script = """
        import sys, threading
        if work_item.index == 1:
            sys.exit(3)
        if work_item.index == 2:
            class Odd(Exception):
                # It could not be sent anywhere.
                def __init__(self, one, two): self.lock = threading.Lock()
                def __reduce__(self): raise TypeError
            raise Odd(1, 2)
        if work_item.index == 3:
            work_item.setStringAttrib("all", "x" * (16 << 20))
        if work_item.index == 4:
            work_item.setPyObjectAttrib("lock", threading.Lock())
        if work_item.index == 5:
            work_item.node
        if work_item.index == 6:
            work_item.setStringAttrib("much", "x" * (1 << 20))
    """
    done = bench.cook(scripts(cluster, script, count=8))
    items = {item.index: item for item in done.items("work")}
    states = {index: item.state.name for index, item in items.items()}
    failed = {index for index, state in states.items() if state == "CookedFail"}
    assert failed == {1, 2, 3, 5}, (states, done.messages)
    assert {index for index, state in states.items() if state == "CookedSuccess"} == {0, 4, 6, 7}
    assert items[1].ran().messages[-1] == "SystemExit: 3"
    assert items[2].ran().messages[-1].startswith("Odd: ")
    line = (bench.folder / "net.toml").read_text().splitlines().index("    raise Odd(1, 2)") + 1
    assert f'net.toml", line {line}, in <module>\n    raise Odd(1, 2)\n' in log_of(done, items[2].name)
    assert "MiB are more than a report can carry: write a file" in items[3].ran().messages[-1]
    assert "dask_inprocess=0" in items[5].ran().messages[-1]
    assert len(items[6].attributes["much"].values[0]) == 1 << 20  # type: ignore[index]
    # A later cook finds the workers as they were.
    done = bench.cook(scripts(cluster, "assert True", count=8))
    assert done.outcome == "cooked", done.account


def test_a_script_that_fails_is_tried_again(bench: CookBench, cluster: TestCluster) -> None:
    script = """
        import os
        path = work_item.localizePath("__PDG_DIR__/tried")
        open(path, "a").write("x")
        assert os.stat(path).st_size > 1
    """
    done = bench.cook(scripts(cluster, script, more="parms.pdg_retries = 1"))
    (item,) = done.items("work")
    assert (item.state.name, item.attempt) == ("CookedSuccess", 2), done.messages


def test_a_cook_that_is_canceled_ends_python_that_runs_and_begins_none(bench: CookBench, cluster: TestCluster) -> None:
    script = """
        import time
        open(work_item.localizePath(f"__PDG_DIR__/began_{work_item.index}"), "w").close()
        while True:
            time.sleep(0.01)
    """
    context = bench.load(scripts(cluster, script, count=20))
    cook = bench.start(context)
    # Two workers of two threads each.
    until(lambda: len(list(bench.folder.glob("began_*"))) == 4, "all run that can")
    cook.cancel("by the test")
    done = bench.finish(context, cook)
    assert set(done.states("work").values()) <= {"CookedCancel", "Uncooked", "Waiting"}, done.messages
    assert len(list(bench.folder.glob("began_*"))) == 4
    # The threads are free again.
    done = bench.cook(scripts(cluster, "assert True", count=8))
    assert done.outcome == "cooked", done.account


def test_an_item_in_a_call_that_cannot_be_interrupted_is_canceled_all_the_same(
    bench: CookBench, cluster: TestCluster
) -> None:
    gate = bench.folder / "gate"
    os.mkfifo(gate)
    script = f"""
        import os, time
        open(work_item.localizePath(f"__PDG_DIR__/began_{{work_item.index}}"), "w").close()
        if work_item.index == 0:
            open({str(gate)!r}).read()
        while not os.path.exists({str(bench.folder / "go")!r}):
            time.sleep(0.01)
    """
    context = bench.load(scripts(cluster, script, count=2, more="parms.pdg_timeoutgrace = 0.5"))
    cook = bench.start(context)
    until((bench.folder / "began_0").exists, "it runs")
    cook.cancel_items([item for item in cook.state.all_items() if item.index == 0 and item.node.name == "work"])
    until(lambda: "cannot be interrupted, and goes on in process" in told(cook), "it is told")
    (bench.folder / "go").touch()
    done = bench.finish(context, cook)
    assert [item.state.name for item in done.items("work")] == ["CookedCancel", "CookedSuccess"], done.messages
    # Whoever waits for a writer has one now.
    with gate.open("w"):
        pass


def test_in_process_items_cook_here_where_that_is_wanted(bench: CookBench, cluster: TestCluster) -> None:
    script = "import os; work_item.setIntAttrib('here', os.getpid()); assert work_item.node.name == 'work'"
    done = bench.cook(scripts(cluster, script, parms="dask_inprocess = 0"))
    assert done.outcome == "cooked", done.account
    (item,) = done.items("work")
    assert item.scheduler != "farm"


def test_workers_need_no_topcook_for_python(bench: CookBench, cluster: TestCluster) -> None:
    """Such a worker is started here: the others have what this machine has."""
    lonely = "import sys; sys.modules['topcook'] = sys.modules['pdg'] = None"
    with cluster.client() as client:
        client.run(exec, lonely)
        try:
            done = bench.cook(scripts(cluster, "work_item.setIntAttrib('done', 1)"))
            assert done.outcome == "cooked", done.account
            done = bench.cook(scripts(cluster, "pdg.File"))
            (item,) = done.items("work")
            assert 'it uses "pdg", which is not installed on' in item.ran().messages[-1]
        finally:
            client.run(exec, "import sys; del sys.modules['topcook'], sys.modules['pdg']")
