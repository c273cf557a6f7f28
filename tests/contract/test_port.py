"""Parms as author code reads and sets them."""

from __future__ import annotations

from typing import Any

import pytest

from topcook.contract.port import Port
from topcook.errors import ExpressionError
from topcook.model.enums import DataType, PortType
from topcook.model.parms import Parm, ParmSpec
from topcook.testkit import FakeGraph

GRAPH = FakeGraph(hip="/net", environment={"ROOM": "12", "EMPTY": ""})


def port(value: Any, kind: str = "String", size: int = 1, scoped: bool = False) -> Port:
    values = value if isinstance(value, list) else [value]
    return Port(Parm(ParmSpec("x", kind, size=size), values), GRAPH, scoped=scoped)


@pytest.mark.parametrize(
    ("value", "kind", "text", "whole", "real", "truth"),
    [
        ("3", "String", "3", 3, 3.0, True),
        ("", "String", "", 0, 0.0, False),
        ("off", "String", "off", None, None, False),
        ("$ROOM", "String", "12", 12, 12.0, True),
        ("$NOWHERE", "String", "$NOWHERE", 0, 0.0, True),
        (3, "Integer", "3", 3, 3.0, True),
        (2.9, "Float", "2.9", 2, 2.9, True),
        (True, "Toggle", "1", 1, 1.0, True),
        (True, "Integer", "1", 1, 1.0, True),
        (9007199254740993, "Integer", "9007199254740993", 9007199254740993, 9007199254740992.0, True),
        ("9007199254740993", "String", "9007199254740993", 9007199254740993, 9007199254740992.0, True),
    ],
)
def test_any_value_can_be_read_as_any_type(
    value: Any, kind: str, text: str, whole: int | None, real: float | None, truth: bool
) -> None:
    found = port(value, kind)
    assert found.evaluateString() == text
    assert found.evaluateBool() is truth
    if whole is None:
        with pytest.raises(ExpressionError, match="no number"):
            found.evaluateInt()
    else:
        assert found.evaluateInt() == whole
        assert type(found.evaluateInt()) is int
        assert found.evaluateFloat() == real
        assert type(found.evaluateFloat()) is float


def test_evaluate_keeps_the_type_and_lists_components() -> None:
    assert port(True, "Toggle").evaluate() is True
    assert port([1.0, 2.0], "Float", 2).evaluate() == [1.0, 2.0]
    assert port([1, 2], "Integer", 3).value == [1, 2, 0]
    assert port("$HIP/a").evaluate() == "/net/a"


def test_only_a_nodes_port_reads_attributes_and_only_for_an_item() -> None:
    item = GRAPH.handle(GRAPH.add_item(node="ports", index=4))
    assert port("a@pdg_index", scoped=True).evaluateString(item) == "a4"
    assert port("a@pdg_index", scoped=True).evaluateString(item.record) == "a4"
    assert port("a@pdg_index $ROOM", scoped=True).evaluateString() == "a@pdg_index 12"
    assert port("me@farm", scoped=False).evaluateString(item) == "me@farm"
    assert port("@pdg_index", scoped=True).evaluateInt(item) == 4


def test_setting_tells_and_fills_the_gap() -> None:
    told: list[str] = []
    found = Port(Parm(ParmSpec("x", "Integer")), GRAPH, changed=told.append)
    found.setValue(5, 2)
    assert (found.value, told) == ([0, 0, 5], ["x"])


def test_a_port_describes_itself() -> None:
    spec = ParmSpec("pdg_url", "String", "Url", tags=frozenset({"jobParm"}), default=("a",), secret=True)
    found = Port(Parm(spec, ["hidden"]), GRAPH, owner="me")
    assert (found.name, found.label, found.size, found.tags, found.hasTag("jobParm")) == (
        "pdg_url",
        "Url",
        1,
        ["jobParm"],
        True,
    )
    assert (found.dataType, found.portType, found.isBuiltin, found.isCustom) == (
        DataType.String,
        PortType.Parameter,
        True,
        False,
    )
    assert (found.defaultValue, found.node, found.connections) == ("a", "me", [])
    assert "hidden" not in repr(found)
