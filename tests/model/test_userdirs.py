"""Where a user's own files lie: platformdirs's answer, without its cost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest

from topcook.model.userdirs import UserDirKind, home_of, user_dir

KINDS: tuple[UserDirKind, ...] = ("cache", "config", "data", "state")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("xdg", [None, "", "/elsewhere", "relative"])
@pytest.mark.parametrize("home", ["/home/ann", "", "relative", None])
def test_the_answer_is_that_of_platformdirs(
    kind: UserDirKind, xdg: str | None, home: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ((f"XDG_{kind.upper()}_HOME", xdg), ("HOME", home)):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    assert user_dir(kind) == getattr(platformdirs, f"user_{kind}_dir")("topcook")


def test_another_environment_has_a_directory_only_where_it_names_a_home(tmp_path: Path) -> None:
    assert user_dir("data", {}) == ""
    assert home_of({}) == ""
    assert user_dir("data", {"HOME": str(tmp_path)}) == str(tmp_path / ".local" / "share" / "topcook")
    assert user_dir("data", {"XDG_DATA_HOME": str(tmp_path)}) == str(tmp_path / "topcook")


@pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="there platformdirs is asked")
def test_asking_loads_no_platformdirs() -> None:
    code = "import sys, json; from topcook.model.userdirs import user_dir; user_dir('data'); print(json.dumps('platformdirs' in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert json.loads(done.stdout) is False
