"""What crash tests are made with: two small programs in C, compiled once."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.crash.bench import Tools

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Tools:
    """The job, and what makes writes go wrong."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler: apt-get install gcc libc6-dev")
    folder = tmp_path_factory.mktemp("tools")
    tools = Tools(folder / "job", folder / "faults.so")
    for source, made, *options in (("job.c", tools.job), ("faults.c", tools.faults, "-shared", "-fPIC", "-ldl")):
        command = [compiler, "-O1", "-Wall", "-Werror", "-o", str(made), str(HERE / str(source)), *map(str, options)]
        subprocess.run(command, check=True)
    return tools
