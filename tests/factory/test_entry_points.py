from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from topcook.factory import Factory, State

Drop = Callable[..., Path]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str, str], None]]:
    """A folder of installed distributions: each a module with an entry point of group ``pdg.types``."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    modules = set(sys.modules)

    def install(name: str, text: str, attribute: str = "") -> None:
        module = name.replace("-", "_")
        (folder / f"{module}.py").write_text(text, encoding="utf-8")
        info = folder / f"{module}-1.2.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2.0\n", encoding="utf-8")
        (info / "entry_points.txt").write_text(f"[pdg.types]\n{name} = {module}{attribute}\n", encoding="utf-8")

    yield install
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def test_an_installed_distribution_is_between_the_types_path_and_the_built_ins(
    site: Callable[..., None], drop: Drop, tmp_path: Path
) -> None:
    text = drop("x.py", folder="made", name="farm").read_text(encoding="utf-8")
    site("topcook-farm", text)
    site("topcook-local", text.replace('"farm"', '"localscheduler"'), ":registerTypes")
    site("topcook-broken", "import no_such_client\n")
    drop("mine.py", name="farm")
    factory = Factory.scan({"PDG_TYPES_PATH": str(tmp_path / "types")})
    assert factory.scheduler("farm").origin.path.endswith("mine.py")
    assert str(factory.scheduler("local").origin) == "topcook-local 1.2.0 (pip)"
    assert factory.scheduler("local").content_hash == "1.2.0"
    broken = next(record for record in factory.records if record.origin.distribution == "topcook-broken")
    assert broken.state is State.FAILED
    assert "no_such_client" in broken.why_not()
    assert factory.problems == []
