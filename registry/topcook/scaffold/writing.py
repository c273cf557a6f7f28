"""Write a new scheduler file from the contract table, a network that uses it, and a test of both."""

from __future__ import annotations

from collections.abc import Iterator

from topcook.contract.callbacks import CALLBACKS, Callback, Need
from topcook.contract.layout import docstring, literal
from topcook.scaffold.kind import Kind
from topcook.scaffold.musts import MUSTS
from topcook.scaffold.names import TypeNames

__all__ = ["new_network", "new_scheduler", "new_test"]


def new_scheduler(names: TypeNames, kind: Kind) -> str:
    """The text of a scheduler file: every callback that PDG's help calls a must, and those that the kind needs."""
    imports = sorted({"json", "os", *kind.imports})
    lines = [
        f'"""{names.label}: {kind.sentence}',
        "",
        *kind.about.strip().splitlines(),
        '"""',
        "",
        "from __future__ import annotations",
        "",
        *(f"import {each}" for each in imports if " " not in each),
        *(each for each in imports if " " in each),
        "",
        "import pdg",
        "from pdg.job.callbackserver import CallbackServerMixin",
        "from pdg.scheduler import PyScheduler",
        "",
        '# What users can set. What is tagged "pdg::scheduler" a node may override for its own work items.',
        f"PARMS = {literal([_parm(names, each) for each in kind.parms], 0, 8)}",
        "",
        *(["", *kind.head.strip().splitlines(), ""] if kind.head else ()),
        "",
        *_class(names, kind),
        "",
        "",
        "def registerTypes(type_registry):",
        docstring("Called when the file is found on the types path.", 4),
        f"    type_registry.registerScheduler({names.cls}, label={literal(names.label)})",
        "",
    ]
    return _named("\n".join(lines), names)


def _parm(names: TypeNames, parm: object) -> dict[str, object]:
    assert isinstance(parm, dict)  # noqa: S101 - a kind's table is ours
    return {**parm, "name": f"{names.name}_{parm['name']}"}


def _class(names: TypeNames, kind: Kind) -> Iterator[str]:
    yield f"class {names.cls}(CallbackServerMixin, PyScheduler):"
    yield docstring(kind.sentence, 4)
    yield ""
    yield "    def __init__(self, scheduler, name):"
    yield docstring("Parms cannot be read yet: that begins with onStart.", 8)
    yield "        PyScheduler.__init__(self, scheduler, name)"
    yield f"        CallbackServerMixin.__init__(self, {kind.here})"
    yield from _indented(kind.state, 8)
    yield ""
    yield "    @classmethod"
    yield "    def templateName(cls):"
    yield docstring("The name that networks ask for.", 8)
    yield f"        return {literal(names.name)}"
    yield ""
    yield "    @classmethod"
    yield "    def templateBody(cls):"
    yield docstring("The parms.", 8)
    yield f'        return json.dumps({{"name": {literal(names.name)}, "parameters": PARMS}})'
    for row in CALLBACKS:
        body = kind.bodies.get(row.name) or (MUSTS.get(row.name) if _is_must(row) else None)
        if body is not None:
            yield ""
            yield f"    def {row.signature}:"
            yield docstring(row.sentence, 8)
            yield from _indented(body, 8)
    if kind.helpers:
        yield ""
        yield from _indented(kind.helpers, 4)


def _is_must(row: Callback) -> bool:
    return row.need is not Need.OPTIONAL


def _indented(text: str, indent: int) -> Iterator[str]:
    pad = " " * indent
    for line in text.strip("\n").splitlines():
        yield pad + line if line.strip() else ""


def _named(text: str, names: TypeNames) -> str:
    return text.replace("@name@", names.name).replace("@class@", names.cls).replace("@label@", names.label)


_NETWORK = """# A small network for types file @name@.py. Beside that file:
#     PDG_TYPES_PATH=. topcook cook @name@.toml

[network]
name = "@name@"
scheduler = "farm"

[schedulers.farm]
type = "@name@"
[schedulers.farm.parms]
pdg_workingdir = "$HIP/work"
pdg_tickperiod = 0.1
"""

_NODES = """
[nodes.frames]
type = "genericgenerator"
[nodes.frames.parms]
framerange = [1, 4, 1]
command = 'echo frame @pdg_frame > "__PDG_DIR__/frame.@pdg_frame.txt"'
outputs = [ { path = "__PDG_DIR__/frame.@pdg_frame.txt", tag = "file/txt" } ]

[nodes.all]
type = "waitforall"
inputs = ["frames"]

[nodes.film]
type = "genericgenerator"
inputs = ["all"]
[nodes.film.parms]
command = 'cat "__PDG_DIR__"/frame.*.txt > "__PDG_DIR__/film.txt"'
outputs = [ { path = "__PDG_DIR__/film.txt", tag = "file/txt" } ]
"""


def new_network(names: TypeNames, kind: Kind) -> str:
    """A network file of a few work items that depend on each other, cooked by the type."""
    return _named(_NETWORK + (kind.network or _NODES), names)


_TEST = '''"""@label@: its file is right, and it cooks. Run by: python -m pytest test_@name@.py"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from topcook.testkit.cookbench import CookBench

# Nothing of your own index, configuration and cooks is read or written.
pytest_plugins = ["topcook.testkit.fixtures"]
FILE = Path(__file__).with_name("@name@.py")
NETWORK = Path(__file__).with_name("@name@.toml")


@pytest.fixture
def bench(tmp_path):
    """A folder with the scheduler in it, where networks are cooked."""
    made = CookBench(tmp_path)
    made.types("@name@", FILE.read_text(encoding="utf-8"))
    yield made
    made.close()


def test_the_file_has_all_that_a_scheduler_must_have():
    command = [sys.executable, "-m", "topcook", "check", "--strict", str(FILE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_work_item_cooks(bench):
    cooked = bench.cook(NETWORK.read_text(encoding="utf-8"))
    assert cooked.outcome == "cooked", cooked.messages
    assert set(cooked.states().values()) == {"CookedSuccess"}


def test_nothing_starts_before_what_it_depends_on_has_ended(bench):
    cooked = bench.cook(NETWORK.read_text(encoding="utf-8"))
    assert cooked.out_of_order() == []


def test_an_item_that_fails_is_told_as_failed(bench):
    network = NETWORK.read_text(encoding="utf-8")
    broken = network.replace("@breaks@", "@broken@")
    assert broken != network
    cooked = bench.cook(broken)
    assert cooked.outcome == "failed"
    assert "CookedFail" in set(cooked.states().values())
'''


def new_test(names: TypeNames, kind: Kind) -> str:
    """A test file for pytest that checks the scheduler and cooks its network."""
    breaks, broken = (
        ("number = ", "number = 1 / 0 + ") if kind.network else ("command = 'echo", "command = 'exit 3; echo")
    )
    return _named(_TEST.replace("@breaks@", breaks).replace("@broken@", broken), names)
