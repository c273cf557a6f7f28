"""What parms make of sbatch's command line, and what they may not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topcook_slurm.options import JOB_PARMS, BadOptionError, options


def given_parms(**values: Any) -> list[str]:
    return options({**JOB_PARMS, **values})


def test_nothing_is_said_of_what_nobody_gave() -> None:
    assert given_parms() == ["--requeue"]
    assert given_parms(requeue=False) == ["--no-requeue"]


def test_each_parm_is_one_word() -> None:
    words = given_parms(
        partition="gpu,short", cpus=4, memory="8G", gres="gpu:a100:2", constraint="intel&ssd", time="1-00:00", nice=5,
        exclusive=True, nodelist="n[1-4]", exclude="n9", mailtype="END", mailuser="td@example.org", priority="TOP",
        account="show", qos="high", reservation="night", export="NONE", extraargs="--licenses=nuke:2 --comment2 -k",
    )  # fmt: skip
    assert words == [
        "--partition=gpu,short", "--account=show", "--qos=high", "--cpus-per-task=4", "--mem=8G", "--gres=gpu:a100:2",
        "--constraint=intel&ssd", "--time=1-00:00", "--nice=5", "--priority=TOP", "--reservation=night", "--exclusive",
        "--nodelist=n[1-4]", "--exclude=n9", "--mail-type=END", "--mail-user=td@example.org", "--export=NONE",
        "--requeue", "--licenses=nuke:2", "--comment2", "-k",
    ]  # fmt: skip


@given(st.sampled_from([name for name, value in JOB_PARMS.items() if value == ""]), st.text(min_size=1))
def test_no_value_ever_becomes_an_option_of_another_name(name: str, value: str) -> None:
    try:
        words = given_parms(**{name: value})
    except BadOptionError:
        return
    plain = [word for word in words if word != "--requeue"]
    assert all(word.startswith("-") and "\n" not in word for word in plain)
    if name != "extraargs":
        assert [word.partition("=")[2] for word in plain] == [value.strip()] * bool(value.strip())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("script.sh", "is no option"),
        ("-p farm", "is no option"),
        ("--", "is no option"),
        ("--array=0-9", "is set by the scheduler itself"),
        ("--arr=0-9", "is set by the scheduler itself"),
        ("-a0-9", "is set by the scheduler itself"),
        ("-Ha0-9", "is set by the scheduler itself"),
        ("-vkW", "is set by the scheduler itself"),
        ("-Q", "is set by the scheduler itself"),
        ("--quiet", "is set by the scheduler itself"),
        ("--clusters=other", "names another cluster"),
        ("-Mother", "names another cluster"),
        ("--wrap=reboot", "is set by the scheduler itself"),
        ("'--mem", "cannot be read"),
        ("--mem=1\n--wrap=x", "line break"),
    ],
)
def test_extra_arguments_that_would_run_something_else_are_refused(text: str, said: str) -> None:
    with pytest.raises(BadOptionError, match=said):
        given_parms(extraargs=text)


def test_short_options_in_one_word_are_told_apart() -> None:
    assert given_parms(extraargs="-vvHdsingleton -k -sc4 --dependency=singleton") == [
        "--requeue", "-v", "-v", "-H", "-dsingleton", "-k", "-s", "-c4", "--dependency=singleton",
    ]  # fmt: skip
