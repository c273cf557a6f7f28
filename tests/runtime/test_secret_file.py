"""Who may read the session's secret."""

from __future__ import annotations

import grp
import os
import stat
from typing import TYPE_CHECKING

import pytest

from topcook.errors import CookRefusedError
from topcook.runtime.workdir import SECRET_FILE, secret_access, write_secret

if TYPE_CHECKING:
    from pathlib import Path


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
