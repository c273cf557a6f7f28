"""Commands: found, explained, and imported only when they are called."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import click
import pytest

from topcook import __version__
from topcook.cli.group import COMMANDS, SECTIONS
from topcook.cli.group import topcook as main


def run(*arguments: str) -> tuple[int, str, str]:
    done = subprocess.run([sys.executable, "-m", "topcook", *arguments], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def command(name: str) -> click.Command:
    found = main.get_command(click.Context(main), name)
    assert found is not None
    return found


@pytest.mark.parametrize("row", COMMANDS, ids=lambda row: row.name)
def test_a_command_says_in_its_own_help_what_the_list_says_and_gives_an_example(row: object) -> None:
    name, section, said = row.name, row.section, row.help  # type: ignore[attr-defined]
    assert section in SECTIONS
    found = command(name)
    assert found.name == name
    assert found.help is not None
    assert found.help.splitlines()[0] == said
    assert "Example:" in found.help
    assert f"topcook {name}" in found.help


def test_the_help_groups_all_commands_by_what_one_wants_to_do() -> None:
    status, out, _ = run("--help")
    assert status == 0
    heads = [line.rstrip(":") for line in out.splitlines() if line.rstrip(":") in SECTIONS]
    assert heads == list(SECTIONS)
    assert all(f"  {row.name} " in out for row in COMMANDS)


def test_the_version_is_shown() -> None:
    assert run("--version")[:2] == (0, f"topcook {__version__}\n")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["cok", "x"], 'did you mean "cook"'),
        (["zzz"], "there are: cook"),
        (["pyproject.toml"], "topcook cook pyproject.toml"),
    ],
)
def test_a_command_that_does_not_exist_is_answered_with_the_closest(typed: list[str], said: str) -> None:
    status, out, err = run(*typed)
    assert (status, out) == (2, "")
    assert said in err


def test_no_command_at_all_shows_the_help() -> None:
    status, _, err = run()
    assert status == 2
    assert "topcook cook network.toml" in err


def test_a_missing_argument_and_an_unknown_option_say_what_to_type() -> None:
    assert "NETWORK" in run("cook")[2]
    status, _, err = run("cook", "x.toml", "--repport", "y")
    assert status == 2
    assert "--report" in err


def test_the_command_line_imports_no_command_before_it_is_called() -> None:
    code = "import sys, topcook.cli; print([m for m in sys.modules if m.startswith('topcook')])"
    loaded = ast.literal_eval(
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout.decode()
    )
    assert not {row.module for row in COMMANDS} & set(loaded)
    assert not [name for name in loaded if name.startswith(("topcook.runtime", "topcook.factory", "topcook.contract"))]


def test_a_network_that_is_not_there_is_an_error_and_no_traceback(tmp_path: Path) -> None:
    status, _, err = run("cook", str(tmp_path / "net.toml"))
    assert status == 2
    assert "there is no such file" in err
    assert "Traceback" not in err


def test_completion_knows_commands_and_writes_a_script_for_each_shell() -> None:
    for shell in ("bash", "zsh", "fish"):
        status, out, _ = run("completion", shell)
        assert status == 0
        assert "_TOPCOOK_COMPLETE" in out
