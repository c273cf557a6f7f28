"""Configuration files for tests, in a home and a project of their own."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from topcook.config import Config, load_config

Write = Callable[[str, str], Path]
Load = Callable[..., Config]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes ``site.toml``, ``user`` (the user's own file) or any other file below the test's directory."""

    def make(name: str, text: str) -> Path:
        path = tmp_path / {"user": "home/.config/topcook/config.toml", "project": "project/topcook.toml"}.get(
            name, name
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    return make


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """The configuration of a command that runs in ``project/sub``; ``site`` files by name, then variables and ``-c``."""

    def make(*site: str, overrides: tuple[str, ...] = (), **variables: str) -> Config:
        folder = tmp_path / "project" / "sub"
        folder.mkdir(parents=True, exist_ok=True)
        environ = {"HOME": str(tmp_path / "home"), **variables}
        if site:
            environ["TOPCOOK_CONFIG"] = os.pathsep.join(str(tmp_path / name) for name in site)
        return load_config(environ, directory=str(folder), overrides=overrides)

    return make
