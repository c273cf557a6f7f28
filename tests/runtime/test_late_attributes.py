"""Attributes that jobs set reach the static items that come after them, partitions and passes included."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topcook.runtime.netfile import load_network

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

NETWORK = """\
[network]
name = "late"
[schedulers.mine]
type = "localscheduler"
[nodes.first]
type = "pythonscript"
[nodes.first.parms]
inprocess = true
script = "work_item.setIntAttrib('made', 7); work_item.setStringAttrib('own', 'first')"
[nodes.between]
type = "null"
inputs = ["first"]
[nodes.second]
type = "pythonscript"
inputs = ["between"]
[nodes.second.parms]
inprocess = true
script = "work_item.setIntAttrib('seen', work_item.intAttribValue('made'))"
[nodes.all]
type = "waitforall"
inputs = ["second"]
[nodes.last]
type = "pythonscript"
inputs = ["all"]
[nodes.last.parms]
inprocess = true
script = "work_item.setIntAttrib('seen', work_item.intAttribValue('made') + 1)"
"""


def test_what_an_upstream_item_sets_while_it_cooks_is_there_for_static_items_downstream(tmp_path: Path) -> None:
    """Through a null and a partition, too; what an item has of its own stands."""
    path = tmp_path / "net.toml"
    path.write_text(NETWORK)
    context = load_network(path)
    try:
        assert context.cook(True)
        found = {item.node.name: item.attributes or {} for item in context.core.items()}
    finally:
        context.close()
    assert found["second"]["seen"].values == (7,)
    assert found["all"]["made"].values == (7,)
    assert found["last"]["seen"].values == (8,)


def test_a_scheduler_that_is_declared_and_named_nowhere_is_told_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "net.toml"
    path.write_text(
        '[network]\nname = "idle"\n[schedulers.mine]\ntype = "localscheduler"\n'
        '[nodes.a]\ntype = "genericgenerator"\n[nodes.a.parms]\ncommand = "true"\n'
    )
    context = load_network(path)
    try:
        cook = context.prepare()
        cook.run()
    finally:
        context.close()
    assert cook.outcome == "cooked"
    told = [message.text for message in cook.messages if message.level == "warning"]
    assert len(told) == 1
    assert 'scheduler = "mine"' in told[0]
    capsys.readouterr()
