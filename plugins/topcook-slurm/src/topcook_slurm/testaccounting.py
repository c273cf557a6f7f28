"""Slurm's accounting for a cluster of tests: slurmdbd, and a MariaDB of its own, in the cluster's directory.

Needs the Debian packages ``slurmdbd``, ``mariadb-server-core`` and ``mariadb-client-core``, of which none starts a
service. The database listens on loopback, on a free port; it has one user besides the one who made it, with a password
that nobody is told.
"""

from __future__ import annotations

import secrets
from pathlib import Path

__all__ = ["PROGRAMS", "cluster_settings", "database_words", "install_words", "write_database_daemon"]

PROGRAMS = ("mariadb-install-db", "my_print_defaults", "mariadbd", "slurmdbd", "sacctmgr", "sacct")
_DATABASE = "slurm_acct"
_CONF = """\
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock
DbdHost={host}
DbdAddr=127.0.0.1
DbdPort={port}
SlurmUser={user}
PidFile={folder}/slurmdbd.pid
LogFile={folder}/slurmdbd.log
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={database_port}
StorageUser=slurm
StoragePass={password}
StorageLoc={database}
"""
_FIRST = """\
CREATE DATABASE IF NOT EXISTS {database};
CREATE USER IF NOT EXISTS 'slurm'@'127.0.0.1' IDENTIFIED BY '{password}';
GRANT ALL ON {database}.* TO 'slurm'@'127.0.0.1';
"""


def cluster_settings(folder: Path, port: int) -> dict[str, str]:
    """What ``slurm.conf`` says of it: jobs need an account, and limits hold."""
    return {
        "AccountingStorageType": "accounting_storage/slurmdbd",
        "AccountingStorageHost": "127.0.0.1",
        "AccountingStoragePort": str(port),
        # Without it the one in /run is asked.
        "AccountingStoragePass": f"{folder}/munge.sock",
        "AccountingStorageEnforce": "associations,limits,qos",
    }


def install_words(folder: Path, user: str) -> list[str]:
    """What ``mariadb-install-db`` is told; only this user of the machine may do anything, by the socket."""
    (folder / "database.tmp").mkdir()
    return [*_common(folder, user), f"--auth-root-socket-user={user}", "--skip-test-db"]


def database_words(folder: Path, user: str, port: int) -> list[str]:
    """What ``mariadbd`` is told."""
    return [
        *_common(folder, user),
        "--bind-address=127.0.0.1",
        f"--port={port}",
        f"--socket={folder}/mariadb.sock",
        f"--pid-file={folder}/mariadbd.pid",
        f"--log-error={folder}/mariadbd.log",
        f"--init-file={folder}/first.sql",
        "--skip-log-bin",
    ]


def write_database_daemon(folder: Path, host: str, user: str, port: int, database_port: int) -> None:
    """The configuration of slurmdbd, and what the database is told first."""
    words = {"database": _DATABASE, "password": secrets.token_hex(16)}
    first, conf = folder / "first.sql", folder / "slurmdbd.conf"
    for path, text in (
        (first, _FIRST.format(**words)),
        (conf, _CONF.format(**words, folder=folder, host=host, user=user, port=port, database_port=database_port)),
    ):
        path.touch(0o600)
        path.write_text(text, encoding="utf-8")


def _common(folder: Path, user: str) -> list[str]:
    return [
        # Nothing that the machine's own database is told.
        "--no-defaults",
        f"--user={user}",
        f"--datadir={folder}/database",
        f"--tmpdir={folder}/database.tmp",
        "--skip-name-resolve",
        "--innodb-buffer-pool-size=16M",
        "--innodb-log-file-size=4M",
        # Nothing of it has to outlive a power cut.
        "--innodb-flush-log-at-trx-commit=0",
        "--innodb-flush-method=nosync",
        "--skip-sync-frm",
        "--aria-sync-log-dir=NEVER",
    ]
