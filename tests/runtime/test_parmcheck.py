"""Which values may stand in a parm, and what is said of those that may not."""

from __future__ import annotations

from typing import Any

import pytest

from topcook.model.parms import Parms, ParmSpec
from topcook.runtime.parmcheck import TypedText, check_job_parm, check_parm, typed_value

SPECS = (
    ParmSpec("text", "String", default=("a",)),
    ParmSpec("count", "Integer", default=(3,), tags=frozenset({"jobParm"})),
    ParmSpec("ratio", "Float", default=(0.5,)),
    ParmSpec("on", "Toggle", default=(False,)),
    ParmSpec("range", "Float", size=3, default=(1.0, 10.0, 1.0)),
    ParmSpec("names", "String", tags=frozenset({"list"})),
    ParmSpec("mode", "String", tags=frozenset({"menu"})),
    ParmSpec("memory", "String", tags=frozenset({"size"})),
    ParmSpec("env#", "String"),
)


@pytest.fixture
def parms() -> Parms:
    made = Parms()
    made.declare(SPECS)
    return made


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("text", "b"),
        ("count", 4),
        ("count", "@frames"),
        ("count", "`@frames`"),
        ("ratio", 1),
        ("ratio", "$RATIO"),
        ("on", True),
        ("on", 1),
        ("range", [1, 24, 1]),
        ("range", [1, 24]),
        ("range", 5),
        ("names", ["a", 1, 2.5]),
        ("mode", 2),
        ("memory", "2G"),
        ("memory", 512),
        ("memory", ""),
        ("memory", "@mem"),
        ("env1", "x"),
        ("env", [{"env": "x"}, {"env": "y"}]),
    ],
)
def test_what_fits_is_taken(parms: Parms, name: str, value: Any) -> None:
    assert list(check_parm(parms, name, value, undeclared=False)) == []


@pytest.mark.parametrize(
    ("name", "value", "said", "hint"),
    [
        ("text", 3, 'parm "text" is a string, found an integer (3)', 'text = "a"'),
        ("count", 2.5, 'parm "count" is an integer, found a number (2.5)', "count = 3"),
        ("memory", "much", 'must be a size such as "2G", "512M", or a number of MiB, found "much"', 'memory = "2G"'),
        ("memory", -1, 'found "-1"', 'memory = "2G"'),
        ("count", "many", "found a string ('many')", "count = 3"),
        ("count", [1, 2], "found a list of 2", "single value"),
        ("ratio", True, "found a boolean (True)", "ratio = 0.5"),
        ("on", "yes", "is true or false, found a string", "on = false"),
        ("range", [1, 2, 3, 4], "has 3 components, found a list of 4", "the last 1"),
        ("range", [1, "x"], "found a string ('x')", "range = 1.0"),
        ("text", {"a": 1}, "found a table", "text"),
        ("env2", 3, 'parm "env2" is a string', ""),
        ("env", [{"env": "x"}, {"env": 3}], '"env", row 2: parm "env" is a string', 'env = ""'),
        ("env", [{"env": "x"}, {"evn": "y"}], '"env", row 2: there is no parm "evn"', 'did you mean "env"'),
        ("env", [{"quite": "x"}], '"env", row 1: there is no parm "quite"', "rows have: env"),
        ("cuont", 3, 'there is no parm "cuont"', 'did you mean "count"'),
        ("entirely_else", 3, "there is no parm", "it has: text, count"),
    ],
)
def test_what_does_not_fit_is_told_with_what_would(parms: Parms, name: str, value: Any, said: str, hint: str) -> None:
    (problem,) = check_parm(parms, name, value, undeclared=False)
    assert said in problem.message
    assert hint in (problem.hint or "")


def test_schedulers_may_have_parms_nobody_declared_unless_the_name_looks_like_a_slip(parms: Parms) -> None:
    assert list(check_parm(parms, "entirely_else", 3, undeclared=True)) == []
    (problem,) = check_parm(parms, "countt", 3, undeclared=True)
    assert "spare" in (problem.hint or "")


def test_job_parms_are_those_that_their_template_opens(parms: Parms) -> None:
    assert list(check_job_parm(parms, "farm", "count", 4)) == []
    told = [
        next(check_job_parm(parms, "farm", name, value))
        for name, value in (("text", "b"), ("coutn", 1), ("count", "x"))
    ]
    assert [problem.code for problem in told] == ["not-overridable", "unknown-job-parm", "wrong-type"]
    assert "to be overridden are: count" in (told[0].hint or "")
    assert 'did you mean "count"?' in (told[1].hint or "")


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("12", "count", 12),
        ("12", "text", "12"),
        ("true", "on", True),
        ("[1, 2, 3]", "range", [1, 2, 3]),
        ("'quoted'", "text", "quoted"),
        ("no toml at all", "text", "no toml at all"),
        ("2026-01-01", "text", "2026-01-01"),
        ("1\nother = 2", "count", "1\nother = 2"),
    ],
)
def test_what_is_typed_becomes_what_its_parm_takes(parms: Parms, text: str, name: str, value: Any) -> None:
    found = typed_value(TypedText(text), parms.spec_for(name))
    assert (found, type(found)) == (value, type(value))
