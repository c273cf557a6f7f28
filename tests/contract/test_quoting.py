"""Paths in commands, as a real shell reads them."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pdgjob import _quoting as jobs_side
from topcook.author import command_argv
from topcook.contract.quoting import quoted

#: What stands around a path in a command.
PLACES = ["{}/x", '"{}/x"', "'{}/x'", "a{}/x", '"it\'s"{}/x', "'say \"'{}/x", '"a\\"b"{}/x', "a\\'{}/x"]
CHARACTERS = st.one_of(
    st.sampled_from(" \"'`$\\\n\t;&|<>(){}[]*?!#~=%^ä\u00a0"), st.characters(codec="utf-8", exclude_characters="\0")
)
PATHS = st.text(CHARACTERS, max_size=8).map(lambda text: "/" + text)


@given(PATHS, st.sampled_from(PLACES))
@settings(max_examples=60, deadline=None)
def test_a_shell_reads_a_path_as_it_is_in_whatever_quotes_it_stands(path: str, place: str) -> None:
    before = "printf %s " + place.partition("{}")[0]
    command = "printf %s " + place.replace("{}", quoted(path, before))
    bare = subprocess.run(["sh", "-c", "printf %s " + place.replace("{}", "")], capture_output=True, check=True)
    read = subprocess.run(command_argv(command), capture_output=True, check=True)
    assert read.stdout.decode() == f"{bare.stdout.decode().removesuffix('/x')}{path}/x"
    assert jobs_side.quoted(path, before) == quoted(path, before)


@pytest.mark.parametrize("path", ["/shows/abc", "/shows/größe", "C:\\my shows\\a", "\\\\server\\a b", "relative a", ""])
def test_what_needs_nothing_and_paths_of_windows_stay_as_they_are(path: str) -> None:
    assert [quoted(path, before) for before in ("", '"', "'")] == [path] * 3
