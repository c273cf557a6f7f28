"""Python's parser where several threads use it."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import pytest

from pdgjob import _syntax
from tests.parsing import parsed_meanwhile
from topcook.contract.parsing import parse
from topcook.contract.snippets import Snippet
from topcook.runtime.resultserver.arguments import read_object

BOTH = pytest.mark.parametrize("parse", [parse, _syntax.parse], ids=["cook", "job"])


@BOTH
def test_a_tree_is_made_although_another_one_is_made_meanwhile(parse: Callable[..., Any]) -> None:
    with parsed_meanwhile():
        tree = parse("x = [1, (2, 3)]", "net.toml")
    assert ast.dump(tree) == ast.dump(ast.parse("x = [1, (2, 3)]"))


@BOTH
def test_what_is_wrong_with_a_text_is_told_as_ever(parse: Callable[..., Any]) -> None:
    with parsed_meanwhile(), pytest.raises(SyntaxError) as told:
        parse("x = (", "net.toml")
    assert (told.value.filename, told.value.lineno) == ("net.toml", 1)


def test_snippets_and_values_are_read_although_others_are_read_meanwhile() -> None:
    with parsed_meanwhile():
        assert Snippet("return [each for each in range(3)]", "a test").function("made", [])() == [0, 1, 2]
    with parsed_meanwhile():
        assert read_object(" {'one': [1, 2]}") == {"one": [1, 2]}
