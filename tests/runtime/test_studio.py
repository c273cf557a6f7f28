"""What a studio settles for all networks: path maps; and who may read the session's secret."""

from __future__ import annotations

import grp
import os
import stat
from typing import TYPE_CHECKING

import pytest

from topcook.errors import CookRefusedError, GraphFileError
from topcook.runtime.netfile import load_network
from topcook.runtime.workdir import SECRET_FILE, secret_access, write_secret

if TYPE_CHECKING:
    from pathlib import Path

NETWORK = """\
[network]
name = "maps"
[[pathmap]]
from = "/own"
to = "/mnt/own"
[nodes.a]
type = "genericgenerator"
"""


def test_a_networks_own_maps_come_before_those_of_the_studios_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "net.toml").write_text(NETWORK)
    for name in ("one", "two"):
        (tmp_path / f"{name}.toml").write_text(f'[[pathmap]]\nfrom = "/{name}"\nto = "$ROOT/{name}"\n')
    monkeypatch.setenv("TOPCOOK_CONFIG", os.pathsep.join(str(tmp_path / f"{name}.toml") for name in ("one", "two")))
    monkeypatch.setenv("ROOT", "/studio")
    context = load_network(tmp_path / "net.toml")
    rows = context.core.network.path_maps
    context.close()
    assert [(row["from_path"], row["to_path"]) for row in rows] == [
        ("/own", "/mnt/own"),
        ("/one", "/studio/one"),
        ("/two", "/studio/two"),
    ]
    assert rows[1]["origin"].startswith(str(tmp_path / "one.toml"))


def test_a_mistake_in_the_studios_file_is_told_with_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "net.toml").write_text(NETWORK)
    (tmp_path / "studio.toml").write_text('[[pathmap]]\nfrom = "/a"\nto = "/b"\nzones = "WIN"\n')
    monkeypatch.setenv("TOPCOOK_CONFIG", str(tmp_path / "studio.toml"))
    with pytest.raises(GraphFileError) as caught:
        load_network(tmp_path / "net.toml")
    (problem,) = caught.value.problems
    assert (problem.path, problem.line) == (str(tmp_path / "studio.toml"), 4)
    assert "zones" in problem.message


def test_the_secrets_file_is_for_its_owner_unless_a_group_is_named(tmp_path: Path) -> None:
    group = grp.getgrgid(os.getgid()).gr_name
    for mode, expected in (("", 0o600), ("640", 0o640), ("0660", 0o660)):
        write_secret(tmp_path / SECRET_FILE, "s", secret_access(mode, group))
        found = (tmp_path / SECRET_FILE).stat()
        assert stat.S_IMODE(found.st_mode) == expected
        assert found.st_gid == os.getgid()


@pytest.mark.parametrize("mode", ["644", "604", "777", "400", "rw", "-1"])
def test_a_mode_that_lets_anybody_read_the_secret_is_refused(mode: str) -> None:
    with pytest.raises(CookRefusedError, match="topcook_secretmode"):
        secret_access(mode, "")


def test_a_group_that_is_not_there_is_refused() -> None:
    with pytest.raises(CookRefusedError, match="no such group"):
        secret_access("640", "no-such-group-here")
