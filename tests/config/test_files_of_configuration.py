"""Files: mistakes with their places, the rest stands; and which files are not believed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import topcook.model
from topcook.config import KEYS, Config, load_config, user_config_file
from topcook.config.files import owner_name
from topcook.config.shapes import DOCUMENT
from topcook.model.tomltext import toml_key, toml_value

Write = Callable[[str, str], Path]
Load = Callable[..., Config]

SAMPLE: dict[str, Any] = {
    "locked": ["strict", "trust", "scheduler_defaults.local"],
    "types": {"path": ["types"]},
    "trust": {"owners": ["pipeline"], "strict": True},
    "block": [{"name": "a", "file": "b", "module": "c", "distribution": "d", "reason": "e"}],
    "require": "seed",
    "strict": True,
    "exempt": [{"code": "a", "file": "b", "name": "c", "reason": "d"}],
    "scheduler_defaults": {"localscheduler": {"maxprocs": 2}},
    "pathmap": [{"from": "/a", "to": "B:/a", "zone": "WIN", "match": "prefix", "scheduler": "farm"}],
    "ports": "40000-40100",
    "log_level": "info",
    "slots": {"machine": 4},
    "watchdog": {"seconds": 30},
    "die_with_parent": True,
}
MISTAKES = [
    ("requier = 1", 1, 1, 'did you mean "require"?'),
    ('strict = "yes"', 1, 10, "must be true or false"),
    ('require = "sead"', 1, 11, "one of: contract, seed"),
    ('log_level = "loud"', 1, 13, "one of: debug"),
    ('ports = "a-b"', 1, 9, "no range of ports"),
    ("[slots]\nmachine = -1", 2, 11, "must be 0 or more"),
    ("[watchdog]\nseconds = 1.5", 2, 11, "must be an integer"),
    ('[types]\npath = "one"', 2, 8, 'path = ["one"]'),
    ('[types]\npth = ["one"]', 2, 1, 'did you mean "path"?'),
    ('[[block]]\nreason = "r"', 1, 3, "add one of name, file"),
    ('[[block]]\nname = "r"', 1, 3, "add reason"),
    ('[[exempt]]\nreason = "r"', 1, 3, "add one of code"),
    ('locked = ["strikt"]', 1, 11, 'did you mean "strict"?'),
    ("[scheduler_defaults.local]\nx = 2026-01-01", 2, 5, "write dates as texts"),
    ("strict = tru", 1, 10, "lower case"),
    ("a = 1\nb =", 2, 4, "not TOML"),
]


@pytest.mark.parametrize("layer", ["user", "project", "site.toml"])
@pytest.mark.parametrize(("text", "line", "column", "said"), MISTAKES)
def test_a_mistake_is_told_at_its_place_with_what_to_type(
    text: str, line: int, column: int, said: str, layer: str, load: Load, write: Write
) -> None:
    path = write(layer, text)
    config = load(*([layer] if layer == "site.toml" else []))
    (problem,) = config.mistakes
    assert (problem.path, problem.line, problem.column) == (str(path), line, column)
    assert said in str(problem)


def test_all_mistakes_are_told_and_the_rest_of_the_file_and_of_the_layers_stands(load: Load, write: Write) -> None:
    write("site.toml", 'log_level = "info"\nrequire = "seed"')
    write("user", 'strict = true\nrequire = "no"\n[types]\npath = ["/a", 5, "/b"]\nmore = 1\n[[block]]\nname = "x"')
    config = load("site.toml")
    assert [problem.line for problem in config.problems] == [2, 4, 5, 6]
    assert (config.strict, config.log_level, config.require) == (True, "info", "seed")
    assert [entry.path for entry in config.types_path] == ["/a", "/b"]


def test_a_directory_in_place_of_a_file_or_one_that_is_too_large_is_told(load: Load, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "large.toml").write_text("#" * (1 << 21))
    config = load("folder", "large.toml")
    assert [Path(str(problem.path)).name for problem in config.mistakes] == ["folder", "large.toml"]


@pytest.mark.parametrize("text", ["[" * 300 + "]" * 300, "{a = " * 40 + "1" + "}" * 40])
def test_values_that_nest_too_deeply_are_told(text: str, load: Load, write: Write) -> None:
    path = write("site.toml", f"[scheduler_defaults.local]\nx = {text}\n")
    (problem,) = load("site.toml").mistakes
    assert problem.path == str(path)
    assert "nest" in problem.message


def test_a_key_of_five_hundred_parts_is_told(load: Load, write: Write) -> None:
    write("site.toml", f"[scheduler_defaults.local]\n{'a.' * 500}a = 1\n")
    (problem,) = load("site.toml").mistakes
    assert problem.line == 2


def test_bytes_that_are_no_text_are_told_at_their_place(load: Load, tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_bytes(b'strict = true\nports = "\xff"')
    (problem,) = load("site.toml").mistakes
    assert problem.line == 2


# Who may have written a file


@pytest.mark.skipif(os.name == "nt", reason="Windows has no mode bits")
@pytest.mark.parametrize("layer", ["user", "project", "site.toml"])
def test_a_file_that_everybody_may_write_is_not_read(layer: str, load: Load, write: Write) -> None:
    path = write(layer, 'log_level = "debug"')
    path.chmod(0o646)
    config = load(*([layer] if layer == "site.toml" else []))
    (problem,) = config.mistakes
    assert config.log_level == "warning"
    assert problem.path == str(path)
    assert problem.hint == f"chmod o-w {path}"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no mode bits")
def test_a_file_that_everybody_may_replace_is_not_read_but_a_sticky_directory_is_fine(load: Load, write: Write) -> None:
    path = write("project", 'log_level = "debug"')
    path.parent.chmod(0o777)
    (problem,) = load().mistakes
    assert problem.hint == f"chmod o-w {path.parent}"
    path.parent.chmod(0o1777)
    assert load().log_level == "debug"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no owners in numbers")
@pytest.mark.parametrize("how", ["file", "link"])
def test_a_stranger_s_file_above_is_not_read_and_stops_nothing(
    how: str, load: Load, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write("project", 'log_level = "debug"')
    if how == "link":
        path.rename(tmp_path / "elsewhere.toml")
        path.symlink_to(tmp_path / "elsewhere.toml")
    if os.geteuid() == 0:
        os.chown(path, 4242, -1, follow_symlinks=False)
    else:
        # Only root can give a file away; anybody can be somebody else than its owner.
        monkeypatch.setattr("os.geteuid", lambda: 4242)
    owner = owner_name(path.lstat().st_uid)
    config = load()
    assert config.log_level == "warning"
    (problem,) = config.problems
    assert problem.code == "config-owner"
    assert f'"{owner}"' in str(problem)
    assert not config.mistakes
    write("user", f'[trust]\nowners = ["{owner}"]')
    assert load().log_level == "debug"


def test_no_configuration_is_read_for_an_environment_without_a_home(tmp_path: Path) -> None:
    assert not user_config_file({})
    assert load_config({}, directory=str(tmp_path)).files == ()


def test_reading_nothing_imports_nothing_heavy(tmp_path: Path) -> None:
    program = (
        "import sys; from topcook.config import load_config; "
        f"load_config({{'HOME': {str(tmp_path)!r}}}, directory={str(tmp_path)!r}); "
        "print(*{'tomllib', 'platformdirs', 'difflib', 'topcook.model.graphfile', 'pwd'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_reading_a_file_without_mistakes_imports_no_more_than_it_takes(tmp_path: Path) -> None:
    path = tmp_path / "topcook.toml"
    path.write_text('[types]\npath = ["types"]\n[[block]]\nname = "a"\nreason = "b"\n')
    program = (
        "import sys; from topcook.config import load_config; "
        f"assert len(load_config({{}}, directory={str(tmp_path)!r}).settings) == 2; "
        "print(*{'json', 'pathlib', 'platformdirs', 'difflib', 'topcook.model.graphfile.reader'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


# The schema


def validator() -> Draft202012Validator:
    text = (Path(topcook.model.__file__).parent / "schemas" / "config.schema.json").read_text("utf-8")
    return Draft202012Validator(json.loads(text))


def test_the_schema_has_every_key_of_the_table_with_its_sentence() -> None:
    schema: Any = validator().schema
    Draft202012Validator.check_schema(schema)
    for key in KEYS:
        node: Any = schema
        for part in key.name.split("."):
            node = node["properties"][part]
        assert node["description"].lower() == f"{key.help}.".lower()
        assert node.get("default", key.default) == key.default
    assert not list(validator().iter_errors(SAMPLE))
    assert not list(DOCUMENT(SAMPLE, ()))


JUNK = st.recursive(
    st.one_of(
        st.booleans(),
        st.integers(-2, 70000),
        st.sampled_from([0.5, "", "a", "seed", "info", "strict", "40000-40100", "n\0l", "a b"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.dictionaries(
            st.sampled_from(["name", "reason", "code", "from", "to", "path", "strict", "x y"]), inner, max_size=3
        ),
    ),
    max_leaves=5,
)


@given(changes=st.dictionaries(st.sampled_from([*SAMPLE, "nope", "trust.strict"]), JUNK, min_size=1, max_size=3))
@settings(max_examples=200)
def test_reader_and_schema_accept_the_same_and_every_mistake_has_a_place(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    document = {**SAMPLE, **changes}
    errors = [error.message for error in validator().iter_errors(document)]
    # Which of two numbers is the larger one, no schema says.
    faults = [fault for fault in DOCUMENT(document, ()) if "is empty or outside" not in fault.message]
    assert bool(faults) == bool(errors), (faults, errors)
    path = tmp_path / "site.toml"
    path.write_text("".join(f"{toml_key(name)} = {toml_value(value)}\n" for name, value in document.items()), "utf-8")
    config = load_config({"TOPCOOK_CONFIG": str(path)}, directory=str(tmp_path))
    assert bool(config.mistakes) >= bool(faults)
    assert all(problem.line and problem.column for problem in config.mistakes)


@given(text=st.text() | st.text("[]=\"'.#ab\n {}1,"))
@settings(max_examples=200)
def test_no_text_takes_the_reader_down(tmp_path: Path, text: str) -> None:
    path = tmp_path / "site.toml"
    path.write_text(text, "utf-8", errors="replace")
    config = load_config({"TOPCOOK_CONFIG": str(path)}, directory=str(tmp_path))
    assert isinstance(config.mistakes, tuple)
