"""A choice written into a network: all else stays as it is."""

from __future__ import annotations

import copy
import os
import stat
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topcook.cli.tab.entries import Entry
from topcook.cli.tab.into import Target
from topcook.cli.tab.place import add_node, place_scheduler
from topcook.errors import CookRefusedError, GraphFileError
from topcook.factory import Record
from topcook.model.tomltext import toml_key, toml_value

PLAIN = """\
# A network.
[network]   # all of it
name = "n"  # its name

# The nodes.
[nodes.a]
type = "null"  # nothing

    [nodes.b]
    inputs = ["a"]
    type = "null"
"""


def test_the_default_is_set_and_its_scheduler_added_between_what_is_there() -> None:
    placed = place_scheduler(PLAIN, "slurmscheduler", "slurm")
    assert placed.text == PLAIN.replace(
        "# its name\n\n", '# its name\nscheduler = "slurm"\n\n[schedulers.slurm]\ntype = "slurmscheduler"\n\n'
    )
    assert (placed.name, placed.line, placed.block_line) == ("slurm", 4, 6)


def test_a_node_is_given_its_own_in_its_own_indentation() -> None:
    text = place_scheduler(PLAIN, "slurmscheduler", "slurm", node="b").text
    assert '    type = "null"\n    scheduler = "slurm"\n' in text
    assert text.startswith("# A network.\n[network]   # all of it\n")


def test_what_is_named_already_is_replaced_where_it_stands_and_the_networks_own_scheduler_is_used() -> None:
    text = PLAIN + '\n[schedulers.fast]\ntype = "SlurmScheduler"\nparms = { a = 1 }\n'
    text = text.replace('name = "n"', 'name = "n"\nscheduler   = "local" # was')
    placed = place_scheduler(text, "slurmscheduler", "slurm")
    assert placed.text == text.replace('"local" # was', '"fast" # was')
    assert placed.block_line is None


@pytest.mark.parametrize(
    "text",
    [
        'nodes = { a = { type = "null" } }',
        'network = {}\nnodes.a.type = "null"\n',
        'network = { name = "n" }\nschedulers = { x = { type = "other" } }\nnodes.a = { type = "null" }\n',
        'network.name = "n"\nnodes.a.type = "null"\nnodes.a.parms.x = nan\n',
        'schedulers.x.type = "other"\nnodes.a.type = "null"\n[pathmap_not]\n'.replace("[pathmap_not]\n", ""),
        '[nodes.a]\ntype = """\nnull"""\n[nodes.a.parms]\nx = """\n[network]\n"""',
        '["nodes"."a"]\n"type" = "null"\n[network.parms]\nx = 1\n',
        '[schedulers]\n[schedulers.x]\ntype = "other"\n[schedulers.x.parms]\nb = [\n 1, # one\n]\n[nodes.a]\ntype = "null"\n',
        '[nodes]\na = { type = "null", scheduler = "x" }\n# the end',
    ],
)
@pytest.mark.parametrize("node", [None, "a"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_however_the_network_is_written_it_says_what_it_said_and_the_choice(
    text: str, node: str | None, ends: str
) -> None:
    before = tomllib.loads(text)
    after = copy.deepcopy(before)
    after.setdefault("schedulers", {})["slurm"] = {"type": "slurmscheduler"}
    (after.setdefault("network", {}) if node is None else after["nodes"][node])["scheduler"] = "slurm"
    written = place_scheduler(text.replace("\n", ends), "slurmscheduler", "slurm", node).text
    assert repr(sorted_deep(tomllib.loads(written))) == repr(sorted_deep(after))
    comments = [line for line in text.splitlines() if line.strip().startswith("#")]
    assert all(line in written.splitlines() for line in comments)
    assert ends not in text.replace("\n", ends) or ends == "\n" or "\n" not in written.replace("\r\n", "")


def sorted_deep(value: Any) -> Any:
    return {key: sorted_deep(value[key]) for key in sorted(value)} if isinstance(value, dict) else value


def test_two_schedulers_of_the_type_are_asked_about_and_as_answers() -> None:
    text = PLAIN + '[schedulers.a]\ntype = "t"\n[schedulers.b]\ntype = "t"\n[schedulers.c]\ntype = "u"\n'
    with pytest.raises(CookRefusedError, match=r"2 schedulers .* a, b\n.*--as a"):
        place_scheduler(text, "t", "t")
    assert place_scheduler(text, "t", "t", name="b").name == "b"
    assert '[schedulers.d]\ntype = "t"' in place_scheduler(text, "t", "t", name="d").text
    with pytest.raises(CookRefusedError, match='"c" of the network is of type "u"'):
        place_scheduler(text, "t", "t", name="c")


def test_a_name_that_is_taken_gets_a_number() -> None:
    text = PLAIN + '[schedulers.slurm]\ntype = "other"\n'
    assert place_scheduler(text, "slurmscheduler", "slurm").name == "slurm2"
    assert add_node(PLAIN, "null", "a").text == PLAIN + '\n[nodes.a2]\ntype = "null"\n'


_NAMES = st.sampled_from(["a", "b", "x y", "ü", "a.b", "type"])
_SCALARS = st.one_of(st.text(max_size=5), st.integers(-9, 9), st.booleans(), st.floats(allow_nan=False))
_TABLES = st.dictionaries(
    _NAMES, st.fixed_dictionaries({"type": st.just("null")}, optional={"parms": st.dictionaries(_NAMES, _SCALARS)})
)


@given(_TABLES, _TABLES, st.booleans(), st.lists(st.booleans(), min_size=3, max_size=3), st.data())
def test_any_mixture_of_headers_and_inline_tables_is_edited(
    schedulers: dict[str, Any], nodes: dict[str, Any], network: bool, inline: list[bool], data: st.DataObject
) -> None:
    parts = {"network": {"name": "n"} if network else {}, "schedulers": schedulers, "nodes": nodes}
    lines = [f"{key} = {toml_value(part)}" for (key, part), flat in zip(parts.items(), inline, strict=True) if flat]
    for (key, part), flat in zip(parts.items(), inline, strict=True):
        for name, value in part.items():
            if not flat and isinstance(value, dict):
                lines += [f"[{toml_key(key, name)}] # c", *(f"{k} = {toml_value(v)}" for k, v in value.items())]
            elif not flat:
                lines += [f"[{key}]", f"{name} = {toml_value(value)}"]
    text = "\n".join(lines)
    before = tomllib.loads(text)
    node = data.draw(st.sampled_from([None, *nodes]))
    placed = place_scheduler(text, "farm", "farm", node)
    after = copy.deepcopy(before)
    after.setdefault("schedulers", {})["farm"] = {"type": "farm"}
    (after.setdefault("network", {}) if node is None else after["nodes"][node])["scheduler"] = "farm"
    assert tomllib.loads(placed.text) == after
    assert place_scheduler(placed.text, "farm", "farm", node).text == placed.text


# Files


def test_the_file_keeps_its_mode_its_mark_and_the_link_that_leads_to_it(
    tmp_path: Path, make: Callable[..., Record], listed: Callable[..., list[Entry]]
) -> None:
    real = tmp_path / "real.toml"
    real.write_bytes(b"\xef\xbb\xbf" + PLAIN.replace("\n", "\r\n").encode())
    real.chmod(0o640)
    link = tmp_path / "network.toml"
    link.symlink_to(real)
    [entry] = listed(make("slurmscheduler"))
    told = Target(str(link), "a").place(entry)
    assert told == f'{link}:11: scheduler = "slurm" for node "a"; [schedulers.slurm] added at line 5'
    assert link.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert real.read_bytes().startswith(b"\xef\xbb\xbf# A network.\r\n")
    assert b'scheduler = "slurm"\r\n' in real.read_bytes()
    assert sorted(os.listdir(tmp_path)) == ["network.toml", "real.toml"]


def test_a_network_that_cannot_be_written_to_is_refused_before_anybody_chooses(tmp_path: Path) -> None:
    network = tmp_path / "n.json"
    network.write_text('{"nodes": {"render": {"type": "null"}}}', encoding="utf-8")
    with pytest.raises(CookRefusedError, match="only TOML"):
        Target(str(network))
    network = tmp_path / "n.toml"
    network.write_text(PLAIN, encoding="utf-8")
    with pytest.raises(CookRefusedError, match='no node "aa"\n    there is: a'):
        Target(str(network), "aa")
    with pytest.raises(GraphFileError, match="no such file"):
        Target(str(tmp_path / "other.toml"))


def test_a_name_that_no_network_may_have_changes_nothing(
    tmp_path: Path, make: Callable[..., Record], listed: Callable[..., list[Entry]]
) -> None:
    network = tmp_path / "n.toml"
    network.write_text(PLAIN, encoding="utf-8")
    with pytest.raises(GraphFileError, match="was not changed") as caught:
        Target(str(network), name="no/name").place(listed(make("slurm"))[0])
    assert caught.value.problems[0].path == str(network)
    assert network.read_text(encoding="utf-8") == PLAIN
    assert os.listdir(tmp_path) == ["n.toml"]
