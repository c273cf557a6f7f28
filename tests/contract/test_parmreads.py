"""Which parms a class reads: the forms in which files in the field do it."""

from __future__ import annotations

import pytest

from topcook.contract.parmreads import ParmRead, parm_reads


def read(body: str, *, before: str = "") -> list[ParmRead]:
    lines = "\n".join("        " + line for line in body.splitlines())
    return parm_reads(f"{before}\nclass Farm(PyScheduler):\n    def onStart(self, node, item, i, x):\n{lines}\n")


@pytest.mark.parametrize(
    ("body", "name", "kind"),
    [
        ('self["queue"].evaluateString()', "queue", "String"),
        ('self["queue"]', "queue", None),
        ('port = self["slots"]\nif port:\n    x = port.evaluateInt()', "slots", "Integer"),
        ('self.parameter("rate").evaluateFloat()', "rate", "Float"),
        ('self.port("on").evaluateBool(item)', "on", "Toggle"),
        ('self.value("queue")', "queue", None),
        ('self["rate"] = 0.5', "rate", "Float"),
        ('self.topNode().parm("queue").evalAsInt()', "queue", "Integer"),
        ('evaluateParamOr(self, "slots", 3)', "slots", "Integer"),
        ('self["env%d" % i].evaluateString()', "env#", "String"),
        ('self["env{}".format(i)].evaluateString()', "env#", "String"),
        ('self[f"env{i}"].evaluateString()', "env#", "String"),
        ('self["env" + str(i)].evaluateString()', "env#", "String"),
    ],
)
def test_a_port_is_seen_with_its_type(body: str, name: str, kind: str | None) -> None:
    assert [(each.name, each.type, each.overridable) for each in read(body)] == [(name, kind, False)]


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ('self.evaluateStringOverride(node, "farm", "queue", item, "slow")', ("farm_queue", "String", "slow")),
        ('self.evaluateIntOverride(node, "farm", "slots", item, 0)', ("farm_slots", "Integer", 0)),
        ('self.evaluateFloatOverride(node, "farm", "rate", item, x)', ("farm_rate", "Float", None)),
        ('self.evaluateBoolOverride(node, prefix="farm", parm="on", default_value=True)', ("farm_on", "Toggle", True)),
        ('PyScheduler.evaluateIntOverride(self, node, "farm", "slots", item, 2)', ("farm_slots", "Integer", 2)),
        ('super().evaluateIntOverride(node, "farm", "slots", item, 2)', ("farm_slots", "Integer", 2)),
        ('self.evaluateStringOverride(node, "farm", "env%d" % i, item, "")', ("farm_env#", "String", "")),
        ('self.evaluateStringOverride(node, "", "bare", item, "")', ("bare", "String", "")),
    ],
)
def test_an_override_is_seen_and_overridable(call: str, expected: tuple[str, str, object]) -> None:
    assert [(each.name, each.type, each.default) for each in read(call)] == [expected]
    assert read(call)[0].overridable


@pytest.mark.parametrize("before", ["PREFIX = 'farm'", "class Names:\n    PREFIX = 'farm'"])
def test_constants_are_followed(before: str) -> None:
    name = "PREFIX" if before.startswith("PREFIX") else "Names.PREFIX"
    call = f'self.evaluateIntOverride(node, {name}, "slots", item, 1)'
    seen = [each.name for each in read(call, before=before)]
    assert seen == (["farm_slots"] if name == "PREFIX" else [])


def test_constants_of_the_class_and_of_self_are_followed_unless_they_change() -> None:
    text = """
class Farm(PyScheduler):
    prefix = "farm"
    def __init__(self, scheduler, name):
        self.pool, self.kind = "pool", "a"
        self.queue = "queue"
        self.kind = "b"
    def onStart(self):
        return self[self.queue], self[self.kind], self.evaluateIntOverride(n, self.prefix, "x", i, 0)
"""
    assert [each.name for each in parm_reads(text)] == ["queue", "farm_x"]


def test_the_environment_methods_read_their_parms() -> None:
    names = [each.name for each in read('self.resolveEnvParams("farm", item, True)')]
    assert names == ["farm_envmulti", "farm_envname#", "farm_envvalue#"]
    assert [each.name for each in read('self.resolveBaseEnvironment("farm", None, item)')] == [
        "farm_inheritlocalenv",
        "farm_envunset",
    ]


def test_reads_of_one_parm_are_one_row_with_all_that_is_known() -> None:
    (only,) = read('self["farm_x"]\nself.evaluateIntOverride(node, "farm", "x", item, 4)')
    assert (only.type, only.default, only.overridable) == ("Integer", 4, True)


def test_only_the_classes_asked_for_are_read_and_only_their_self() -> None:
    text = 'class A:\n    def f(self): self["a"]\nclass B:\n    def f(self): self["b"], other["c"], self.data["d"]\n'
    assert [each.name for each in parm_reads(text, ["B"])] == ["b"]


def test_what_only_a_run_knows_is_not_guessed() -> None:
    assert read('self[x]\nself["a" + x + "b"]\nself.evaluateIntOverride(node, x, "y", item, 0)') == []
