"""`topcook config`, `topcook -c`, and strict mode from the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]

NETWORK = """\
[network]
scheduler = "mine"
[schedulers.mine]
type = "localscheduler"
[schedulers.mine.parms]
pdg_workingdir = "$HIP/work"
[nodes.a]
type = "genericgenerator"
parms.command = "true"
"""
BROKEN = "def registerTypes(type_registry):\n    no_such_name\n"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs the command line in a project below a home of its own."""
    (tmp_path / "home").mkdir()
    (tmp_path / "project").mkdir()

    def call(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        theirs = {name: text for name, text in os.environ.items() if not name.startswith(("TOPCOOK_", "XDG_", "PDG_"))}
        environ = {**theirs, "HOME": str(tmp_path / "home"), "COLUMNS": "80", **variables}
        return subprocess.run(
            [sys.executable, "-m", "topcook", *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path / "project",
            env=environ,
        )

    return call


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return path


def test_every_value_stands_with_who_says_it_the_locked_and_the_shadowed_ones_marked(tmp_path: Path, run: Run) -> None:
    site = write(tmp_path / "site.toml", 'locked = ["trust"]\nlog_level = "info"\n[trust]\nowners = ["pipeline"]\n')
    write(tmp_path / "home/.config/topcook/config.toml", 'log_level = "debug"\n[types]\npath = ["~/types"]')
    write(tmp_path / "project/topcook.toml", '[trust]\nowners = ["mallory"]')
    done = run("-c", "strict=true", "config", TOPCOOK_CONFIG=str(site))
    rows = [" ".join(line.split()) for line in done.stdout.splitlines()]
    text = " ".join(rows)
    assert "strict true command line -c strict" in text
    assert "types.path ~/types user ~/.config/topcook/config.toml:3" in text
    assert "log_level debug user ~/.config/topcook/config.toml:1" in text
    assert f"info site {site}:2 (shadowed)" in text
    assert f"trust.owners pipeline site {site}:4 (locked)" in text
    assert "(does not count)" in text
    assert max(map(len, done.stdout.splitlines())) <= 80 + len(str(tmp_path))
    assert "trust.owners is locked by the site" in done.stderr
    assert done.returncode == 0


def test_one_key_is_explained_and_a_slip_is_answered_with_the_closest(run: Run) -> None:
    done = run("config", "require")
    assert "one of: contract, seed" in done.stdout
    assert "TOPCOOK_REQUIRE" in done.stdout
    slip = run("config", "trst.strict")
    assert slip.returncode == 2
    assert 'did you mean "trust.strict"?' in slip.stderr


def test_the_files_are_listed_with_what_became_of_them(tmp_path: Path, run: Run) -> None:
    write(tmp_path / "home/.config/topcook/config.toml", "strict = 5")
    write(tmp_path / "project/topcook.toml", "strict = true").chmod(0o666)
    done = run("config", "--files", TOPCOOK_CONFIG=str(tmp_path / "none.toml"))
    assert [line.split()[:2] for line in done.stdout.splitlines()] == [
        ["project", "refused"],
        ["user", "mistakes"],
        ["site", "missing"],
    ]
    assert done.returncode == 1


def test_the_json_has_values_files_and_problems(tmp_path: Path, run: Run) -> None:
    write(tmp_path / "project/topcook.toml", "[scheduler_defaults.local]\nmaxprocs = 3\nnope = 2026-01-01")
    done = run("config", "--json", "scheduler_defaults")
    data = json.loads(done.stdout)
    (value,) = data["values"]
    assert (value["key"], value["value"], value["origin"]["line"]) == ("scheduler_defaults.local.maxprocs", 3, 2)
    assert data["files"][0]["layer"] == "project"
    assert data["problems"][0]["line"] == 3


def test_an_option_with_a_mistake_ends_any_command(run: Run) -> None:
    done = run("-c", "strct=1", "list")
    assert (done.returncode, done.stdout) == (2, "")
    assert 'did you mean "strict"?' in done.stderr


def test_a_broken_user_configuration_takes_no_list_down_but_a_cook(tmp_path: Path, run: Run) -> None:
    path = write(tmp_path / "home/.config/topcook/config.toml", "strict = maybe")
    network = write(tmp_path / "project/net.toml", NETWORK)
    listed = run("list")
    assert listed.returncode == 0
    assert "localscheduler" in listed.stdout
    assert f"{path}:1:" in listed.stderr
    cooked = run("cook", str(network))
    assert cooked.returncode == 2
    assert f"{path}:1:" in cooked.stderr
    assert not (tmp_path / "project/work").exists()


def test_a_default_that_its_type_does_not_have_warns_who_looks_and_refuses_who_cooks_or_submits(
    tmp_path: Path, run: Run
) -> None:
    path = write(tmp_path / "project/topcook.toml", "[scheduler_defaults.local]\nlocal_CPU_to_use = 2")
    network = write(tmp_path / "project/net.toml", NETWORK)
    looked = run("explain", str(network), "a")
    assert looked.returncode == 0
    for done in (looked, run("cook", str(network)), run("submit", str(network))):
        assert f"{path}:2:1" in done.stderr
        assert 'did you mean "local_CPUs_to_use"?' in done.stderr
        assert done is looked or done.returncode == 2
    assert not (tmp_path / "project/work").exists()


def test_strict_mode_fails_for_any_problem_that_is_not_exempt(tmp_path: Path, run: Run) -> None:
    types = write(tmp_path / "project/types/bad.py", BROKEN).parent
    network = write(tmp_path / "project/net.toml", NETWORK)
    lax = run("list", PDG_TYPES_PATH=str(types))
    assert lax.returncode == 0
    strict = run("list", PDG_TYPES_PATH=str(types), TOPCOOK_STRICT="1")
    assert strict.returncode == 1
    assert strict.stdout == lax.stdout
    refused = run("cook", str(network), PDG_TYPES_PATH=str(types), TOPCOOK_STRICT="1")
    assert refused.returncode == 2
    assert "bad.py" in refused.stderr
    assert "strict mode (TOPCOOK_STRICT)" in refused.stderr
    write(tmp_path / "project/topcook.toml", '[[exempt]]\nfile = "types/bad.py"\nreason = "known"')
    assert run("list", PDG_TYPES_PATH=str(types), TOPCOOK_STRICT="1").returncode == 0


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root can give files away")
def test_a_checkouts_file_makes_nobody_trusted(tmp_path: Path, run: Run) -> None:
    """It names a stranger's directory and the stranger himself: nothing of his is executed."""
    theirs = write(tmp_path / "theirs/farm.py", f"open({str(tmp_path / 'ran')!r}, 'w')\n{BROKEN}")
    write(tmp_path / "project/topcook.toml", '[types]\npath = ["../theirs"]\n[trust]\nowners = ["4242"]')
    for path in (theirs, theirs.parent):
        os.chown(path, 4242, -1)
    done = run("list")
    assert not (tmp_path / "ran").exists()
    assert "trust.owners" in done.stderr
    assert "farm" in done.stdout
    assert run("list", PDG_TYPES_PATH=str(theirs.parent)).returncode == 0
    assert (tmp_path / "ran").exists(), "who names a directory himself trusts its owner"


def test_a_check_asks_what_the_configuration_requires_and_lets_pass_what_is_exempt_from_strict_mode(
    tmp_path: Path, run: Run
) -> None:
    write(
        tmp_path / "project/types/farm.py",
        """
        import pdg
        from pdg.scheduler import PyScheduler

        class Farm(PyScheduler):
            def onSchedule(self, work_item):
                return pdg.scheduleResult.CookSucceeded

        def registerTypes(type_registry):
            type_registry.registerScheduler(Farm)
        """,
    )
    assert run("check", "types/farm.py").returncode == 0
    asked = run("-c", "require=seed", "check", "types/farm.py")
    assert asked.returncode == 1
    assert "required-by-seed" in asked.stdout
    assert "-c require" in asked.stdout
    write(tmp_path / "home/.config/topcook/config.toml", 'strict = true\n[[exempt]]\ncode = "required-by-seed"')
    passed = run("-c", "require=seed", "check", "types/farm.py")
    assert passed.returncode == 0
    assert "required-by-seed" in passed.stdout


def test_a_cook_runs_with_the_configured_parms_and_log_level(tmp_path: Path, run: Run) -> None:
    network = write(tmp_path / "project/net.toml", NETWORK)
    types = write(
        tmp_path / "project/types/told.py",
        """
        import logging
        import pdg
        from pdg.scheduler import PyScheduler

        class Told(PyScheduler):
            @classmethod
            def templateName(cls):
                return "told"

            def onSchedule(self, work_item):
                logging.getLogger("told").info("quietly said")
                print("parm", self["show"].evaluateString())
                return pdg.scheduleResult.CookSucceeded

        def registerTypes(type_registry):
            type_registry.registerScheduler(Told)
        """,
    ).parent
    write(
        tmp_path / "project/topcook.toml",
        'log_level = "info"\n[scheduler_defaults.told]\nshow = "ours"\npdg_workingdir = "$HIP/work"',
    )
    done = run("cook", str(network), "--scheduler", "told", "--progress", "off", PDG_TYPES_PATH=str(types))
    assert done.returncode == 0, done.stderr
    logs = "".join(path.read_text() for path in (tmp_path / "project/work").rglob("scheduler_*.log"))
    assert "INFO told: quietly said" in logs
    assert "parm ours" in logs
