"""Which file systems tell of changes, read off a table of mounts."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from topcook.factory.filesystems import file_system

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there are no mounts to read")

MOUNTS = """/dev/sda1 / ext4 rw,relatime 0 0
filer:/studio /studio nfs4 rw,vers=4.2 0 0
tmpfs /studio/local tmpfs rw 0 0
//nas/share /mnt/nas\\040one cifs rw 0 0
ann@host:/ /home/user/far fuse.sshfs rw 0 0
/dev/sdb1 /twice ext4 rw 0 0
filer:/twice /twice nfs rw 0 0
odd
"""


@pytest.mark.parametrize(
    ("path", "kind", "network"),
    [
        ("/usr/share/types", "ext4", False),
        ("/studio", "nfs4", True),
        ("/studio/types/not/there", "nfs4", True),
        ("/studios/types", "ext4", False),
        ("/studio/local/types", "tmpfs", False),
        ("/mnt/nas one/types", "cifs", True),
        ("/home/user/far/types", "fuse.sshfs", True),
        ("/twice/types", "nfs", True),
    ],
)
def test_the_longest_and_latest_mount_above_a_path_counts(tmp_path: Path, path: str, kind: str, network: bool) -> None:
    table = tmp_path / "mounts"
    table.write_text(MOUNTS, encoding="utf-8")
    assert file_system(path, str(table)) == (kind, network)


def test_without_a_table_nothing_is_known() -> None:
    assert file_system("/studio", "/no/such/table") == ("", False)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux has the table")
def test_this_machine_has_a_file_system(tmp_path: Path) -> None:
    assert file_system(str(tmp_path)).kind
