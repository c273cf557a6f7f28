"""What parms say to Dask, and the texts that are sent to it."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topcook_dask.options import JOB_PARMS, BadOptionError, TaskOptions, task_options
from topcook_dask.tasks import Sent, WorkerCode, key_of, prefix_of, token_of


def given_parms(**values: Any) -> TaskOptions:
    return task_options({**JOB_PARMS, **values})


def test_nothing_is_said_of_what_nobody_gave() -> None:
    assert given_parms().keywords() == {
        "resources": None,
        "workers": None,
        "allow_other_workers": False,
        "priority": 0,
    }


def test_resources_and_workers_are_read_as_dask_writes_them() -> None:
    options = given_parms(resources="GPU=1, slots=2.5;none=0", workers="w1, tcp://10.0.0.1:4000", otherworkers=True)
    assert options.keywords() == {
        "resources": {"GPU": 1.0, "slots": 2.5},
        "workers": ["w1", "tcp://10.0.0.1:4000"],
        "allow_other_workers": True,
        "priority": 0,
    }


@pytest.mark.parametrize("text", ["GPU", "GPU=", "=2", "GPU=-1", "GPU=two", "GPU = 1", "GPU=1 GPU=2"])
def test_what_is_no_resource_is_refused_with_the_parm(text: str) -> None:
    with pytest.raises(BadOptionError, match="dask_resources"):
        given_parms(resources=text)


@given(st.text())
def test_any_text_is_resources_or_refused(text: str) -> None:
    try:
        options = given_parms(resources=text)
    except BadOptionError:
        return
    assert all(amount > 0 for _, amount in options.resources)


@given(st.text(min_size=1), st.from_regex(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{7}-[0-9]+-[0-9]+", fullmatch=True))
def test_a_key_gives_its_token_back_whatever_the_node_is_called(node: str, token: str) -> None:
    assert token_of(key_of(node, token)) == token
    assert "-" not in prefix_of(node)
    assert token_of(f"other-{token}") == ""


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    for name in ("jobwrapper", "pythonjob"):
        (tmp_path / f"{name}.py").write_text("")
    return tmp_path


@given(values=st.lists(st.one_of(st.text(), st.integers(), st.lists(st.text()))))
def test_values_of_a_call_arrive_as_they_are(values: list[Any]) -> None:
    text = WorkerCode.__new__(WorkerCode)
    text._name, text._path = "topcook_dask_test_echo", "nowhere"
    sys.modules["topcook_dask_test_echo"] = sys.modules[__name__]
    assert eval(text.call("echo", *values)) == values


def echo(*values: Any) -> list[Any]:
    return list(values)


def test_the_code_of_workers_is_named_by_all_that_it_loads(scripts: Path) -> None:
    first = WorkerCode(str(scripts), "/over/there").call("here", [])
    assert WorkerCode(str(scripts), "/over/there").call("here", []) == first
    (scripts / "jobwrapper.py").write_text("# newer")
    assert WorkerCode(str(scripts), "/over/there").call("here", []) != first
    assert len(list(scripts.glob("topcook_dask_worker_*.py"))) == 2
    assert "'/over/there/topcook_dask_worker_" in first


def test_a_function_for_the_scheduler_is_pickled_without_any_code_of_ours_by_reference() -> None:
    sent = pickle.dumps(Sent("find"))
    assert b"topcook_dask.tasks" not in sent
    assert pickle.loads(sent).__name__ == "find"
