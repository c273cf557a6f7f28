"""Which tiers run when.

The core tier runs always. The marked tiers of ``CI_TIERS`` run with ``CI=true`` in the environment, as ``.ci/run``
sets it, or when a marker expression asks for them; the ``soak`` tier only when asked for (``make soak``).
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from typing import Any

import hypothesis
import pytest

from tests.spent import spent_lines, spent_of

# How long an example takes says more about the neighbours of a busy machine than about the code.
# Fixtures that last for all examples of a test are folders here, whose content each example writes anew.
QUIET = [hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.function_scoped_fixture]
hypothesis.settings.register_profile("topcook", deadline=None, suppress_health_check=QUIET)
hypothesis.settings.load_profile("topcook")

CI_TIERS = ("engine", "browser", "fuzz", "crash")
SOAK = "soak"
#: Seconds a test of a CI tier may take, unless it says itself; the core tier's limit stands in pyproject.toml.
CI_TIMEOUT = 900


#: Set for a test run: processes that tests start must not know, or change, what the user's own index says.
INDEX = "TOPCOOK_INDEX"
_OWN_INDEX = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    """Keep an index for this run alone, which its workers share; hear signals also where the run was begun without."""
    # A run in the background, or under nohup, ignores them, and so would every cook that a test interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in ("SIGHUP", "SIGTERM"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    if INDEX not in os.environ:
        folder = config.stash[_OWN_INDEX] = tempfile.mkdtemp(prefix="topcook-index-")
        os.environ[INDEX] = os.path.join(folder, "index.sqlite3")
        # Nor what his configuration says.
        os.environ["XDG_CONFIG_HOME"] = os.path.join(folder, "config")
        os.environ.pop("TOPCOOK_CONFIG", None)
        # Nor what he cooked.
        os.environ["TOPCOOK_STATE_DIR"] = os.path.join(folder, "state")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing behind."""
    folder = config.stash.get(_OWN_INDEX, None)
    if folder is not None:
        del os.environ[INDEX], os.environ["XDG_CONFIG_HOME"], os.environ["TOPCOOK_STATE_DIR"]
        shutil.rmtree(folder, ignore_errors=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip the tiers that this run does not ask for, each with the line that says how to get it.

    Soak tests are left out without a word: no run but `make soak` is for them, and a hundred skips hide the one that
    should not be there.
    """
    asked = str(config.getoption("markexpr", ""))
    if SOAK not in asked:
        soaking = [item for item in items if item.get_closest_marker(SOAK)]
        items[:] = [item for item in items if not item.get_closest_marker(SOAK)]
        config.hook.pytest_deselected(items=soaking)
    closed = {}
    if os.environ.get("CI") != "true":
        closed = {tier: f"the {tier} tier: run with CI=true in the environment, or -m {tier}" for tier in CI_TIERS}
    for item in items:
        for tier, how in closed.items():
            if tier not in asked and item.get_closest_marker(tier):
                item.add_marker(pytest.mark.skip(reason=how))
        if any(item.get_closest_marker(tier) for tier in CI_TIERS) and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(CI_TIMEOUT))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what failed and passed when it was run again; in CI, how long each distribution's tests took, too.

    The latter stands below the slowest tests: plugins have a budget.
    """
    for report in terminalreporter.stats.get("rerun", ()):
        terminalreporter.section(f"failed, and was run again: {report.nodeid}")
        terminalreporter.line(report.longreprtext)
    told = [report for reports in terminalreporter.stats.values() for report in reports if hasattr(report, "duration")]
    spent = spent_of((report.nodeid, report.duration) for report in told)
    if os.environ.get("CI") == "true" and spent:
        terminalreporter.section("seconds of tests, by distribution")
        for line in spent_lines(spent):
            terminalreporter.line(line)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """One farm at a time, on one worker: they share daemons and the two cores.

    xdist's own groups stand in names of tests that pytest 9.2 does not ask for any more.
    """
    from xdist.scheduler import LoadScopeScheduling

    class PluginsTogether(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "plugins" if nodeid.startswith("plugins/") else nodeid

    return PluginsTogether(config, log)
