"""pip puts the scheduler into the menu of a fresh environment, and takes it out again; nothing else there changes."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

PLUGIN = Path(__file__).parents[1]


def test_pip_brings_the_scheduler_into_the_menu_and_out_again(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True, timeout=100)
    python = str(tmp_path / "venv" / "bin" / "python")
    (packages,) = (tmp_path / "venv" / "lib").glob("*/site-packages")
    # Topcook, what it stands upon and the builder, as installed here: there is no net.
    (packages / "outer.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
    # The programs of Slurm are no part of this.
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "SLURM_CONF"}}
    environment["PATH"] = str(tmp_path)

    def run(*words: str) -> str:
        done = subprocess.run(
            words, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    before = run(python, "-m", "topcook", "list")
    assert "slurmscheduler" not in before
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python]
    offline = ["--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    run(*pip, "install", *offline, str(PLUGIN))
    menu = run(python, "-m", "topcook", "list")
    assert "slurmscheduler" in menu
    assert "Slurm Scheduler" in menu
    run(*pip, "uninstall", "--quiet", "--yes", "topcook-slurm")
    assert run(python, "-m", "topcook", "list") == before
