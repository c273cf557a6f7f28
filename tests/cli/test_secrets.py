"""A secret parm in a whole cook: its value reaches the scheduler and the job, and nothing that is shown or kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

VALUE = 'hunter2 "with" quötes'
NETWORK = """
[network]
scheduler = "farm"

[schedulers.farm]
type = "pythonscheduler"

[[schedulers.farm.spare]]
name = "farm_password"
tags = ["secret", "jobParm"]

[schedulers.farm.parms]
farm_password = SOURCE
onstart = '''
password = self["farm_password"].evaluateString()
print("logged in with", password)
self.cookWarning("warned of " + password)
print(self["farm_password"], self["farm_password"].defaultValue)
'''
onschedule = '''
import os, subprocess
self.createJobDirsAndSerializeWorkItems(work_item)
password = self.evaluateStringOverride(work_item.node, "farm", "password", work_item, "")
env = {**os.environ, "PASSWORD": password}
self.addCommonJobEnvVars(env, work_item)
self.onWorkItemAppendLog(work_item.id, -1, "sent " + password, 2)
if subprocess.call(self.expandCommandTokens(work_item.command, work_item), shell=True, env=env):
    raise ValueError("not with " + password)
return pdg.scheduleResult.CookSucceeded
'''

[[nodes.work.spare]]
name = "token"
secret = true
value = {env = "TOKEN"}

[nodes.work]
type = "pythonprocessor"
parms.generate = '''
item = item_holder.addWorkItem()
item.setStringAttrib("token", self["token"].evaluateString(item))
item.setCommand('test "$PASSWORD" = "$EXPECTED" && echo "$PASSWORD" > arrived.txt')
item_holder.addWorkItem().setCommand("false")
'''
"""


def run(folder: Path, *args: str, status: int = 0) -> str:
    env = {**os.environ, "FARM_PASSWORD": VALUE, "EXPECTED": VALUE, "TOKEN": "node-secret"}
    done = subprocess.run(
        [sys.executable, "-m", "topcook", *args], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def network(folder: Path, source: str) -> None:
    (folder / "net.toml").write_text(NETWORK.replace("SOURCE", source), encoding="utf-8")


@pytest.mark.parametrize(
    "source",
    ['{env = "FARM_PASSWORD"}', '{file = "password.txt"}', '{command = \'printf "%s\\n" "$FARM_PASSWORD"\'}'],
    ids=["env", "file", "command"],
)
def test_the_value_reaches_the_job_and_is_masked_everywhere_else(tmp_path: Path, source: str) -> None:
    network(tmp_path, source)
    secret_file = tmp_path / "password.txt"
    secret_file.write_text(VALUE + "\n", encoding="utf-8")
    said = run(tmp_path, "cook", "net.toml", "--report", "report.json", "-v", status=1)
    arrived = tmp_path / "arrived.txt"
    assert arrived.read_text(encoding="utf-8") == VALUE + "\n"
    written = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert any(path.name == "scheduler_farm.log" and b"logged in with ***" in text for path, text in written.items())
    spellings = [text for secret in (VALUE, "node-secret") for text in (secret, json.dumps(secret)[1:-1])]
    for path, text in {**written, Path("output"): said.encode()}.items():
        if path not in {arrived, secret_file}:
            assert not [each for each in spellings if each.encode() in text], path
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["items"][0]["attributes"]["token"]["value"] == ["***"]
    assert "ValueError: not with ***" in report["items"][1]["messages"][0]
    assert report["schedulers"]["farm"]["warnings"] == ["warned of ***"]


def test_what_is_looked_at_before_a_cook_shows_no_secret(tmp_path: Path) -> None:
    network(tmp_path, '{env = "FARM_PASSWORD"}')
    for command in (["expand", "net.toml"], ["expand", "net.toml", "--json"], ["save", "net.toml", "farm"]):
        said = run(tmp_path, *command)
        assert VALUE not in said
        assert "node-secret" not in said


def test_plain_text_is_refused_with_the_remedy_and_not_repeated(tmp_path: Path) -> None:
    network(tmp_path, '"hunter2"')
    said = run(tmp_path, "check", "net.toml", status=1)
    assert 'parm "farm_password" is secret' in said
    assert 'farm_password = {env = "FARM_PASSWORD"}' in said
    assert "net.toml:13" in said
    assert "hunter2" not in said


def test_plain_text_on_the_command_line_is_refused_and_a_source_is_taken(tmp_path: Path) -> None:
    network(tmp_path, '{env = "MISSING"}')
    assert "is secret" in run(tmp_path, "cook", "net.toml", "--parm", "farm.farm_password=hunter2", status=2)
    said = run(tmp_path, "cook", "net.toml", "--parm", 'farm.farm_password={env = "FARM_PASSWORD"}', status=1)
    assert "MISSING" not in said
    assert "is secret" in run(tmp_path, "cook", "net.toml", "--job-parm", "work.farm_password=hunter2", status=2)


def test_a_secret_that_cannot_be_had_stops_the_cook_and_says_where_it_was_looked_for(tmp_path: Path) -> None:
    network(tmp_path, '{env = "MISSING"}')
    said = run(tmp_path, "cook", "net.toml", status=1)
    assert 'secret parm "farm_password": the environment variable "MISSING" is not set' in said
