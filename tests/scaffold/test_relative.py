from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topcook.scaffold import made_relative

SIBLINGS = {"part", "kit"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import part", "from . import part"),
        ("import part as p", "from . import part as p"),
        ("import os, part, sys as s", "import os; from . import part; import sys as s"),
        ("import kit.inner", "from . import kit; from .kit import inner as _kit_inner"),
        ("import kit.inner as k", "from .kit import inner as k"),
        ("from part import X, Y as Z", "from .part import X, Y as Z"),
        ("from kit.inner import *", "from .kit.inner import *"),
        ("from part import (\n    X,\n    Y,\n)", "from .part import X, Y"),
        ("if True: import part", "if True: from . import part"),
        ("# ä\nx = 'ö'; import part  # ü", "# ä\nx = 'ö'; from . import part  # ü"),
    ],
)
def test_imports_of_siblings_are_relative_and_nothing_else_changes(before: str, after: str) -> None:
    text, changed = made_relative(before.encode(), SIBLINGS, 0)
    assert text.decode() == after
    assert changed


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("encoding", "first", "word"),
    [
        ("utf-8-sig", "# BOM", "ä"),
        ("utf-8-sig", "# coding: utf-8-sig", "ä"),
        ("latin-1", "# -*- coding: latin-1 -*-", "ää"),
        ("cp1252", "# coding: cp1252", "€"),
        ("gbk", "#!/usr/bin/python\n# vim: set fileencoding=gbk :", "中文"),
    ],
)
def test_a_source_stays_in_its_encoding_and_with_its_line_ends(
    encoding: str, first: str, word: str, ending: str
) -> None:
    before = f"{first}\nx = '{word}'; import part  # {word}\ndef f():\n\timport part\n".replace("\n", ending)
    text, changed = made_relative(before.encode(encoding), SIBLINGS, 0)
    assert text == before.replace("import part", "from . import part").encode(encoding)
    assert len(changed) == 2
    compile(text, "x.py", "exec")


def test_a_byte_order_mark_before_the_import_itself_stays() -> None:
    assert made_relative(b"\xef\xbb\xbfimport part\n", SIBLINGS, 0) == (b"\xef\xbb\xbffrom . import part\n", [1])


@pytest.mark.parametrize("content", [b"x = '\xff'\n", b"# coding: no-such\n", b"\xef\xbb\xbf# coding: latin-1\n"])
def test_an_encoding_that_cannot_be_read_is_a_syntax_error(content: bytes) -> None:
    with pytest.raises(SyntaxError):
        made_relative(content, SIBLINGS, 0)


@pytest.mark.parametrize(
    "text", ["import os", "import partial", "from .part import x", "s = 'import part'", "# import part", ""]
)
def test_what_is_no_import_of_a_sibling_stays(text: str) -> None:
    assert made_relative(text.encode(), SIBLINGS, 0) == (text.encode(), [])


def test_a_file_in_a_package_goes_up_to_its_siblings() -> None:
    assert made_relative(b"import part", SIBLINGS, 2)[0] == b"from ... import part"


IMPORTS = st.sampled_from(
    ["import part", "import os, part as p", "import kit.inner", "from part import VALUE", "from kit import inner as i"]
)


@given(
    lines=st.lists(st.one_of(IMPORTS, st.sampled_from(["x = 'é'", "", "# ☃", "y = 1; import part"])), max_size=8),
    newline=st.sampled_from(["\n", "\r\n"]),
)
def test_any_mixture_of_imports_still_runs_inside_a_package(
    lines: list[str], newline: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("pkg")
    package = root / f"p{abs(hash(root))}"
    (package / "kit").mkdir(parents=True)
    (package / "part.py").write_text("VALUE = 1\n", encoding="utf-8")
    (package / "kit" / "__init__.py").write_text("", encoding="utf-8")
    (package / "kit" / "inner.py").write_text("", encoding="utf-8")
    (package / "__init__.py").write_text("", encoding="utf-8")
    text, _ = made_relative(newline.join(lines).encode(), SIBLINGS, 0)
    (package / "main.py").write_bytes(text)
    run_as(package, "main")


def run_as(package: Path, name: str) -> None:
    """Import a module of a package, and forget both."""
    sys.path.insert(0, str(package.parent))
    try:
        __import__(f"{package.name}.{name}")
    finally:
        sys.path.remove(str(package.parent))
        for each in [each for each in sys.modules if each.partition(".")[0] == package.name]:
            del sys.modules[each]
