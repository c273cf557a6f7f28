"""The locator against Python's own parsers: every path they yield is found, and what stands there says the same."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topcook.model.graphfile.locate import KeyPath, Locator, Position, content_offsets, locate_json, locate_toml

BLANKS = st.sampled_from(["", " ", "  ", "\t"])
# Few names, so that headers, dotted keys and arrays of tables meet.
KEY_TEXTS = st.sampled_from(["a", "b", "c-d", "1", '"a"', "'b'", '"q.\\u00e9 \\"k\\""', "'l.\"#['", '""'])
PLAIN = st.text(st.sampled_from(list("ab é#=[]{},.:\t\U0001f40d\u2028")), max_size=6)


@st.composite
def basic_strings(draw: st.DrawFn, *, multi: bool = False) -> str:
    """A basic string as written: text, escapes, and in the long form line ends, folds and quotes."""
    escapes = ["\\n", "\\t", '\\"', "\\\\", "\\u00e9", "\\U0001F40D", "'"]
    if multi:
        escapes += ["\n", '"', '""', "\\\n", "\\  \n\n  \t", "\n\n"]
    body = "".join(draw(st.lists(st.one_of(PLAIN, st.sampled_from(escapes)), max_size=8)))
    if not multi:
        return f'"{body}"'
    while '"""' in body:
        body = body.replace('"""', '""')
    return f'"""{body}"""'


@st.composite
def literal_strings(draw: st.DrawFn, *, multi: bool = False) -> str:
    """A literal string as written."""
    pieces = ['"', "\\", "\\n", *(["\n", "'", "''"] if multi else [])]
    body = "".join(draw(st.lists(st.one_of(PLAIN, st.sampled_from(pieces)), max_size=8)))
    while "'''" in body:
        body = body.replace("'''", "''")
    return f"'''{body}'''" if multi else f"'{body}'"


STRINGS = st.one_of(basic_strings(), basic_strings(multi=True), literal_strings(), literal_strings(multi=True))
SCALARS = st.one_of(
    STRINGS,
    st.sampled_from(
        [
            "1",
            "-17",
            "+0",
            "1_000",
            "0xDEAD_beef",
            "0o17",
            "0b11",
            "1.5",
            "-2e10",
            "6.02e-23",
            "inf",
            "-nan",
            "true",
            "false",
            "1979-05-27",
            "07:32:00.5",
            "1979-05-27T07:32:00Z",
            "1979-05-27 07:32:00-07:00",
        ]
    ),
)


@st.composite
def keys(draw: st.DrawFn) -> str:
    """A key, perhaps dotted, perhaps with blanks around the dots."""
    parts = draw(st.lists(KEY_TEXTS, min_size=1, max_size=3))
    dot = draw(st.sampled_from([".", " . ", "\t."]))
    return dot.join(parts)


@st.composite
def arrays(draw: st.DrawFn, elements: st.SearchStrategy[str]) -> str:
    """An array over one or many lines, with comments and a comma at its end."""
    gap = draw(st.sampled_from(["", " ", "\n  ", ' # a ] comment, "\n', "\n\n"]))
    inside = draw(st.lists(elements, max_size=3))
    end = "," if inside and draw(st.booleans()) else ""
    return f"[{gap}" + f"{gap},{gap}".join(inside) + f"{gap}{end}{gap}]"


@st.composite
def inline_tables(draw: st.DrawFn, elements: st.SearchStrategy[str]) -> str:
    """An inline table."""
    pairs = draw(st.lists(st.tuples(keys(), elements), max_size=3))
    return "{" + ", ".join(f"{key} = {value}" for key, value in pairs) + " }"


VALUES = st.recursive(SCALARS, lambda inner: st.one_of(arrays(inner), inline_tables(inner)), max_leaves=6)
STATEMENTS = st.one_of(
    st.tuples(keys(), BLANKS, VALUES, st.sampled_from(["", ' # a " comment', "\t"])).map(
        lambda parts: f"{parts[0]}{parts[1]}={parts[1]}{parts[2]}{parts[3]}"
    ),
    st.tuples(BLANKS, keys()).map(lambda parts: f"{parts[0]}[{parts[0]}{parts[1]}{parts[0]}]"),
    keys().map(lambda key: f"[[{key}]] # [x]"),
    st.sampled_from(["", "# x = 1", "  "]),
)


def accepted(text: str) -> bool:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


@st.composite
def documents(draw: st.DrawFn) -> str:
    """A TOML document: of the drawn statements, those that tomllib takes after the ones before."""
    text = ""
    for statement in draw(st.lists(STATEMENTS, max_size=10)):
        if accepted(f"{text}{statement}\n"):
            text += f"{statement}\n"
    return text


def walk(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Every path of a document with its value."""
    yield path, value
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, element in inside:
        yield from walk(element, (*path, key))


def check_places(locator: Locator, document: Any, *, load: Any, by_header: bool) -> None:
    """Hold a locator against what a parser yields."""
    paths = dict(walk(document))
    assert set(paths) == set(locator.spots)
    for path, value in paths.items():
        spot = locator.spots[path]
        written = locator.text[spot.value : spot.value_end]
        if path and isinstance(path[-1], str):
            assert load(f"{locator.text[spot.key : spot.key_end]}", key=True) == path[-1]
        if (path or not by_header) and not (by_header and isinstance(value, dict | list) and written[:1] not in "[{"):
            assert repr(load(written)) == repr(value)
        if isinstance(value, str):
            check_content(locator, path, value)


def check_content(locator: Locator, path: KeyPath, value: str) -> None:
    """Each character of a string's content is found, as itself or as the escape that makes it."""
    spot = locator.spots[path]
    offsets = content_offsets(locator.text, spot.value, spot.value_end)
    assert len(offsets) == len(value) + 1
    for char, offset in zip(value, offsets, strict=False):
        assert locator.text[offset] in {char, "\\"}
    start = 0
    for number, line in enumerate(value.split("\n")):
        for column in range(len(line) + 1):
            assert locator.in_string(path, number, column) == locator.position(offsets[start + column])
        start += len(line) + 1


def load_toml(text: str, *, key: bool = False) -> Any:
    return next(iter(tomllib.loads(f"{text} = 1"))) if key else tomllib.loads(f"v = {text}")["v"]


def load_json(text: str, *, key: bool = False) -> Any:
    return json.loads(text)


@given(documents())
@settings(max_examples=300, deadline=None)
def test_every_path_that_tomllib_yields_is_found_and_what_stands_there_parses_to_its_value(text: str) -> None:
    check_places(locate_toml(text), tomllib.loads(text), load=load_toml, by_header=True)


@given(SCALARS)
@settings(max_examples=300, deadline=None)
def test_every_scalar_is_located_whole(text: str) -> None:
    document = f"x = {text} # end\ny = [{text},{text}]\n"
    if accepted(document):
        check_places(locate_toml(document), tomllib.loads(document), load=load_toml, by_header=True)


JSON_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)),
    max_leaves=10,
)


@given(JSON_VALUES, st.booleans(), st.sampled_from([None, 0, 2]))
@settings(max_examples=300, deadline=None)
def test_every_path_that_json_yields_is_found_and_what_stands_there_parses_to_its_value(
    value: Any, ascii_only: bool, indent: int | None
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    check_places(locate_json(text), value, load=load_json, by_header=False)


NETWORK = '''\
# a comment
[network]
name = "turntable"
"display" = "sheet"

[nodes.render]
inputs = ["angles",
          "other"]
parms.command = """
first
  second \\
      still second
"""
[nodes.render.parms2]
outputs = [ { path = "a" }, { path = "b", tag = 'c' } ]

[[nodes.render.spare]]
name = "one"
[[nodes.render.spare]]
name = "two"
  [nodes.render.spare.deep]
  x = "tab\\tline\\nnext"
'''


@pytest.mark.parametrize(
    ("path", "key", "value"),
    [
        (("network",), (2, 2), (2, 2)),
        (("network", "display"), (4, 1), (4, 13)),
        (("nodes",), (6, 2), (6, 2)),
        (("nodes", "render", "inputs", 1), (8, 11), (8, 11)),
        (("nodes", "render", "parms"), (9, 1), (9, 1)),
        (("nodes", "render", "parms", "command"), (9, 7), (9, 17)),
        (("nodes", "render", "parms2", "outputs", 1, "tag"), (15, 43), (15, 49)),
        (("nodes", "render", "spare", 1), (19, 16), (19, 16)),
        (("nodes", "render", "spare", 1, "name"), (20, 1), (20, 8)),
        (("nodes", "render", "spare", 1, "deep", "x"), (22, 3), (22, 7)),
    ],
)
def test_keys_and_values_have_the_lines_and_columns_that_an_editor_shows(
    path: KeyPath, key: tuple[int, int], value: tuple[int, int]
) -> None:
    locator = locate_toml(NETWORK)
    assert (locator.key(path), locator.value(path)) == (Position(*key), Position(*value))


@pytest.mark.parametrize(
    ("line", "column", "place"),
    [
        (0, 0, (10, 1)),
        (1, 0, (11, 1)),
        (1, 9, (12, 7)),  # behind the fold
        (2, 0, (13, 1)),
        (99, 99, (13, 1)),
        (0, 99, (10, 6)),
    ],
)
def test_places_inside_a_string_of_several_lines_are_the_files_own(
    line: int, column: int, place: tuple[int, int]
) -> None:
    path = ("nodes", "render", "parms", "command")
    assert locate_toml(NETWORK).in_string(path, line, column) == Position(*place)


def test_lines_made_by_escapes_are_found_inside_the_one_line_of_the_file() -> None:
    path = ("nodes", "render", "spare", 1, "deep", "x")
    assert locate_toml(NETWORK).in_string(path, 1, 0) == Position(22, 19)


def test_a_path_that_is_not_there_answers_with_the_closest_thing_around_it() -> None:
    locator = locate_toml(NETWORK)
    assert locator.key(("nodes", "render", "type")) == locator.key(("nodes", "render"))
    assert locator.key(("nowhere", 1, "x")) == Position(1, 1)
    assert locator.in_string(("network", "nope"), 3, 4) == locator.value(("network",))


def test_what_a_json_text_says_twice_is_kept_with_the_place_of_the_later_one() -> None:
    locator = locate_json('{"a": {"x": 1},\n "b": 2,\n "a": {"x": 2}}')
    assert ("a",) in [path for path, _ in locator.repeated]
    assert {locator.position(offset).line for path, offset in locator.repeated if path == ("a",)} == {3}


@pytest.mark.parametrize("locate", [locate_toml, locate_json], ids=["toml", "json"])
def test_nesting_beyond_pythons_stack_is_no_matter(locate: Any) -> None:
    nested = "[" * 3_000 + "]" * 3_000
    text = nested if locate is locate_json else f"x = {nested}"
    assert len(text) == locate(text).spots[() if locate is locate_json else ("x",)].value_end


@pytest.mark.parametrize("quotes", ['"""', "'''"])
def test_what_stands_behind_a_string_of_several_lines_is_found(quotes: str) -> None:
    """Python before 3.11.5 matched such strings wrongly when a group was repeated possessively."""
    text = f"[a]\none = {quotes}echo\n   ok ' \" and\n   @here \"\" ''\n{quotes}\n# more\n\ntwo = [1, 2]\n"
    locator = locate_toml(text)
    assert set(locator.spots) == {(), ("a",), ("a", "one"), ("a", "two"), ("a", "two", 0), ("a", "two", 1)}
    assert locator.key(("a", "two")) == Position(8, 1)
