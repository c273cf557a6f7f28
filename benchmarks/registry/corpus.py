"""Directories of scheduler files to find: one body, with the tail that each registry asks for."""

from __future__ import annotations

from pathlib import Path

#: Fifteen callbacks, about 130 lines: what a scheduler of a studio looks like.
CALLBACKS: tuple[tuple[str, str], ...] = (
    ("onStart", "self"),
    ("onStop", "self"),
    ("onStartCook", "self, static, cook_set"),
    ("onStopCook", "self, cancel"),
    ("onSchedule", "self, work_item"),
    ("onScheduleStatic", "self, dependencies, dependents, ready_items"),
    ("onTick", "self"),
    ("onCancelWorkItems", "self, work_items, node"),
    ("onTransferFile", "self, file_path"),
    ("onWorkItemStartCook", "self, work_item, cook_duration"),
    ("submitAsJob", "self, graph_file, node_path"),
    ("applicationBin", "self, app, work_item"),
    ("getLogURI", "self, work_item"),
    ("getStatusURI", "self, work_item"),
    ("endSharedServer", "self, shared_server_name"),
)

_METHOD = '''
    def {name}({arguments}):
        """Answer for {name}, as the farm wants it."""
        settings = {{"host": "localhost", "port": {number}, "retries": 3}}
        values = [settings[key] for key in sorted(settings)]
        if not values:
            raise RuntimeError("no settings for {name}")
        return {answer}
'''

_HEAD = '''"""Scheduler number {number} of a benchmark."""

import os
import sys

{imports}


def helper_{number}(values):
    """Sum what is a number."""
    return sum(each for each in values if isinstance(each, int))


class {cls}({base}):
    """Sends work items to farm {number}."""
'''

_ANSWERS = {
    "onStartCook": "True",
    "onStopCook": "True",
    "onTick": "pdg.tickResult.SchedulerReady",
    "onSchedule": "pdg.scheduleResult.Succeeded",
    "endSharedServer": "True",
    "applicationBin": '"python"',
    "getLogURI": '""',
    "getStatusURI": '""',
}


def class_name(number: int) -> str:
    """The class of scheduler ``number``."""
    return f"BenchScheduler{number:05d}"


def source(number: int, *, imports: str, base: str, tail: str, hook: str = "") -> str:
    """One file; ``hook`` stands before each callback, ``tail`` is what a registry looks for at the end."""
    cls = class_name(number)
    methods = "".join(
        _METHOD.format(name=name, arguments=arguments, number=number, answer=_ANSWERS.get(name, "None")).replace(
            "    def ", hook + "    def ", 1
        )
        for name, arguments in CALLBACKS
    )
    head = _HEAD.format(number=number, imports=imports, cls=cls, base=base)
    return head + methods + tail.format(cls=cls, number=number)


FLAVOURS: dict[str, dict[str, str]] = {
    # What Topcook and the plain loop find.
    "pdg": {
        "imports": "import pdg\nfrom pdg.scheduler import PyScheduler",
        "base": "PyScheduler",
        "tail": "\n\ndef registerTypes(type_registry):\n    type_registry.registerScheduler({cls})\n",
    },
    "pluggy": {
        "imports": "import pdg\nimport pluggy\n\nhookimpl = pluggy.HookimplMarker('bench')",
        "base": "object",
        "tail": "\n\nplugin = {cls}\n",
        "hook": "    @hookimpl\n",
    },
    "stevedore": {"imports": "import pdg", "base": "object", "tail": "\n"},
    "openassetio": {
        "imports": "import pdg\nfrom openassetio.pluginSystem import PythonPluginSystemPlugin",
        "base": "PythonPluginSystemPlugin",
        "tail": "\n    @classmethod\n    def identifier(cls):\n        return '{cls}'\n\n\nplugin = {cls}\n",
    },
}

#: What files import as ``pdg`` in the processes of other registries: the names, and nothing to load.
STAND_IN = {
    "pdg/__init__.py": (
        "class scheduleResult:\n    Succeeded = 0\n\n\nclass tickResult:\n    SchedulerReady = 0\n"  # two small classes
    ),
    "pdg/scheduler.py": "class PyScheduler:\n    pass\n",
}


def write_stand_in(folder: Path) -> Path:
    """The stand-in for ``pdg`` below ``folder``; returns what goes on PYTHONPATH."""
    for name, text in STAND_IN.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def write_files(folder: Path, count: int, flavour: str) -> Path:
    """``count`` files of a flavour in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        text = source(number, **FLAVOURS[flavour])
        (folder / f"bench_{number:05d}.py").write_text(text, encoding="utf-8")
    return folder


def write_distributions(folder: Path, count: int, group: str, flavour: str) -> Path:
    """``count`` installed distributions, each with one module and one entry point of ``group``."""
    write_files(folder, count, flavour)
    for number in range(count):
        info = folder / f"bench_dist_{number:05d}-1.0.dist-info"
        info.mkdir()
        target = f"bench_{number:05d}" + (f":{class_name(number)}" if flavour == "stevedore" else "")
        metadata = f"Metadata-Version: 2.1\nName: bench-dist-{number:05d}\nVersion: 1.0\n"
        (info / "METADATA").write_text(metadata, encoding="utf-8")
        (info / "entry_points.txt").write_text(f"[{group}]\nbench_{number:05d} = {target}\n", encoding="utf-8")
    return folder
