"""Source that is written for people: what it says stays the same, however it is laid out."""

from __future__ import annotations

import ast
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topcook.contract.layout import WIDTH, docstring, indented, literal

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXTS, inner, max_size=5),
    max_leaves=12,
)


@given(VALUES, st.integers(0, 40))
def test_a_literal_says_its_value(value: Any, indent: int) -> None:
    assert ast.literal_eval(literal(value, indent)) == value


def test_a_literal_takes_a_line_where_it_fits_and_else_a_line_for_each_element() -> None:
    assert literal({"a": [1, "x"]}) == '{"a": [1, "x"]}'
    assert literal(["it's", 'say "x"', "tab\t"]) == '["it\'s", \'say "x"\', "tab\\t"]'
    assert literal({"name": "x" * 40, "other": "y" * 40}, 4) == (
        '{\n        "name": "' + "x" * 40 + '",\n        "other": "' + "y" * 40 + '",\n    }'
    )


@given(st.text(st.sampled_from("ab;. \"'\\"), max_size=300), st.integers(0, 12))
def test_a_docstring_is_one_string_within_the_width(text: str, indent: int) -> None:
    made = docstring(f"Does {text}.", indent)
    assert isinstance(ast.literal_eval(made.strip()), str)
    if not any(len(word) > WIDTH - 20 for word in text.split()):
        assert all(len(line) <= WIDTH for line in made.splitlines())


BODIES = [
    "return 1",
    "if a:\n\treturn 1\nelse:\n\t# why\n\treturn 2",
    "text = '''\n\ttabs\n  and blanks\n'''\nreturn text",
    'if a:\n  return f"""\n  {a}\n{f"x{b}"}\n """\nreturn 2',
    'x = ("a"\n\t\t"b",\n\n  "c")\nfor y in x:\n\tprint(y)  \n\n\tprint(2)',
    "if a:\n\tif b:\n\t    c\n\t    d\n\te",
    "x = 'a\\\n  b'\ny = 1 + \\\n 2",
    "\n\nreturn None\n\n",
]


@pytest.mark.parametrize("body", BODIES)
def test_a_body_says_the_same_at_another_depth(body: str) -> None:
    moved = indented(body, 8)
    function = ast.parse(f"class C:\n    def f(self):\n{moved}\n").body[0].body[0]  # type: ignore[attr-defined]
    assert [ast.dump(each) for each in function.body] == [ast.dump(each) for each in ast.parse(body).body]


def test_tabs_become_blanks_but_not_in_texts() -> None:
    assert indented("if a:\n\tb = '''\n\tc'''", 4) == "    if a:\n        b = '''\n\tc'''"
