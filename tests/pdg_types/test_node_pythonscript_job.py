"""pythonscript as a job: the runner, with a real data file, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from topcook.model.workitem import WorkItem
from topcook.runtime.serialize import write_item
from topcook.runtime.workdir import copy_support_files
from topcook.testkit.nodebench import NodeBench


def run(bench: NodeBench, item: WorkItem, temp: Path) -> subprocess.CompletedProcess[str]:
    """Run the item's command as a scheduler would, without a cook to report to."""
    for name in ("scripts", "data"):
        (temp / name).mkdir(parents=True, exist_ok=True)
    copy_support_files(str(temp / "scripts"), "secret")
    write_item(item, bench, str(temp / "data"), scheduler_name="local", compress=False)
    command = item.command.replace("__PDG_PYTHON__", sys.executable).replace("__PDG_DIR__", bench.network.hip)
    command = command.replace("__PDG_SCRIPTDIR__", str(temp / "scripts"))
    env = {
        **os.environ,
        "PDG_ITEM_NAME": item.name,
        "PDG_ITEM_ID": str(item.id),
        "PDG_DIR": bench.network.hip,
        "PDG_TEMP": str(temp),
        "PDG_SCRIPTDIR": str(temp / "scripts"),
    }
    env.pop("PDG_RESULT_SERVER", None)
    return subprocess.run(command, shell=True, env=env, capture_output=True, text=True, check=False, cwd=temp)


def test_the_script_sees_its_item_and_its_arguments(bench: NodeBench, tmp_path: Path) -> None:
    source = bench.node("w", "wedge", wedgeattributes=[{"name": "angle", "values": [1.5]}])
    bench.make(source)
    script = """
        import json, sys
        print(json.dumps([work_item.name, work_item.floatAttribValue("angle"), sys.argv[1:], __name__]))
    """
    node = bench.node("py", "pythonscript", [source], script=script, inprocess=False, extraargs="one 'two three'")
    (item,) = bench.make(node)
    done = run(bench, item, tmp_path / "temp")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [item.name, 1.5, ["one", "two three"], "__main__"]


def test_a_traceback_shows_the_line_of_the_network_file(bench: NodeBench, tmp_path: Path) -> None:
    path = tmp_path / "net.toml"
    path.write_text('[nodes.py.parms]\nscript = """\n  a = 1\n  a / 0\n"""\n')
    node = bench.node("py", "pythonscript", script="  a = 1\n  a / 0\n", inprocess=False)
    node.places = lambda _parm, line: (str(path), 3 + line)
    (item,) = bench.make(node)
    done = run(bench, item, tmp_path / "temp")
    assert done.returncode == 1
    assert f'File "{path}", line 4' in done.stderr
    assert "a / 0" in done.stderr


@pytest.mark.parametrize("name", ["job.py", "my job.py"])
def test_a_file_runs_beside_its_helpers(bench: NodeBench, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "scripts here"
    folder.mkdir()
    (folder / "helper.py").write_text("WORD = 'hello'")
    (folder / name).write_text("import helper\nprint(helper.WORD, work_item.name)")
    (item,) = bench.make(bench.node("py", "pythonscript", file=f"$HIP/scripts here/{name}", inprocess=False))
    done = run(bench, item, tmp_path / "temp")
    assert done.stdout == f"hello {item.name}\n", done.stderr
