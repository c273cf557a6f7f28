"""The registries, each as a program of its own: find what lies in a directory (or is installed), print the seconds.

``python contenders.py NAME PATH`` is run in a fresh process by ``__main__``; the line it prints is what finding
took inside, beside which the whole process is timed from outside.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

GROUP = "bench.types"


def plain(path: str) -> int:
    """The floor: list the directory, import every file, and nothing else."""
    import importlib.util

    found = 0
    for name in sorted(os.listdir(path)):
        if name.endswith(".py"):
            spec = importlib.util.spec_from_file_location(name[:-3], os.path.join(path, name))
            assert spec is not None
            assert spec.loader is not None
            spec.loader.exec_module(importlib.util.module_from_spec(spec))
            found += 1
    return found


def with_pluggy(path: str) -> int:
    """Import every file and register its class, fifteen hooks each, with a pluggy manager."""
    import importlib.util

    import pluggy
    from corpus import CALLBACKS

    spec_marker = pluggy.HookspecMarker("bench")
    namespace: dict[str, object] = {}
    for name, arguments in CALLBACKS:
        exec(f"def {name}({arguments}): pass", namespace)
        namespace[name] = spec_marker(namespace[name])  # type: ignore[type-var]
    manager = pluggy.PluginManager("bench")
    manager.add_hookspecs(type("Spec", (), {name: namespace[name] for name, _ in CALLBACKS}))
    found = 0
    for name in sorted(os.listdir(path)):
        if name.endswith(".py"):
            spec = importlib.util.spec_from_file_location(name[:-3], os.path.join(path, name))
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            manager.register(module.plugin(), name)
            found += 1
    return found


def with_stevedore(path: str) -> int:
    """Enumerate and load the entry points below ``path``, which is on sys.path."""
    from stevedore.extension import ExtensionManager

    del path
    return len(list(ExtensionManager(GROUP, invoke_on_load=False)))


def with_openassetio(path: str) -> int:
    """OpenAssetIO's own scan of a directory."""
    from openassetio.log import ConsoleLogger, SeverityFilter
    from openassetio.pluginSystem import PythonPluginSystem

    logger = SeverityFilter(ConsoleLogger())
    logger.setSeverity(logger.Severity.kCritical)
    system = PythonPluginSystem(logger)
    system.scan_paths(path, "plugin")
    return len(system.identifiers())


def entry_points(path: str) -> int:
    """The floor for distributions: enumerate once, load each."""
    from importlib.metadata import entry_points as installed

    del path
    return len([each.load() for each in installed(group=GROUP)])


def with_topcook(path: str) -> int:
    """Topcook's factory: find and verify all records, below ``path`` and elsewhere."""
    from topcook.factory import Factory

    return sum(record.origin.path.startswith(path) for record in Factory.scan().records)


CONTENDERS: dict[str, Callable[[str], int]] = {
    "plain": plain,
    "pluggy": with_pluggy,
    "stevedore": with_stevedore,
    "openassetio": with_openassetio,
    "entry_points": entry_points,
    "topcook": with_topcook,
}


def main() -> None:
    """Run one contender and print how long it took and how many it found."""
    _, name, path = sys.argv
    if name == "topcook":
        import topcook.factory  # noqa: F401 - the floor's loop does not pay for its own imports either
    started = time.perf_counter()
    found = CONTENDERS[name](path)
    print(time.perf_counter() - started, found)


if __name__ == "__main__":
    main()
