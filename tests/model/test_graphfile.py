"""The reader of network files: what it makes of good ones, and what it says of bad ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topcook.errors import GraphFileError, Problem
from topcook.model.graphfile import GraphFile, read_network_file

TURNTABLE = '''\
[network]
name = "turntable"
scheduler = "local"
inprocess_scheduler = "threads"
display = "sheet"
files = ["scene.geo"]
parms.quality = 3

[schedulers.local]
type = "localscheduler"
[schedulers.local.parms]
pdg_workingdir = "$HIP/work"
maxprocs = 2
[[schedulers.local.spare]]
name = "queue"
label = "Queue"
type = "string"
value = "day"
tags = "jobParm"

[nodes.angles]
type = "wedge"
[nodes.angles.parms]
wedgeattributes = [ { name = "angle", range = [0.0, 345.0] } ]

[nodes.render]
type = "genericgenerator"
inputs = ["angles"]
scheduler = "farm"
files = ["render.py"]
[nodes.render.parms]
command = """
python render.py \\
    --angle @angle
done"""
[nodes.render.job_parms]
farm_priority = 7
[[nodes.render.spare]]
name = "note"
secret = true
size = 2
value = ["a", "b"]
tags = ["x", "y"]

[nodes.sheet]
type = "waitforall"
inputs = ["render", "angles"]

[[pathmap]]
from = "/mnt"
to = "P:"
zone = "WIN"
match = "contains"
scheduler = "farm"
[[pathmap]]
from = "/a"
to = "/b"

[profiles.farm]
scheduler = "farm"
parms.x = 1
overrides.render = "local"
'''


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write_file(text: str | bytes, name: str = "net.toml") -> Path:
        path = tmp_path / name
        path.write_bytes(text.encode("utf-8") if isinstance(text, str) else text)
        return path

    return write_file


def problems_of(path: Path) -> list[Problem]:
    with pytest.raises(GraphFileError) as caught:
        read_network_file(path)
    return caught.value.problems


def problems_or_none(path: Path) -> list[Problem] | None:
    """The problems of a file; ``None`` when it was read."""
    try:
        read_network_file(path)
    except GraphFileError as error:
        return error.problems
    return None


def only_problem(path: Path) -> Problem:
    (problem,) = problems_of(path)
    return problem


def same(one: GraphFile, two: GraphFile) -> bool:
    return (one.network, one.schedulers, one.nodes, one.pathmaps, one.profiles) == (
        two.network, two.schedulers, two.nodes, two.pathmaps, two.profiles
    )  # fmt: skip


def test_a_network_file_is_read_with_all_it_says(write: Callable[..., Path]) -> None:
    path = write(TURNTABLE)
    graph = read_network_file(path)
    assert (graph.path, graph.hip) == (path, path.parent)
    network = graph.network
    assert (network.name, network.scheduler, network.inprocess_scheduler) == ("turntable", "local", "threads")
    assert (network.display, network.files, network.parms) == ("sheet", ["scene.geo"], {"quality": 3})
    local = graph.schedulers["local"]
    assert (local.name, local.type) == ("local", "localscheduler")
    assert local.parms == {"pdg_workingdir": "$HIP/work", "maxprocs": 2}
    queue = local.spare[0]
    assert (queue.name, queue.label, queue.type, queue.size) == ("queue", "Queue", "string", 1)
    assert (queue.value, queue.tags, queue.secret) == ("day", ("jobParm",), False)
    assert list(graph.nodes) == ["angles", "render", "sheet"]
    render = graph.nodes["render"]
    assert (render.type, render.inputs, render.scheduler) == ("genericgenerator", ["angles"], "farm")
    assert (render.files, render.job_parms) == (["render.py"], {"farm_priority": 7})
    note = render.spare[0]
    assert (note.secret, note.size, note.value, note.tags) == (True, 2, ["a", "b"], ("x", "y"))
    assert graph.nodes["angles"].parms == {"wedgeattributes": [{"name": "angle", "range": [0.0, 345.0]}]}
    assert graph.nodes["sheet"].inputs == ["render", "angles"]
    assert [(rule.from_path, rule.to_path, rule.zone, rule.match, rule.scheduler) for rule in graph.pathmaps] == [
        ("/mnt", "P:", "WIN", "contains", "farm"),
        ("/a", "/b", "*", "prefix", None),
    ]
    farm = graph.profiles["farm"]
    assert (farm.scheduler, farm.parms, farm.overrides) == ("farm", {"x": 1}, {"render": "local"})


def test_a_small_file_leaves_the_rest_to_the_cook(write: Callable[..., Path]) -> None:
    graph = read_network_file(write('[nodes.a]\ntype = "null"', "my net.toml"))
    assert (graph.network.name, graph.network.scheduler, graph.network.display) == ("my net", None, None)
    node = graph.nodes["a"]
    assert (node.inputs, node.parms, node.job_parms, node.spare, node.files, node.scheduler) == (
        [],
        {},
        {},
        [],
        [],
        None,
    )


@pytest.mark.parametrize("name", ["net.json", "net"])
def test_json_of_the_same_shape_is_read_the_same(write: Callable[..., Path], name: str) -> None:
    import tomllib

    one = read_network_file(write(TURNTABLE))
    two = read_network_file(write(json.dumps(tomllib.loads(TURNTABLE), indent=1), name))
    assert same(one, two)
    assert two.place("nodes", "render", "parms", "command").line > 1


def test_a_byte_order_mark_and_windows_line_ends_change_nothing(write: Callable[..., Path]) -> None:
    one = read_network_file(write(TURNTABLE))
    two = read_network_file(write(b"\xef\xbb\xbf" + TURNTABLE.replace("\n", "\r\n").encode(), "two.toml"))
    assert same(one, two)
    path = ("nodes", "render", "parms", "command")
    assert one.place(*path).line == two.place(*path).line
    assert one.place_in_string(path, 1).line == two.place_in_string(path, 1).line == 35


def test_records_know_their_places_and_so_does_each_line_of_a_snippet(write: Callable[..., Path]) -> None:
    graph = read_network_file(write(TURNTABLE))
    lines = TURNTABLE.splitlines()
    assert lines[graph.nodes["render"].place.line - 1] == "[nodes.render]"
    assert lines[graph.schedulers["local"].place.line - 1] == "[schedulers.local]"
    assert lines[graph.nodes["render"].spare[0].place.line - 1] == "[[nodes.render.spare]]"
    place = graph.value_place("nodes", "render", "job_parms", "farm_priority")
    assert str(place) == f"{graph.path}:37:17"
    command = ("nodes", "render", "parms", "command")
    assert lines[graph.place_in_string(command, 0).line - 1].startswith("python")
    assert lines[graph.place_in_string(command, 0, 20).line - 1].strip().startswith("--angle")
    assert lines[graph.place_in_string(command, 1).line - 1].startswith("done")


MISTAKES: dict[str, tuple[str, str, str, tuple[int, int], str]] = {
    "unknown top key": ('node = 1\n[nodes.a]\ntype="x"', "unknown-key", "in the file", (1, 1), 'mean "nodes"'),
    "network's key at the top": (
        'default_scheduler = "a"\n[nodes.a]\ntype="x"', "unknown-key", "in the file", (1, 1),
        'did you mean "scheduler" in [network]? allowed are network,',
    ),
    "network's own key at the top": (
        'slots = 4\n[nodes.a]\ntype="x"', "unknown-key", "in the file", (1, 1), 'mean "slots" in [network]?',
    ),
    "mistyped top key": ('schdulers = 1\n[nodes.a]\ntype="x"', "unknown-key", "in the file", (1, 1), 'mean "schedulers"?'),
    "unknown network key": (
        '[network]\nschduler = "x"\n[nodes.a]\ntype="x"', "unknown-key", '"schduler" in "network"', (2, 1),
        'did you mean "scheduler"? allowed are name,',
    ),
    "parm beside parms": (
        '[nodes.a]\ntype = "x"\nwedgecount = 3', "unknown-key", '"wedgecount" in "nodes.a"', (3, 1), "[nodes.a.parms]",
    ),
    "no type": ("[nodes.a]\ninputs = []", "missing-key", '"nodes.a" has no type', (1, 8), "add type = "),
    "no scheduler type": (
        '[nodes.a]\ntype="x"\n[schedulers.b]', "missing-key", '"schedulers.b" has no type', (3, 13), "localscheduler",
    ),
    "single input": (
        '[nodes.a]\ntype = "x"\ninputs = "b"', "wrong-type", 'list of node names, found the text "b"', (3, 10),
        'inputs = ["b"]',
    ),
    "input of wrong type": (
        '[nodes.a]\ntype = "x"\ninputs = [\n  3]', "wrong-type", '"nodes.a.inputs[0]" must be a text', (4, 3), "quotes",
    ),
    "unknown input": (
        '[nodes.a]\ntype = "x"\n[nodes.b]\ntype = "x"\ninputs = ["aa"]', "unknown-input", '"aa", which is no node',
        (5, 11), 'did you mean "a"?',
    ),
    "self input": ('[nodes.a]\ntype = "x"\ninputs = ["a"]', "self-input", "itself", (3, 11), "remove"),
    "unknown display": (
        '[network]\ndisplay = "zzz"\n[nodes.a]\ntype = "x"', "unknown-display", '"zzz", which is no node', (2, 11),
        'the nodes are "a"',
    ),
    "bad name": ('[nodes."a b"]\ntype = "x"', "bad-name", '"a b" is not usable as a name', (1, 8), "letters"),
    "a date": (
        '[nodes.a]\ntype = "x"\nparms.when = 1979-05-27', "wrong-type", "found a date or time", (3, 14), "quotes",
    ),
    "not finite": ('[nodes.a]\ntype = "x"\nparms.x = [nan]', "bad-value", "finite", (3, 12), ""),
    "a NUL": ('[nodes.a]\ntype = "x"\nparms.command = "a\\u0000b"', "bad-text", "NUL", (3, 17), ""),
    "empty type": ('[nodes.a]\ntype = ""', "bad-value", "is empty", (2, 8), ""),
    "spare type": (
        '[nodes.a]\ntype = "x"\n[[nodes.a.spare]]\nname = "s"\ntype = "Flat"', "bad-value", '"Flat" is not known',
        (5, 8), "one of: string",
    ),
    "spare twice": (
        '[nodes.a]\ntype = "x"\nspare = [{name = "s"},\n{name = "s"}]', "duplicate-name", 'parm "s" twice', (4, 9), "keep",
    ),
    "no nodes": ('[network]\nname = "x"', "missing-key", "the file has no nodes", (1, 1), "[nodes.NAME]"),
    "empty nodes": ("[nodes]", "no-nodes", "has no nodes", (1, 2), "[nodes.NAME]"),
    "parms no table": ('[nodes.a]\ntype = "x"\nparms = 3', "wrong-type", "must be a table", (3, 9), ""),
    "pathmap without to": ('[nodes.a]\ntype="x"\n[[pathmap]]\nfrom="/a"', "missing-key", "has no to", (3, 3), "add to"),
}  # fmt: skip


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_told_with_its_place_and_what_to_do(write: Callable[..., Path], case: str) -> None:
    text, code, message, place, hint = MISTAKES[case]
    path = write(text)
    problem = only_problem(path)
    assert (problem.code, problem.path) == (code, str(path))
    assert message in problem.message
    assert (problem.line, problem.column) == place
    assert hint in (problem.hint or "")


def test_all_mistakes_of_a_file_are_told_at_once_in_the_order_of_the_file(write: Callable[..., Path]) -> None:
    path = write("\n".join(text for text, *_ in [(f'[nodes.n{n}]\ntyp = "x"\ninputs = ["m{n}"]',) for n in range(5)]))
    problems = problems_of(path)
    assert [problem.code for problem in problems] == ["missing-key", "unknown-key", "unknown-input"] * 5
    assert [problem.line for problem in problems] == list(range(1, 16))
    with pytest.raises(GraphFileError, match=r"has 15 mistakes\n  .*:1:8: "):
        read_network_file(path)


def test_a_circle_is_printed_as_a_chain_in_the_direction_of_the_data(write: Callable[..., Path]) -> None:
    text = "".join(f'[nodes.{name}]\ntype = "x"\ninputs = ["{up}"]\n' for name, up in ["ac", "ba", "cb", "da"])
    problem = only_problem(write(text))
    assert problem.message == "nodes feed each other in a circle: a -> b -> c -> a"
    assert (problem.code, problem.line, problem.column) == ("cycle", 3, 11)


def test_two_circles_are_both_told(write: Callable[..., Path]) -> None:
    pairs = ["ab", "ba", "cd", "dc"]
    text = "".join(f'[nodes.{name}]\ntype = "x"\ninputs = ["{up}"]\n' for name, up in pairs)
    assert [problem.message.rpartition(": ")[2] for problem in problems_of(write(text))] == [
        "a -> b -> a",
        "c -> d -> c",
    ]


SYNTAX: dict[str, tuple[str, str, tuple[int, int], str]] = {
    "bare text": ("[nodes.a]\ntype = wedge\n", "net.toml", (2, 8), "quotes"),
    "open text": ('[nodes.a]\ntype = "we\n', "net.toml", (2, 11), '"""'),
    "open list": ('[nodes.a]\ntype = "x"\ninputs = ["a"\n', "net.toml", (4, 1), "]"),
    "key twice": ('[nodes.a]\ntype = "x"\ntype = "y"\n', "net.toml", (3, 11), "once"),
    "table twice": ('[nodes.a]\ntype = "x"\n[nodes.a]\n', "net.toml", (3, 9), "once"),
    "json comma": ('{"nodes": {"a": {"type": "x",}}}', "net.json", (1, 30), "comma"),
    "json quotes": ("{'nodes': {}}", "net.json", (1, 2), "double quotes"),
    "empty json": ("", "net.json", (1, 1), "texts need"),
}


@pytest.mark.parametrize("case", SYNTAX)
def test_a_syntax_error_comes_alone_with_its_place_and_what_it_usually_means(
    write: Callable[..., Path], case: str
) -> None:
    text, name, place, hint = SYNTAX[case]
    problem = only_problem(write(text, name))
    assert problem.code == "syntax"
    assert (problem.line, problem.column) == place
    assert hint in (problem.hint or "")


def test_a_key_that_json_gives_twice_is_refused_because_one_of_the_two_would_be_lost(
    write: Callable[..., Path],
) -> None:
    problem = only_problem(write('{"nodes": {"a": {"type": "x",\n "type": "y"}}}', "net.json"))
    assert (problem.code, problem.line, problem.column) == ("repeated-key", 2, 2)
    assert '"nodes.a.type"' in problem.message


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("x = " + "[" * 40 + "]" * 40, "net.toml"),
        ("x = " + "[" * 100_000 + "]" * 100_000, "net.toml"),
        ("a." * 40 + "b = 1", "net.toml"),
        ('{"x": ' + "[" * 40 + "]" * 40 + "}", "net.json"),
        ('{"x": ' + "[" * 100_000 + "]" * 100_000 + "}", "net.json"),
    ],
)
def test_nesting_without_end_is_refused(write: Callable[..., Path], text: str, name: str) -> None:
    assert only_problem(write(text, name)).code == "too-deep"


@pytest.mark.parametrize(
    ("text", "name"), [("x = 1" + "0" * 5000, "net.toml"), ('{"x": 1' + "0" * 5000 + "}", "n.json")]
)
def test_a_number_that_python_refuses_is_a_problem_and_no_traceback(
    write: Callable[..., Path], text: str, name: str
) -> None:
    assert only_problem(write(text, name)).code == "syntax"


def test_what_is_no_utf8_is_told_with_the_place_of_the_byte(write: Callable[..., Path]) -> None:
    problem = only_problem(write('[nodes.a]\ntype = "ä'.encode() + b'\xe4"'))
    assert (problem.code, problem.line, problem.column) == ("not-utf8", 2, 10)
    assert "UTF-16" in str(only_problem(write("[nodes]".encode("utf-16"), "wide.toml")))


def test_a_file_that_is_not_there_is_answered_with_the_closest_one(write: Callable[..., Path]) -> None:
    path = write("x")
    problem = only_problem(path.with_name("nett.toml"))
    assert problem.code == "missing-file"
    assert str(path) in (problem.hint or "")
    assert only_problem(path / "below").code == "unreadable"
    assert "not there either" in (only_problem(path.parent / "no" / "x.toml").hint or "")


def test_a_directory_is_answered_with_the_network_in_it(write: Callable[..., Path]) -> None:
    path = write("x")
    problem = only_problem(path.parent)
    assert problem.code == "is-directory"
    assert str(path) in (problem.hint or "")


def test_a_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    assert only_problem(tmp_path / "pipe.toml").code == "not-a-file"


def test_a_file_beyond_the_limit_is_refused(write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("topcook.model.graphfile.reader.MAX_BYTES", 1 << 20)
    assert only_problem(write("#" * (1 << 20) + "\n")).code == "too-large"


def test_a_file_that_may_not_be_read_is_told(write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """The refusal is made up: root may read everything."""

    def refuse(self: Path, mode: str) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    path = write("x = 1")
    monkeypatch.setattr(Path, "open", refuse)
    problem = only_problem(path)
    assert (problem.code, problem.message) == ("unreadable", "the file cannot be read: Permission denied")


@given(
    cut=st.integers(0, len(TURNTABLE)),
    length=st.integers(0, 12),
    junk=st.one_of(st.binary(max_size=6), st.text(max_size=6).map(lambda text: text.encode("utf-8", "surrogatepass"))),
)
@settings(max_examples=300, deadline=None)
def test_whatever_is_in_the_file_it_is_read_or_refused_with_a_place(
    tmp_path: Path, cut: int, length: int, junk: bytes
) -> None:
    text = TURNTABLE.encode()
    path = tmp_path / "net.toml"
    path.write_bytes(text[:cut] + junk + text[cut + length :])
    problems = problems_or_none(path)
    assert problems is None or problems
    assert all(problem.line and problem.column and problem.message for problem in problems or [])


def test_reading_loads_nothing_heavy() -> None:
    """Start-up counts: neither difflib, which only a mistake needs, nor anything that waits or draws."""
    script = "import sys, topcook.model.graphfile; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout.split()
    assert not {"difflib", "logging", "threading", "asyncio", "rich", "subprocess", "jsonschema"} & set(loaded)
