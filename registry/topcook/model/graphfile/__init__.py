"""Network files and item graph files, read and checked; every mistake with its place."""

from __future__ import annotations

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
