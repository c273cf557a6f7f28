"""The names that files import from Houdini's `pdg`."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import pdg

FACADE = Path(str(pdg.__file__)).parent

#: Lines of real files.
IMPORTS = (
    "from pdg.scheduler import PyScheduler, evaluateParamOr, convertEnvMapToUTF8, submitGraphAsJob",
    "from pdg.job.callbackserver import CallbackServerMixin, CallbackServer",
    "from pdg.job.eventdispatch import EventDispatchMixin",
    "from pdg.job.mqrelay import MQRelay",
    "from pdg.utils import expand_vars, TickTimer, print_headless",
    "from pdg.utils.mq import MQUtility, MQInfo, MQState, MQUsage, MQSchedulerMixin",
    "from pdg.utils.simple_mq import SimpleMQSchedulerMixin",
    "from pdg.staticcook import StaticCookMixin",
    "from pdg import scheduleResult, tickResult, serviceState, attribFlag, CookError, ServiceError, Scheduler",
    "from pdg import workItemState, EventType, createProcessJob, createHarsServer",
    "import pdg.node, pdg.callback, pdg.context, pdg.workitem, pdg.processor, pdg.partitioner, pdg.mapper",
    "import pdg.dependency, pdg.feedback, pdg.parms, pdg.toplevel, pdg.types, pdg.hda",
    "from pdg.processor import PyProcessor",
    "from pdg.partitioner import PyPartitioner",
    "from pdg.mapper import PyMapper",
)

#: ``pdg.X.Y`` as files write it, and the integer where PDG publishes it.
MEMBERS = (
    ("scheduleResult.FullDeferred", None),
    ("tickResult.SchedulerCancelCook", None),
    ("acceptResult.Default", None),
    ("workItemState.CookedCancel", 9),
    ("workItemType.DynamicPartition", 4),
    ("attribType.Undefined", 6),
    ("attribFlag.EnvExport", 2),
    ("workItemLogType.Raw", 3),
    ("EventType.NodeSetScheduler", 47),
    ("nodeType.Mapper", None),
    ("generateWhen.EachUpstreamCooked", None),
    ("result.Success", None),
    ("batchActivation.All", 2),
    ("cookType.StaticDepsFull", None),
    ("platform.Linux", None),
)


@pytest.mark.parametrize("line", IMPORTS)
def test_a_line_of_a_real_file_imports(line: str) -> None:
    exec(line, {})


@pytest.mark.parametrize(("name", "number"), MEMBERS)
def test_an_enumeration_has_pdgs_member(name: str, number: int | None) -> None:
    kind, member = name.split(".")
    found = getattr(getattr(pdg, kind), member)
    assert number is None or int(found) == number


def test_submodules_are_reached_by_attribute() -> None:
    code = "import pdg; print(pdg.scheduler.PyScheduler is pdg.PyScheduler, pdg.job.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True pdg.job\n"


def test_the_facade_holds_names_only() -> None:
    """Imports, constants, and the two functions by which a module loads late: nothing else."""
    for path in FACADE.rglob("*.py"):
        for node in ast.parse(path.read_text("utf-8")).body:
            late = isinstance(node, ast.FunctionDef) and node.name in {"__getattr__", "__dir__"}
            names = isinstance(node, ast.Import | ast.ImportFrom | ast.Expr | ast.Assign)
            assert late or names, f"{path}:{node.lineno}"
    assert sum(len(path.read_text("utf-8").splitlines()) for path in FACADE.rglob("*.py")) < 400


def test_importing_it_loads_neither_the_runtime_nor_heavy_modules() -> None:
    code = "import sys, pdg, pdg.scheduler, pdg.job.callbackserver; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert loaded.isdisjoint(
        {
            "asyncio",
            "socket",
            "xmlrpc.client",
            "logging",
            "rich",
            "subprocess",
            "hashlib",
            "pluggy",
            "topcook.runtime",
            "topcook.factory",
            "importlib_metadata",
            "json",
            "tomllib",
            "shutil",
        }
    )


def test_a_name_that_pdg_has_not_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'pdg' has no attribute 'scheduleResults'"):
        pdg.scheduleResults  # noqa: B018
    with pytest.raises(ImportError):
        importlib.import_module("pdg.nothing")


def test_what_only_houdini_can_do_says_so() -> None:
    for function in (pdg.createProcessJob, pdg.createHarsServer):
        with pytest.raises(NotImplementedError, match="Houdini"):
            function()
