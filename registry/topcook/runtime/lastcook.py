"""What the last cook of a network left to be found again: a small file in the working directory of each scheduler.

``<working directory>/pdgtemp/last_cook.<network>.json``: the cook's id and end, where its logs lie, and its items with
their log and status URIs (of a large cook those that did not end well).
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from topcook.lean import dataclass
from topcook.model.filestem import file_stem
from topcook.runtime.paths import working_directories
from topcook.runtime.summary import end_state
from topcook.runtime.uris import FEW

if TYPE_CHECKING:
    from topcook.model.directories import Directories
    from topcook.model.workitem import WorkItem
    from topcook.runtime.cook import Cook
    from topcook.runtime.graph import Graph

VERSION = 1


@dataclass(slots=True)
class ItemLog:
    """Where an item's log and page are: the log as a file of this machine, or as what its scheduler said."""

    name: str
    cook: str
    state: str
    path: str
    log_uri: str
    status_uri: str


def write_last_cook(cook: Cook) -> None:
    """Leave word of a cook that has ended; nothing is said where that cannot be written."""
    if not cook.state.schedulers:
        return
    text = json.dumps(_record(cook), separators=(",", ":"))
    hosts = [cook.graph.host(name) for name in cook.state.schedulers]
    # A scratch directory that its scheduler made and removed again must not come back.
    there = [host.directories.working_dir(local=True) for host in hosts if not _removed(host.directories)]
    for folder in dict.fromkeys(there):
        path = _pointer(folder, cook.graph.network.name)
        draft = f"{path}.{os.getpid()}.part"
        # It only helps to find logs; a full disk or a read-only share has told itself by other means.
        with contextlib.suppress(OSError):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(draft, "w", encoding="utf-8") as stream:
                stream.write(text)
            os.replace(draft, path)


def _removed(directories: Directories) -> bool:
    """Whether the working directory was there in the cook and is gone."""
    folder = directories.working_dir(local=True)
    return folder in directories.made and not os.path.isdir(folder)


def _record(cook: Cook) -> dict[str, Any]:
    items = list(cook.state.all_items())
    few = len(items) <= FEW
    return {
        "version": VERSION,
        "network": cook.graph.network.name,
        "cook": cook.cook_id,
        "state": end_state(cook),
        "started": cook.started,
        "finished": cook.finished,
        "logs": {name: cook.graph.host(name).directories.log_dir(local=True) for name in cook.state.schedulers},
        "items": [_item(item) for item in items if few or (item.run and item.run.log_uri)],
    }


def _item(item: WorkItem) -> dict[str, Any]:
    return {
        "id": item.id,
        "name": item.name,
        "label": item.label,
        "scheduler": item.scheduler,
        "state": item.state.name,
        "log_uri": item.run.log_uri if item.run else "",
        "status_uri": item.run.status_uri if item.run else "",
    }


def _pointer(folder: str, network: str) -> str:
    return os.path.join(folder, "pdgtemp", f"last_cook.{network}.json")


def find_log(graph: Graph, asked: str) -> tuple[ItemLog | None, list[str]]:
    """The log of an item (by name, id or label) in the last cook of a network, and the items that are known.

    A cook that still runs is told by its files alone, so its items go by name and id only.
    """
    folders = [working_directories(graph, node)[0] for node in graph.network.schedulers.values()]
    folders = list(dict.fromkeys([*folders, graph.network.hip]))
    records = [record for folder in folders for record in _read(_pointer(folder, graph.network.name))]
    last = max(records, key=lambda record: str(record["cook"]), default=None)
    rows: list[dict[str, Any]] = last["items"] if last is not None else []
    row = next((row for row in rows if asked in (row["name"], str(row["id"]))), None)
    row = row or next((row for row in rows if asked == row["label"]), None)
    names = [str(row["name"]) for row in rows]
    newer = _newest_file(folders, row["name"] if row else asked)
    if newer is not None and (row is None or last is None or newer.cook > last["cook"]):
        return newer, names
    if row is None or last is None:
        return None, names
    path = _path_of(row["log_uri"]) or f"{last['logs'].get(row['scheduler'], '')}/{file_stem(row['name'])}.log"
    found = path if os.path.isfile(path) else ""
    return ItemLog(row["name"], last["cook"], row["state"], found, row["log_uri"], row["status_uri"]), names


def _read(path: str) -> Iterator[dict[str, Any]]:
    try:
        with open(path, encoding="utf-8") as stream:
            record = json.load(stream)
    except (OSError, ValueError):
        return
    if isinstance(record, dict) and record.get("version") == VERSION:
        yield record


def _path_of(uri: str) -> str:
    from urllib.parse import unquote, urlsplit

    parts = urlsplit(uri)
    return "/" + unquote(parts.path).lstrip("/") if parts.scheme == "file" else "" if parts.scheme else uri


def _newest_file(folders: list[str], asked: str) -> ItemLog | None:
    """The item's log file in the newest cook that has one; the names of cooks sort by time."""
    found = []
    for folder in folders:
        with contextlib.suppress(OSError):
            for cook in os.scandir(os.path.join(folder, "pdgtemp")):
                logs = os.path.join(cook.path, "logs")
                found += [(cook.name, path) for path in _logs_of(logs, file_stem(asked))]
    if not found:
        return None
    cook_id, path = max(found)
    return ItemLog(os.path.basename(path).removesuffix(".log"), cook_id, "", path, "", "")


def _logs_of(folder: str, asked: str) -> Iterator[str]:
    exact = os.path.join(folder, f"{asked}.log")
    if os.path.isfile(exact):
        yield exact
    elif asked.isdecimal() and os.path.isdir(folder):
        yield from (entry.path for entry in os.scandir(folder) if entry.name.endswith(f"_{asked}.log"))
