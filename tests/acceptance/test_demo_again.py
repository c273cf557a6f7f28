"""The demo's second cook: all is done; one value changed cooks its branch, its strip and the mosaic, nothing else."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

from tests.acceptance.conftest import Shell

EXAMPLE = Path(__file__).parents[2] / "examples" / "wedge_sim"
#: Two frames of few steps show the same as twelve of many.
SHORT = ("--parm", "sim.framerange=[1, 2, 1]")


def cooked_again(report: dict[str, Any]) -> Counter[str]:
    """Items that were cooked, by node; what nobody cooks is left out."""
    return Counter(item["node"] for item in report["items"] if item["state"] == "CookedSuccess" and item["scheduler"])


def test_the_second_cook_finds_all_done_and_the_third_cooks_one_branch(shell: Shell) -> None:
    demo = shell.folder / "demo"
    shutil.copytree(EXAMPLE, demo, ignore=shutil.ignore_patterns("work", "pdgtemp", "*.png", "__pycache__"))
    network = demo / "wedge_sim.toml"
    text = network.read_text()
    steps = "values = [61, 39, 82, 38, 60, 104, 92, 123]"
    assert steps in text
    text = text.replace(steps, "values = [3, 3, 3, 3, 3, 3, 3, 3]")
    network.write_text(text)
    types = {"PDG_TYPES_PATH": str(demo / "types")}
    first = shell.cook(network, *SHORT, **types)
    assert cooked_again(first) == {"sim": 16, "render": 16, "strip": 8, "mosaic": 1}
    again = shell.cook(network, *SHORT, **types)
    assert Counter(item["state"] for item in again["items"]) == {"CookedCache": len(first["items"])}
    assert '"kill"' in text
    network.write_text(text.replace("0.0367, 0.039", "0.0367, 0.0391"))
    told = shell.run("cook", network, *SHORT, "--dry-run", "--resume", **types).stdout
    reasons = [line.split(maxsplit=2)[2] for line in told.splitlines() if line.startswith("  cook ")]
    assert reasons[0] == "attributes changed: feed"
    assert reasons[1] == "command changed: 0.039 -> 0.0391"
    assert {reason.split()[0] for reason in reasons[2:]} == {"depends"}
    third = shell.cook(network, *SHORT, **types)
    assert cooked_again(third) == {"sim": 2, "render": 2, "strip": 1, "mosaic": 1}
