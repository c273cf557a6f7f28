"""What a studio's own plugin has its tests made of, in a project of its own, as pytest runs it."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

FILES = {
    "pyproject.toml": """
        [build-system]
        requires = ["hatchling"]
        build-backend = "hatchling.build"
        [project]
        name = "studio-farm"
        version = "1.0"
        [project.entry-points."pdg.types"]
        studiofarm = "studio_farm"
        [tool.hatch.build.targets.wheel]
        packages = ["studio_farm"]
        [tool.pytest.ini_options]
        markers = ["engine: cooks on the farm"]
        filterwarnings = ["error"]
    """,
    "studio_farm/__init__.py": """
        import pdg
        from pdg.scheduler import PyScheduler

        class StudioFarm(PyScheduler):
            @classmethod
            def templateName(cls):
                return "studiofarm"

            def onSchedule(self, work_item):
                return pdg.scheduleResult.CookSucceeded

        def registerTypes(type_registry):
            type_registry.registerScheduler(StudioFarm, label="Studio Farm")
    """,
    "tests/conftest.py": """
        from pathlib import Path

        import pytest
        from topcook.testkit.fixtures import engine_tier, install_plugin, installed_bench, mark, own_state

        PLUGIN = Path(__file__).parents[1]

        def pytest_collection_modifyitems(config, items):
            engine_tier(config, items, PLUGIN, timeout=60)

        @pytest.fixture(scope="session")
        def installed(tmp_path_factory):
            return install_plugin(PLUGIN, tmp_path_factory.mktemp("plugin"))

        @pytest.fixture
        def bench(tmp_path, installed, monkeypatch):
            with installed_bench(tmp_path, installed, monkeypatch, deadline=60.0) as bench:
                yield bench
    """,
    "tests/test_farm.py": '''
        import os
        import subprocess

        import pytest
        from topcook.testkit.fixtures import skip_without
        from topcook.testkit.waiting import running, until

        NETWORK = """
            [network]
            name = "net"
            scheduler = "farm"
            [schedulers.farm]
            type = "studiofarm"
            [nodes.work]
            type = "genericgenerator"
            parms.itemcount = 2
            parms.command = "true"
        """

        def test_the_installed_type_cooks(bench):
            assert bench.cook(NETWORK).outcome == "cooked"

        def test_nothing_of_the_users_own_is_touched(tmp_path_factory):
            folder = str(tmp_path_factory.getbasetemp())
            for name in ("TOPCOOK_INDEX", "XDG_CONFIG_HOME", "TOPCOOK_STATE_DIR"):
                assert os.environ[name].startswith(folder)
            assert "TOPCOOK_CONFIG" not in os.environ

        def test_a_mark_finds_the_process_that_has_it(mark):
            process = subprocess.Popen(["sleep", mark])
            try:
                assert until(lambda: running(mark)) == [process.pid]
            finally:
                process.kill()
                process.wait()

        @pytest.mark.engine
        def test_on_the_farm_itself():
            skip_without([], "apt-get install farm")
            assert False, "it ran"

        def test_with_a_program_that_is_not_there():
            skip_without(["farmd"], "apt-get install farm")
    ''',
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
    return tmp_path


def pytest_in(project: Path, *words: str, ci: str = "") -> str:
    """What pytest prints of a project, in a process of its own."""
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "--rootdir", str(project), *words]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=project, env={**environment, "CI": ci}
    )
    return done.stdout + done.stderr


def test_a_plugin_of_a_studios_own_is_installed_cooked_and_kept_from_the_users_files(project: Path) -> None:
    told = pytest_in(project)
    assert "3 passed, 2 skipped" in told, told
    assert "no farmd here: apt-get install farm" in told
    assert "run with CI=true in the environment, or -m engine" in told


@pytest.mark.parametrize(("words", "ci"), [((), "true"), (("-m", "engine"), "")])
def test_the_engine_tier_runs_where_it_is_asked_for(words: tuple[str, ...], ci: str, project: Path) -> None:
    told = pytest_in(project, "-k", "farm_itself", *words, ci=ci)
    assert "1 failed" in told, told
    assert "it ran" in told


def test_in_ci_a_program_that_is_missing_is_a_failure(project: Path) -> None:
    told = pytest_in(project, "-k", "not_there", ci="true")
    assert "1 failed" in told, told
    assert "no farmd here: apt-get install farm; CI has to have them" in told
