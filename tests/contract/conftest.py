from __future__ import annotations

import itertools
import linecache
import textwrap
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

Author = Callable[[str], ModuleType]

#: Lines 1 and 2 of every authored file.
HEAD = "from topcook.contract.scheduler import PyScheduler\nfrom topcook.contract.staticcook import StaticCookMixin\n"


@pytest.fixture
def author(tmp_path: Path) -> Author:
    """Executes source text as a file of an author's; its own lines count from 3."""
    numbers = itertools.count()

    def write(source: str) -> ModuleType:
        text = HEAD + textwrap.dedent(source).lstrip("\n")
        path = tmp_path / f"authored_{next(numbers)}.py"
        path.write_text(text, encoding="utf-8")
        linecache.checkcache(str(path))
        module = ModuleType(path.stem)
        module.__file__ = str(path)
        exec(compile(text, str(path), "exec"), module.__dict__)
        return module

    return write
