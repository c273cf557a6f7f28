"""Fingerprints: whatever bears on what an item does changes them, and nothing else does."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topcook.factory.scan import Factory
from topcook.model.attributes import AttribFlag, attribute_of
from topcook.model.files import File
from topcook.model.workitem import Trait, WorkItem
from topcook.runtime.netfile import load_network
from topcook.runtime.resume.fingerprints import Fingerprints, difference, is_early
from topcook.runtime.resume.keys import Keys

NETWORK = """
[network]
scheduler = "local"
[schedulers.local]
type = "localscheduler"
[nodes.up]
type = "genericgenerator"
[nodes.node]
type = "genericgenerator"
inputs = ["up"]
[nodes.script]
type = "pythonscript"
"""
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
VALUES = st.one_of(
    TEXT, st.integers(-(2**40), 2**40), st.floats(allow_nan=False), st.lists(st.integers(0, 9), max_size=3)
)


class Desk:
    """Items of a small network, made by hand; each fingerprint is taken by another cook."""

    def __init__(self, folder: Path) -> None:
        (folder / "net.toml").write_text(NETWORK)
        self.folder = folder
        self.core = load_network(folder / "net.toml", factory=Factory.scan({"PDG_TYPES_PATH": ""})).core

    def item(self, node: str = "node", *needed: WorkItem, command: str = "run", **attributes: Any) -> WorkItem:
        made = self.core.new_item(self.core.network.nodes[node], 0)
        made.command, made.scheduler = command, "local"
        made.dependencies = list(needed)
        made.attributes = {name: attribute_of(value) for name, value in attributes.items()}
        made.key = f"{node}/0"
        return made

    def print(self, item: WorkItem, mode: str = "mtime") -> str:
        return Fingerprints(self.core, mode).of(item)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("desk"))


@given(one=st.dictionaries(TEXT, VALUES, max_size=4), other=st.dictionaries(TEXT, VALUES, max_size=4))
def test_attributes_change_it_exactly_when_they_differ(desk: Desk, one: dict[str, Any], other: dict[str, Any]) -> None:
    prints = [desk.print(desk.item(**{f"a{name}": value for name, value in each.items()})) for each in (one, other)]
    kinds = [{name: attribute_of(value) for name, value in each.items()} for each in (one, other)]
    same = kinds[0] == kinds[1] and repr(sorted(kinds[0].items())) == repr(sorted(kinds[1].items()))
    assert (prints[0] == prints[1]) == same


@given(one=TEXT, other=TEXT)
def test_commands_change_it_exactly_when_they_differ(desk: Desk, one: str, other: str) -> None:
    prints = [desk.print(desk.item(command=f"run {each}")) for each in (one, other)]
    assert (prints[0] == prints[1]) == (one == other)
    assert bool(difference(prints[0], prints[1])[0]) == (one != other)


def test_what_is_one_cooks_own_does_not_change_it(desk: Desk) -> None:
    prints = set()
    for cook in ("20261121-215930-0429f3a", "20270101-000000-999beef"):
        item = desk.item(command=f"run /shot/pdgtemp/{cook}/x", place=f"/shot/pdgtemp/{cook}/y")
        item.expected_outputs = [File(f"/shot/pdgtemp/{cook}/z")]
        item.priority, item.label, item.attempt = len(prints), cook, len(prints)
        prints.add(desk.print(item))
    assert len(prints) == 1


@pytest.mark.parametrize("flag", [AttribFlag.NoDirty, AttribFlag.Transient])
def test_attributes_that_dirty_nothing_do_not_change_it(desk: Desk, flag: AttribFlag) -> None:
    item = desk.item()
    before = desk.print(item)
    item.attributes = {"told": attribute_of("x", flag)}
    assert desk.print(item) == before


def edited_outputs(item: WorkItem, _desk: Desk) -> None:
    item.expected_outputs = [File("/x")]


def edited_job_parms(item: WorkItem, _desk: Desk) -> None:
    item.node.job_parms["local_envunset"] = "HOME"


def edited_files(item: WorkItem, desk: Desk) -> None:
    item.node.files.append(str(desk.folder / "net.toml"))


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (edited_outputs, "declared outputs changed"),
        (edited_job_parms, "job parms of its scheduler changed"),
        (edited_files, "file dependencies of its node changed"),
    ],
)
def test_each_part_says_that_it_changed(tmp_path: Path, edit: Callable[[WorkItem, Desk], None], words: str) -> None:
    desk = Desk(tmp_path)
    item = desk.item()
    before = desk.print(item)
    edit(item, desk)
    assert difference(before, desk.print(item)) == (words, [])


def test_parms_count_for_what_the_node_itself_does_and_not_for_commands(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    inside = desk.item("script", command="")
    inside.traits = Trait.IN_PROCESS
    job = desk.item("script", command="run")
    before = [desk.print(each) for each in (inside, job)]
    desk.core.network.nodes["script"].parms.set("script", "print(1)")
    assert difference(before[0], desk.print(inside)) == ("parms of its node changed", [])
    assert desk.print(job) == before[1]


@given(content=st.binary(max_size=8), later=st.integers(1, 10**9))
def test_an_input_file_counts_by_time_or_by_content(desk: Desk, content: bytes, later: int) -> None:
    path = desk.folder / "input"
    path.write_bytes(content)
    up = desk.item("up")
    up.outputs = [File(str(path))]
    item = desk.item("node", up)
    before = {mode: desk.print(item, mode) for mode in ("mtime", "hash")}
    stamp = path.stat()
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns + later))
    assert desk.print(item, "hash") == before["hash"]
    assert difference(before["mtime"], desk.print(item, "mtime")) == ("input changed", ["up/0"])
    path.write_bytes(content + b"!")
    assert difference(before["hash"], desk.print(item, "hash")) == ("input changed", ["up/0"])


def test_files_that_are_compared_in_another_way_say_so(desk: Desk) -> None:
    up = desk.item("up")
    up.outputs = [File(str(desk.folder / "net.toml"))]
    item = desk.item("node", up)
    words = difference(desk.print(item, "mtime"), desk.print(item, "hash"))[0]
    assert words == "files were compared by mtime then, and are by hash now"


@given(before=st.one_of(TEXT, st.just("[]"), st.just("[2,3,4,5,6,7]"), st.just("{}"), st.just("null")))
def test_whatever_stands_in_a_journal_can_be_compared(desk: Desk, before: str) -> None:
    words, keys = difference(before, desk.print(desk.item()))
    assert words
    assert keys == []


def test_keys_are_unique_and_short_however_deep_a_network_is(desk: Desk) -> None:
    keys = Keys()
    item = desk.item()
    keys.give([item])
    for _ in range(50):
        child = desk.item()
        child.parent = item
        twin = desk.item()
        twin.parent = item
        keys.give([child, twin])
        assert child.key != twin.key
        item = child
    assert len(item.key) < 100
    again = desk.item()
    keys.give([again])
    assert again.key == "node/0#2"


def test_one_that_was_taken_early_says_nothing_of_inputs_and_all_of_the_rest(desk: Desk) -> None:
    item = desk.item("node", desk.item("up", square=4))
    early = Fingerprints(desk.core, "mtime").of(item, early=True)
    assert is_early(early)
    assert not is_early(desk.print(item))
    item.dependencies = [desk.item("up", square=5)]
    assert difference(early, desk.print(item)) == ("", [])
    item.command = "walk"
    assert difference(early, desk.print(item))[0].startswith("command changed")


@given(before=st.one_of(st.text(), st.recursive(st.integers(), st.lists).map(str)))
def test_whatever_stands_in_a_journal_is_early_or_is_not(before: str) -> None:
    assert not is_early(before)
