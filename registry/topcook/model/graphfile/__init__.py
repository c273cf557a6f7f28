"""Network files and item graph files, read and checked; every mistake with its place.

What is asked for is imported then: whoever reads a configuration needs the shapes and places alone, at every start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from topcook.model.graphfile.itemgraph import ItemRecord, read_item_graph
    from topcook.model.graphfile.locate import KeyPath, Locator, locate_json, locate_toml
    from topcook.model.graphfile.reader import read_network_file
    from topcook.model.graphfile.source import Place, Source
    from topcook.model.graphfile.specs import (
        GraphFile,
        NetworkSpec,
        NodeSpec,
        PathMapSpec,
        ProfileSpec,
        SchedulerSpec,
        SpareSpec,
    )

__all__ = [
    "GraphFile",
    "ItemRecord",
    "KeyPath",
    "Locator",
    "NetworkSpec",
    "NodeSpec",
    "PathMapSpec",
    "Place",
    "ProfileSpec",
    "SchedulerSpec",
    "Source",
    "SpareSpec",
    "locate_json",
    "locate_toml",
    "read_item_graph",
    "read_network_file",
]
_MODULES = {
    "itemgraph": ("ItemRecord", "read_item_graph"),
    "locate": ("KeyPath", "Locator", "locate_json", "locate_toml"),
    "reader": ("read_network_file",),
    "source": ("Place", "Source"),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """The name from its module; what is not listed there is a record of ``specs``."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOME.get(name, 'specs')}"), name)
