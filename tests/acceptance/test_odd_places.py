"""Working directories that a shell would not read as they are written."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.acceptance.conftest import Shell
from topcook.testkit.processfarm import ProcessFarm

EXAMPLE = Path(__file__).parents[2] / "examples" / "farm_plugin" / "types" / "queuefarm.py"
ODD = ['a "b" it\'s $HOME `id`', "größe; $x\\slash\n& (c)"]
STEPS = ("first", "second", "batch", "script")
NETWORK = """
[network]
name = "net"
scheduler = "farm"
[schedulers.farm]
type = "TYPE"
parms = { pdg_workingdir = "$HIP/work"PARMS }
[nodes.make]
type = "genericgenerator"
parms.itemcount = 2
parms.command = '''
echo "$PDG_ITEM_NAME" > "__PDG_DIR__/first.@pdg_index" &&
cp "__PDG_DIR__"/first.@pdg_index __PDG_DIR__/second.@pdg_index && touch '__PDG_TEMP__/third.@pdg_index'
'''
[nodes.batch]
type = "genericgenerator"
inputs = ["make"]
parms.framesperbatch = 2
parms.command = "cp '__PDG_DIR__/second.@pdg_index' __PDG_DIR__/batch.@pdg_index"
[nodes.script]
type = "pythonscript"
inputs = ["batch"]
parms.inprocess = 0
parms.script = '''
import pdgcmd
open(pdgcmd.localizePath("__PDG_DIR__/script.%d" % work_item.index), "w").close()
'''
"""


@pytest.mark.parametrize("kind", ["localscheduler", "queuefarm"])
@pytest.mark.parametrize("name", ODD)
def test_commands_find_a_working_directory_of_any_name(shell: Shell, kind: str, name: str) -> None:
    shutil.copytree(EXAMPLE.parent, shell.folder / "types", ignore=shutil.ignore_patterns("__pycache__"))
    shell.environment |= {"PDG_TYPES_PATH": str(shell.folder / "types"), "x": "another"}
    farm = f', queue_folder = "{shell.folder}/farm", queue_poll = 0.5' if kind == "queuefarm" else ""
    shell.write(f"{name}/net.toml", NETWORK.replace("TYPE", kind).replace("PARMS", farm))
    with ProcessFarm(shell.folder / "farm"):
        shell.cook(f"{name}/net.toml")
    work = shell.folder / name / "work"
    made = {path.name for path in work.iterdir()}
    assert made >= {f"{step}.{index}" for step in STEPS for index in (0, 1)}
    assert len(list(work.glob("pdgtemp/*/third.*"))) == 2
