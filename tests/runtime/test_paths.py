"""Working directories below shared roots, and reported paths in this machine's view."""

from __future__ import annotations

import pytest

from topcook.model.directories import Directories
from topcook.model.node import Network, SchedulerNode
from topcook.runtime.localize import localize
from topcook.runtime.paths import is_absolute, working_directories
from topcook.testkit.fakegraph import FakeGraph


@pytest.mark.parametrize(
    ("parms", "local", "remote"),
    [
        ({}, "/proj", "/proj"),
        ({"pdg_workingdir": "$HIP/out"}, "/proj/out", "/proj/out"),
        ({"pdg_workingdir": "out"}, "/proj/out", "/proj/out"),
        ({"pdg_workingdir": "out", "localsharedroot": "/mnt/s"}, "/mnt/s/out", "/mnt/s/out"),
        (
            {"pdg_workingdir": "out", "localsharedroot": "/mnt/s", "remotesharedroot": "/farm"},
            "/mnt/s/out",
            "/farm/out",
        ),
        (
            {"pdg_workingdir": "/mnt/s/out", "localsharedroot": "/mnt/s/", "remotesharedroot": "P:/"},
            "/mnt/s/out",
            "P:/out",
        ),
        ({"pdg_workingdir": "a/b", "remotesharedroot": "\\\\nas\\show"}, "/proj/a/b", "\\\\nas\\show\\a\\b"),
        ({"remotesharedroot": "//nas/show"}, "/proj", "//nas/show"),
        ({"pdg_workingdir": "../else", "remotesharedroot": "/farm"}, "/else", "/else"),
        (
            {"pdg_workingdir": "/mnt/s10", "localsharedroot": "/mnt/s", "remotesharedroot": "/farm"},
            "/mnt/s10",
            "/mnt/s10",
        ),
        ({"remotesharedroot": "__PDG_SHARED_ROOT__"}, "/proj", "__PDG_SHARED_ROOT__"),
    ],
)
def test_the_working_directory_lies_below_the_shared_roots(parms: dict[str, str], local: str, remote: str) -> None:
    node = SchedulerNode("farm", "farm")
    for name, value in {"pdg_workingdir": "$HIP", **parms}.items():
        node.parms.set(name, value)
    assert working_directories(FakeGraph(hip="/proj"), node) == (local, remote)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("path", "here"),
    [
        ("__PDG_DIR__/a", "/proj/a"),
        ("__PDG_TEMP__/a", "/proj/pdgtemp/c/a"),
        ("P:/Show/a", "/proj/a"),
        ("p:\\show\\sub\\a", "/proj/sub/a"),
        ("P:/show10/a", "/mnt/p/show10/a"),
        ("//nas/tex/a", "//nas/tex/a"),
        ("/proj/a", "/proj/a"),
    ],
)
def test_what_a_job_reports_is_found_here(path: str, here: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PDG_PATHMAP_ZONE", "LINUX")
    monkeypatch.delenv("PDG_PATHMAP", raising=False)
    network = Network("net", "/proj", path_maps=[{"from_path": "P:", "to_path": "/mnt/p", "zone": "LINUX"}])
    assert localize(path, Directories(("/proj", "P:/show"), cook="c"), network) == here


def test_absolute_means_the_same_wherever_one_stands() -> None:
    assert all(is_absolute(path) for path in ("/x", "C:/x", "C:\\x", "//nas/x", "\\\\nas\\x", "__PDG_DIR__/x"))
    assert not any(is_absolute(path) for path in ("x", "./x", "C", ""))
