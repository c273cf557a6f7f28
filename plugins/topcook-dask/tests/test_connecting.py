"""The way to a cluster that runs: by address, by file, encrypted; and what is said where there is none."""

from __future__ import annotations

import gc
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from topcook_dask.connect import connect, mismatches_of
from topcook_dask.settings import CLUSTER_PARMS, BadClusterError, ConnectError, Settings
from topcook_dask.testcluster import TestCluster

# Sockets on which Dask gives up in the middle of a handshake are closed when they are collected.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """They are collected here, where nobody minds, and not in a test that knows nothing of them."""
    yield
    gc.collect()


@pytest.fixture(scope="module")
def encrypted() -> Iterator[TestCluster]:
    with TestCluster(workers=1, tls=True) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def stranger() -> Iterator[TestCluster]:
    """Another cluster with an authority of its own."""
    with TestCluster(workers=0, tls=True) as cluster:
        yield cluster


def tls(cluster: TestCluster) -> dict[str, Any]:
    return {f"tls{what}": path for what, path in cluster.certificates.items()}


def answer(settings: Settings) -> Any:
    """What a task of the cluster answers."""
    connection = connect(settings)
    try:
        assert not connection.owned
        assert connection.waits_for() == ""
        assert connection.mismatches() == []
        return connection.client.submit(sum, (20, 22)).result(timeout=120)
    finally:
        connection.close()


def refusal(**parms: Any) -> str:
    with pytest.raises(ConnectError) as refused:
        connect(Settings(connecttimeout=0.2, **parms))
    return str(refused.value)


@pytest.mark.engine
def test_an_address_is_connected_to(cluster: TestCluster) -> None:
    assert answer(Settings(address=cluster.address)) == 42
    assert cluster.is_up(), "what was not started here is not ended"


@pytest.mark.engine
def test_an_address_may_be_a_web_socket() -> None:
    with TestCluster(workers=1, protocol="ws") as sockets:
        assert sockets.address.startswith("ws://")
        assert answer(Settings(address=sockets.address)) == 42


@pytest.mark.engine
def test_a_scheduler_file_is_waited_for(cluster: TestCluster, tmp_path: Path) -> None:
    late = tmp_path / "scheduler.json"
    # The first half of it, as a scheduler writes it this moment.
    late.write_text('{"type": "Scheduler", "addr')
    found: list[Any] = []
    settings = Settings(schedulerfile=str(late), connecttimeout=60.0)
    waiting = threading.Thread(target=lambda: found.append(answer(settings)))
    waiting.start()
    late.write_text(cluster.scheduler_file.read_text())
    waiting.join(60)
    assert found == [42]


@pytest.mark.engine
def test_certificates_are_shown_and_asked_for(encrypted: TestCluster) -> None:
    assert encrypted.address.startswith("tls://")
    assert answer(Settings(address=encrypted.address, **tls(encrypted))) == 42
    assert answer(Settings(schedulerfile=str(encrypted.scheduler_file), encrypt=True, **tls(encrypted))) == 42


@pytest.mark.engine
def test_an_encrypted_cluster_lets_nobody_in_without_its_certificates(
    encrypted: TestCluster, stranger: TestCluster
) -> None:
    assert "name the certificates" in refusal(address=encrypted.address)
    said = refusal(address=encrypted.address, **tls(stranger))
    assert "no way to the Dask scheduler at tls://" in said
    assert "dask_tlsca is the authority" in said
    said = refusal(address=encrypted.address.replace("tls:", "tcp:"))
    assert "no way to the Dask scheduler at tcp://" in said


@pytest.mark.engine
def test_nothing_goes_in_the_clear_that_is_to_be_encrypted(cluster: TestCluster, stranger: TestCluster) -> None:
    assert "it is not encrypted, and is to be" in refusal(address=cluster.address, encrypt=True)
    assert "it is not encrypted, and is to be" in refusal(address=cluster.address, **tls(stranger))
    assert "it is not encrypted" in refusal(address=cluster.address.replace("tcp:", "tls:"), **tls(stranger))


@pytest.mark.engine
def test_certificates_that_are_none_are_named(encrypted: TestCluster, stranger: TestCluster, tmp_path: Path) -> None:
    own = tls(encrypted)
    assert refusal(address=encrypted.address, **{**own, "tlskey": ""}).startswith("dask_tlskey is blank")
    gone = str(tmp_path / "gone.pem")
    assert refusal(address=encrypted.address, **{**own, "tlscert": gone}) == f"dask_tlscert: there is no file {gone}"
    text = tmp_path / "text.pem"
    text.write_text("no certificate")
    assert f"dask_tlsca: {text} has no certificate" in refusal(address=encrypted.address, **{**own, "tlsca": str(text)})
    said = refusal(address=encrypted.address, **{**own, "tlskey": tls(stranger)["tlskey"]})
    assert "do not go together" in said


def test_an_address_at_which_nobody_listens_is_told() -> None:
    said = refusal(address="tcp://127.0.0.1:9")
    assert said.startswith("dask_address: no way to the Dask scheduler at tcp://127.0.0.1:9: ")
    assert "dask scheduler starts one" in said


@pytest.mark.parametrize("address", ["127.0.0.1", "smoke://127.0.0.1:8786"])
def test_what_is_no_address_is_told_with_one_that_is(address: str) -> None:
    assert "an address is tcp://HOST:PORT, tls://HOST:PORT or ws://HOST:PORT" in refusal(address=address)


def test_a_scheduler_file_that_is_none_is_told(tmp_path: Path) -> None:
    path = tmp_path / "scheduler.json"
    assert refusal(schedulerfile=str(path)) == (
        f"dask_schedulerfile: {path}: there is no such file\n"
        f"    the scheduler writes it: dask scheduler --scheduler-file {path}"
    )
    for text in ("", "[]", '{"id": 1}', "\0"):
        path.write_text(text)
        assert f"dask_schedulerfile: {path}: it is no scheduler file" in refusal(schedulerfile=str(path))
    path.write_text(json.dumps({"address": "tcp://127.0.0.1:9"}))
    assert f"{path} may be of a scheduler that has ended" in refusal(schedulerfile=str(path))


def test_a_cluster_to_start_beside_one_that_runs_is_refused() -> None:
    said = refusal(address="tcp://127.0.0.1:9", cluster="slurm")
    assert said.startswith("dask_cluster is slurm, and dask_address names a cluster that runs")


def test_a_version_that_many_workers_have_is_told_in_a_line() -> None:
    new, old = ({"packages": {"distributed": each, "msgpack": "1.1"}} for each in ("2026.8.0", "2024.8.0"))
    workers = {f"tcp://10.0.0.{number}:40000": old for number in range(500)}
    assert mismatches_of({"client": new, "scheduler": new, "workers": {"tcp://a:1": new, "tcp://b:1": None}}) == []
    (told,) = mismatches_of({"client": new, "scheduler": new, "workers": workers})
    assert told.startswith("distributed is 2026.8.0 here and 2024.8.0 on tcp://10.0.0.0:40000, tcp://10.0.0.1:40000, ")
    assert told.endswith(" and 497 more")


def test_parms_are_read_by_their_whole_names() -> None:
    given: dict[str, Any] = {f"dask_{name}": default for name, _, _, default in CLUSTER_PARMS}
    assert Settings.read(given.__getitem__) == Settings()
    given |= {"dask_count": 3, "dask_address": " tcp://a:1 ", "dask_encrypt": 1, "dask_prologue": "one\ntwo\n"}
    assert Settings.read(given.__getitem__) == Settings(count=3, address="tcp://a:1", encrypt=True, prologue="one\ntwo")


@pytest.mark.parametrize("name", ["queue", "account", "walltime", "python", "scratch", "logdir"])
def test_a_line_break_where_it_would_begin_another_directive_is_refused(name: str) -> None:
    given: dict[str, Any] = {f"dask_{row[0]}": row[3] for row in CLUSTER_PARMS}
    given[f"dask_{name}"] = "a\n#SBATCH --exclusive"
    with pytest.raises(BadClusterError, match=f"dask_{name} has a line break"):
        Settings.read(given.__getitem__)


def test_the_page_has_each_parm_with_its_default() -> None:
    page = (Path(__file__).parents[1] / "docs" / "clusters.md").read_text()
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if line.startswith("| `dask")
    ]
    told = {name.strip(" `"): cells[1].strip("`") for cells in rows for name in cells[0].split(",") if len(cells) == 3}
    assert told == {
        f"dask_{name}": f"{default:g}" if isinstance(default, (int, float)) else default
        for name, _, _, default in CLUSTER_PARMS
    }
