from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topcook.contract.template import Template, read_template

Author = Callable[[str], ModuleType]


def templated(body: Any, name: str = "farm") -> type:
    text = body if isinstance(body, str | type(None)) else json.dumps({"name": name, "parameters": body})
    return type(
        "Farm", (), {"templateName": classmethod(lambda cls: name), "templateBody": classmethod(lambda cls: text)}
    )


def codes(template: Template) -> list[str]:
    return [problem.code for problem in template.problems]


def test_the_name_falls_back_to_the_lower_cased_class_name() -> None:
    assert read_template(type("AfanasyScheduler", (), {})).name == "afanasyscheduler"
    assert read_template(templated(None, "python_scheduler")).name == "python_scheduler"


def test_sizes_types_and_tags_are_read_as_they_are_written_in_the_field() -> None:
    template = read_template(
        templated(
            [
                {
                    "name": "address",
                    "type": "String",
                    "label": "Address",
                    "value": "localhost",
                    "tag": "pdg::scheduler",
                },
                {"name": "slots", "type": "int", "value": 4, "tag": ["jobParm", "farm"]},
                {"name": "size", "type": "Float", "size": 3, "value": [1, 2.5]},
                {"name": "verbose", "type": "bool"},
                {"name": "env#", "type": "string"},
                {"name": "token", "type": "String", "tag": "secret"},
                {"name": "count", "type": "Integer", "value": "7"},
                {"name": "plain"},
            ]
        )
    )
    assert template.problems == []
    parms = {parm.name: parm for parm in template.parms}
    assert list(parms) == ["address", "slots", "size", "verbose", "env#", "token", "count", "plain"]
    assert parms["address"].is_job_parm
    assert parms["address"].label == "Address"
    assert (parms["slots"].type, parms["slots"].default, parms["slots"].is_job_parm) == ("Integer", (4,), True)
    assert [parms["size"].default_at(index) for index in range(3)] == [1.0, 2.5, 0.0]
    assert parms["verbose"].default_at(0) is False
    assert parms["token"].secret
    assert parms["count"].default == (7,)
    assert (parms["plain"].type, parms["plain"].default_at(0), parms["plain"].label) == ("String", "", "plain")


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ('{"parameters": [}', "template-body", "line 1 column 17 of the JSON"),
        ("[]", "template-body", "expected an object"),
        ('{"parameters": 3}', "template-body", "expected a list"),
        ([{"type": "String"}], "template-body", "parameters[0] has no name"),
        ([{"name": "a", "type": "Intger"}], "unknown-parm-type", 'did you mean "Integer"?'),
        ([{"name": "a"}, {"name": "a"}], "duplicate-parm", "first declared as parameters[0]"),
        ([{"name": "a", "type": "Integer", "value": "many"}], "parm-value", "expected Integer"),
        ([{"name": "a", "size": 0}], "parm-value", "the size 0"),
    ],
)
def test_each_mistake_names_its_place_in_the_json(body: Any, code: str, words: str) -> None:
    template = read_template(templated(body))
    assert codes(template) == [code]
    assert words in str(template.problems[0])


#: What stands behind ``def templateBody(cls):``, and the text that each problem is to point at.
BODIES = {
    "a text": ("""return '{"parameters": [}' """, ["}"]),
    "a text of several lines": ('''return """
        {"parameters": [
            {"name": "a", "type": "Intger"},
            {"name": "a"}
        ]}"""''', ['"Intger"', '"a"}']),
    "a dedented text": ('''return textwrap.dedent("""
            {"parameters": [{"name": "a", "size": 0}]}
        """).strip()''', ["0}"]),
    "a text by its name": ("return BODY", ["3}"]),
    "a dict by json.dumps": ('return json.dumps({"name": "f", "parameters": [{"name": "ä", "type": "Intger"}]})', ['"Intger"']),
    "a dict of the class": ("return json.dumps(cls.SHAPE)", ['"many"']),
    "a dict by parts": ('return json.dumps({"parameters": [dict(name="a"), {"name": "a"}]})', ['"a"}']),
    "a list that is computed": ('return json.dumps({"parameters": [{"name": n} for n in "aa"]})', ["[{"]),
    "what no line says": ('return "{" + "}}"', ["templateBody(cls)"]),
    "what it raises": ('return json.dumps({"a": undefined})', ["        return"]),
}  # fmt: skip


@pytest.mark.parametrize("case", BODIES)
def test_a_problem_points_at_the_very_place_in_the_body(author: Author, case: str) -> None:
    body, wanted = BODIES[case]
    module = author(
        f"""
import json, textwrap
BODY = '{{"parameters": 3}}'
class Farm:
    SHAPE = {{"parameters": [{{"name": "a", "type": "Integer", "value": "many"}}]}}
    @classmethod
    def templateBody(cls):
        {body}
"""
    )
    lines = Path(str(module.__file__)).read_text(encoding="utf-8").splitlines()
    found = [(each.line, each.column) for each in read_template(module.Farm).problems]
    shown = [lines[(line or 0) - 1][(column or 1) - 1 :] for line, column in found]
    assert len(shown) == len(wanted)
    assert [text[: len(want)] for text, want in zip(shown, wanted, strict=True)] == wanted


@pytest.mark.parametrize(
    ("text", "help"),
    [
        ("{'a': 1}", "double quotes"),
        ('{"a": True}', "true and false"),
        ('{"a": None}', "null"),
        ('{"a": 1, }', "comma"),
        ('{"a": 1 // b\\n}', "no comments"),
        ("{// b\\n}", "no comments"),
    ],
)
def test_what_json_has_instead_is_said(text: str, help: str) -> None:  # noqa: A002 - what it is
    (problem,) = read_template(templated(text.replace("\\n", "\n"))).problems
    assert help in str(problem.hint)


def test_an_async_body_is_left_to_validation_and_warns_nobody(author: Author) -> None:
    module = author("class Farm:\n    @classmethod\n    async def templateBody(cls): return ''\n")
    assert read_template(module.Farm).problems == []


def test_a_template_that_raises_is_a_problem_and_no_crash(author: Author) -> None:
    module = author(
        """
        class Odd(Exception):
            def __str__(self):
                raise ValueError("no text")
        class Farm:
            @classmethod
            def templateName(cls):
                raise Odd
            @classmethod
            def templateBody(cls):
                return 3
        """
    )
    template = read_template(module.Farm)
    assert template.name == "farm"
    assert codes(template) == ["template-raises", "template-body"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["name", "type", "size", "value", "tag", "parameters"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.one_of(st.text(), JSON.map(json.dumps), JSON, st.lists(JSON)))
def test_no_body_upsets_the_reader(body: Any) -> None:
    text = body if isinstance(body, str) else None
    cls = (
        templated(text if text is not None else body) if text is not None or isinstance(body, list) else templated(None)
    )
    template = read_template(cls)
    assert template.name == "farm"
    for parm in template.parms:
        assert parm.size >= 1
        assert [parm.default_at(index) for index in range(parm.size)]
