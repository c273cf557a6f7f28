"""Classes of files that cannot be executed: the same problems as live ones, and never more."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topcook.contract.callbacks import CALLBACKS
from topcook.contract.static_validate import static_problems
from topcook.contract.validate import validate_node, validate_scheduler
from topcook.errors import Problem
from topcook.model.enums import NodeType

Author = Callable[[str], ModuleType]
HEAD = "import abc, functools, pdg\nfrom pdg.scheduler import PyScheduler\nfrom pdg.job.callbackserver import CallbackServerMixin\n"
TAIL = "\ndef registerTypes(registry):\n    registry.registerScheduler(Farm)\n"


def both(source: str, tmp_path: Path) -> tuple[list[Problem], list[Problem]]:
    """What is said of ``Farm`` without executing it, and what of the living class."""
    path = tmp_path / "farm.py"
    path.write_text(source, encoding="utf-8")
    linecache.checkcache(str(path))
    told = static_problems(source.encode(), str(path))
    module: Any = ModuleType("authored_for_this_test")
    module.__file__ = str(path)
    exec(compile(source, str(path), "exec"), vars(module))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, module.__name__, module)
        return told, validate_scheduler(module.Farm)


SAME = {
    "a mistyped callback": "class Farm(PyScheduler):\n    def on_shedule(self, work_item): ...\n",
    "nothing at all": "class Farm(PyScheduler):\n    pass\n",
    "a good one": "class Farm(CallbackServerMixin, pdg.PyScheduler):\n    def onSchedule(self, work_item): ...\n",
    "no base": "class Farm:\n    def onSchedule(self, work_item): ...\n",
    "a base in the file": "class Base(PyScheduler):\n    def onSchedule(self): ...\nclass Farm(Base):\n    async def onStart(self): ...\n",
    "every kind of member": """class Farm(PyScheduler):
    onSchedule = None or (lambda self, item: 0)
    @property
    def onTick(self): return 1
    @staticmethod
    def onStart(): ...
    @classmethod
    def onStop(cls): ...
    def onStopCook(self, cancel, why): yield why
    def onStartCook(self, static=None, *, cook_set): ...
    def onScheduleStatic(self, dependents, dependencies, ready_items): ...
    def __init__(self): ...
    def templateBody(self): ...
    def getlogURI(self, work_item): ...
""",
    "an abstract one": "class Farm(PyScheduler, abc.ABC):\n    def onSchedule(self, work_item): ...\n    @abc.abstractmethod\n    def more(self): ...\n",
    "a generator inside": "class Farm(PyScheduler):\n    def onSchedule(self, work_item):\n        def inner(): yield 1\n        return list(inner())\n",
}


@pytest.mark.parametrize("case", SAME)
def test_what_is_told_of_the_text_is_what_is_told_of_the_class(case: str, tmp_path: Path) -> None:
    told, live = both(HEAD + SAME[case] + TAIL, tmp_path)
    assert told == live


LESS = {
    "a decorator": "class Farm(PyScheduler):\n    @functools.lru_cache\n    def onSchedule(self): ...\n",
    "a class decorator": "@functools.total_ordering\nclass Farm(PyScheduler):\n    def __lt__(self, o): ...\n    def on_shedule(self, work_item): ...\n",
    "an unknown base": "from types import SimpleNamespace\nclass Farm(SimpleNamespace, PyScheduler):\n    def onTick(self, why): ...\n",
    "members set from outside": "class Farm(PyScheduler):\n    pass\nFarm.onSchedule = lambda self, work_item: 0\n",
    "a class by chance": "if True:\n    class Farm(PyScheduler):\n        pass\n",
    "a member by chance": "class Farm(PyScheduler):\n    if True:\n        def onSchedule(self, work_item): ...\n",
    "another of the name": "class Farm(PyScheduler):\n    pass\nclass Farm(PyScheduler):\n    def onSchedule(self, work_item): ...\n",
}


@pytest.mark.parametrize("case", LESS)
def test_what_the_text_does_not_tell_is_passed_over(case: str, tmp_path: Path) -> None:
    told, live = both(HEAD + LESS[case] + TAIL, tmp_path)
    assert [each for each in told if each not in live] == []


def test_of_a_class_with_an_unknown_base_its_own_members_are_held_to_the_table() -> None:
    source = "from studio import Base\nclass Farm(Base):\n    async def onTick(self): ...\n" + TAIL
    assert [each.code for each in static_problems(source.encode(), "farm.py")] == ["async-callback"]


def test_node_classes_are_held_to_their_own_table(tmp_path: Path) -> None:
    source = (
        "import pdg\nclass Node(pdg.PyPartitioner):\n    def onPartition(self): ...\n"
        "def registerTypes(r): r.registerNode(Node, pdg.nodeType.Partitioner)\n"
    )
    namespace: dict[str, Any] = {"__name__": "authored"}
    path = tmp_path / "node.py"
    path.write_text(source, encoding="utf-8")
    exec(compile(source, str(path), "exec"), namespace)
    assert static_problems(source.encode(), str(path)) == validate_node(namespace["Node"], NodeType.Partitioner) != []


def test_none_of_the_authors_code_is_executed(capsys: pytest.CaptureFixture[str]) -> None:
    source = """
from pdg.scheduler import PyScheduler
print("top")
class Farm(PyScheduler):
    print("body")
    value: print("annotation") = print("value")
    def onSchedule(self, work_item: print("argument") = print("default")) -> print("result"):
        print("call")
"""
    assert static_problems((source + TAIL).encode(), "farm.py") == []
    assert capsys.readouterr().out == ""


PIECES = st.sampled_from(["self", "work_item", "*", "*args", "x=1", "**kw", "/", "cancel", "static", "cook_set", "y"])
METHODS = st.builds(
    lambda before, name, pieces, body: f"    {before}def {name}({', '.join(pieces)}): {body}\n",
    st.sampled_from(["", "@staticmethod\n    ", "@classmethod\n    ", "@property\n    ", "async "]),
    st.sampled_from([*[row.name for row in CALLBACKS], "templateName", "__init__", "__new__", "onTik", "helper"]),
    st.lists(PIECES, max_size=4, unique=True),
    st.sampled_from(["...", "yield 1", "return 1"]),
)


@settings(max_examples=100)
@given(st.lists(METHODS, max_size=4), st.sampled_from(["", "(PyScheduler)", "(CallbackServerMixin, PyScheduler)"]))
def test_text_and_class_agree_whatever_is_written(
    tmp_path_factory: pytest.TempPathFactory, methods: list[str], bases: str
) -> None:
    source = HEAD + f"class Farm{bases}:\n    pass\n" + "".join(methods) + TAIL
    try:
        compile(source, "farm.py", "exec")
    except SyntaxError:
        assert static_problems(source.encode(), "farm.py") == []
        return
    told, live = both(source, tmp_path_factory.mktemp("any"))
    assert told == live


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_no_text_upsets_it(content: bytes) -> None:
    assert static_problems(content, "farm.py") == []
