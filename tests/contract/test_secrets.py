"""Secret parms and the vault of their values, without a cook."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from topcook.contract.port import Port
from topcook.contract.secrets import Vault, redact, redacted
from topcook.errors import CookError
from topcook.model.parms import Parms, ParmSpec
from topcook.model.secrets import MASK, Secret, secret_of
from topcook.testkit.fakegraph import FakeGraph
from topcook.testkit.fakehost import FakeHost


def port(graph: FakeGraph, value: object, kind: str = "String") -> Port:
    parms = Parms()
    parms.declare([ParmSpec("password", kind, secret=True)])
    return Port(parms.set("password", value), graph)


def test_a_port_gives_the_value_and_shows_the_mask() -> None:
    graph = FakeGraph(environment={"PASSWORD": "$HOME @pdg_index `x`"})
    secret = port(graph, {"env": "PASSWORD"})
    # Nothing is expanded in it.
    assert secret.evaluateString() == secret.value == secret.evaluate() == "$HOME @pdg_index `x`"
    assert MASK in repr(secret)
    assert "HOME" not in repr(secret) + repr(secret._parm)


def test_numbers_may_be_secret() -> None:
    graph = FakeGraph(environment={"PIN": "0042"})
    assert port(graph, {"env": "PIN"}, "Integer").evaluateInt() == 42
    with pytest.raises(Exception, match=r'"\*\*\*", which is no number') as caught:
        port(FakeGraph(environment={"PIN": "letters"}), {"env": "PIN"}, "Integer").evaluateInt()
    assert "letters" not in str(caught.value)


def test_what_a_callback_sets_is_a_secret_too() -> None:
    graph = FakeGraph()
    secret = port(graph, "")
    assert secret.evaluateString() == ""
    secret.setValue("session-key")
    assert secret.evaluateString() == "session-key"
    assert redact("with session-key") == "with ***"
    assert "session-key" not in repr(secret._parm)


def test_an_item_attribute_does_not_override_a_secret() -> None:
    host = FakeHost()
    host.parms.declare([ParmSpec("farm_key", secret=True, tags=frozenset({"jobParm"}))])
    host.parms.set("farm_key", {"env": "KEY"})
    host.graph._environment["KEY"] = "the-key"
    from topcook.contract.scheduler import PyScheduler

    scheduler = host.make(PyScheduler)
    item = host.graph.add_item(farm_key="plain")
    handle = host.graph.handle(item)
    assert scheduler.evaluateStringOverride(handle.node, "farm", "key", handle, "") == "the-key"


def test_a_bare_parm_with_a_source_is_secret() -> None:
    parm = Parms().set("undeclared", {"env": "PASSWORD"})
    assert parm.spec.secret
    assert str(parm.values) == "[***]"


@pytest.mark.parametrize("value", ["text", {"env": ""}, {"env": "A", "file": "b"}, {"var": "A"}, 3, None])
def test_only_a_table_of_one_source_is_a_secret(value: object) -> None:
    assert secret_of(value) is None


def test_a_value_is_fetched_once(tmp_path: Path) -> None:
    vault = Vault(lambda: {"HIP": str(tmp_path), "PATH": "/usr/bin:/bin"})
    secret = Secret("command", "echo x >> count; printf 'once-only\\n\\n'")
    assert [vault.reveal(secret), vault.reveal(secret)] == ["once-only\n", "once-only\n"]
    assert (tmp_path / "count").read_text() == "x\n"


@pytest.mark.parametrize(
    ("secret", "told"),
    [
        (Secret("env", "NONE"), 'the environment variable "NONE" is not set'),
        (Secret("file", "none.txt"), "none.txt"),
        (Secret("command", "echo no such entry >&2; exit 3"), "status 3: no such entry"),
        (Secret("command", "no-such-program-anywhere"), "status 127"),
    ],
)
def test_what_cannot_be_had_says_where_it_was_looked_for(tmp_path: Path, secret: Secret, told: str) -> None:
    with pytest.raises(CookError) as caught:
        Vault(lambda: {"HIP": str(tmp_path), "PATH": "/usr/bin:/bin"}).reveal(secret)
    assert told in str(caught.value)


def test_redaction_knows_json_and_single_lines_and_lets_short_values_be() -> None:
    vault = Vault(dict)
    vault.keep('say "ä"')
    vault.keep("-----BEGIN KEY-----\nMIIEabcdef\n")
    vault.keep("ab")
    assert redact('{"x": "say \\"\\u00e4\\"", "y": "say \\"ä\\""}') == '{"x": "***", "y": "***"}'
    assert redact("line MIIEabcdef of it; ab") == "line *** of it; ab"
    assert redacted({"a": ['say "ä"', 1, None], 'say "ä"': ("x",)}) == {"a": ["***", 1, None], "***": ["x"]}


def test_a_vault_that_is_gone_masks_nothing() -> None:
    vault = Vault(dict)
    vault.keep("only while it lives")
    assert redact("only while it lives") == MASK
    del vault
    gc.collect()
    assert redact("only while it lives") == "only while it lives"
