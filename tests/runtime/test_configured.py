"""What the configuration settles for all networks: path maps, parms of schedulers, ports; and when a cook is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from topcook.config import Config, load_config
from topcook.errors import ConfigError
from topcook.factory import Factory
from topcook.model.graphfile import read_network_file
from topcook.runtime.addresses import address_of
from topcook.runtime.api.context import GraphContext
from topcook.runtime.explanation import explain_node
from topcook.runtime.netfile import load_network

NETWORK = """\
[network]
name = "maps"
[[pathmap]]
from = "/own"
to = "/mnt/own"
[schedulers.mine]
type = "localscheduler"
[schedulers.mine.parms]
maxprocs = 3
[schedulers.open]
type = "localscheduler"
[[schedulers.open.spare]]
name = "show"
type = "string"
value = "the network's"
[nodes.a]
type = "genericgenerator"
scheduler = "open"
"""


@pytest.fixture(scope="module")
def factory() -> Factory:
    return Factory.scan({})


def configured(tmp_path: Path, text: str, **variables: str) -> Config:
    (tmp_path / "site.toml").write_text(text)
    return load_config({"TOPCOOK_CONFIG": str(tmp_path / "site.toml"), **variables}, directory=str(tmp_path))


def loaded(tmp_path: Path, factory: Factory, config: Config) -> GraphContext:
    (tmp_path / "net.toml").write_text(NETWORK)
    return load_network(tmp_path / "net.toml", factory=factory, config=config)


def test_a_networks_own_maps_come_before_those_of_the_site(
    tmp_path: Path, factory: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "net.toml").write_text(NETWORK)
    for name in ("one", "two"):
        (tmp_path / f"{name}.toml").write_text(f'[[pathmap]]\nfrom = "/{name}"\nto = "$ROOT/{name}"\n')
    monkeypatch.setenv("TOPCOOK_CONFIG", os.pathsep.join(str(tmp_path / f"{name}.toml") for name in ("one", "two")))
    monkeypatch.setenv("ROOT", "/studio")
    context = load_network(tmp_path / "net.toml", factory=factory)
    rows = context.core.network.path_maps
    context.close()
    assert [(row["from_path"], row["to_path"]) for row in rows] == [
        ("/own", "/mnt/own"),
        ("/one", "/studio/one"),
        ("/two", "/studio/two"),
    ]
    assert rows[1]["origin"].startswith(str(tmp_path / "one.toml"))


def test_a_scheduler_has_the_configured_parms_that_the_network_leaves_open(tmp_path: Path, factory: Factory) -> None:
    config = configured(tmp_path, '[scheduler_defaults.local]\nmaxprocs = 7\nshow = "the site\'s"\n')
    context = loaded(tmp_path, factory, config)
    try:
        schedulers = context.core.network.schedulers
        values = {
            name: [parm.at() for parm in (node.parms.get("maxprocs"), node.parms.get("show")) if parm is not None]
            for name, node in schedulers.items()
        }
        assert values["mine"] == [3, "the site's"]
        assert values["open"] == [7, "the network's"]
        name = context.core.instance_name("localscheduler")
        implicit = schedulers[name].parms.get("maxprocs")
        assert implicit is not None
        assert implicit.at() == 7
    finally:
        context.close()


def test_the_explanation_of_a_node_names_the_line_of_the_configuration(tmp_path: Path, factory: Factory) -> None:
    config = configured(tmp_path, "[scheduler_defaults.local]\nlocal_CPUs_to_use = 7\n")
    context = loaded(tmp_path, factory, config)
    try:
        answer = explain_node(context, "a", read_network_file(tmp_path / "net.toml"))
    finally:
        context.close()
    sources = {each.parm.name: each.source for each in answer.parms}
    assert sources["local_CPUs_to_use"] == f"site configuration {tmp_path / 'site.toml'}:2"
    assert sources["local_single"] == 'default of type "localscheduler"'


def test_a_parm_that_the_type_does_not_have_is_told_at_its_place_and_nothing_is_run(
    tmp_path: Path, factory: Factory
) -> None:
    config = configured(
        tmp_path, '[scheduler_defaults.local]\nmaxproc = 7\n\n[scheduler_defaults.localscheduler]\nmaxprocs = "many"\n'
    )
    context = loaded(tmp_path, factory, config)
    try:
        with pytest.raises(ConfigError) as caught:
            context.prepare(["a"])
    finally:
        context.close()
    places = {(problem.path, problem.line) for problem in caught.value.problems}
    assert places == {(str(tmp_path / "site.toml"), 2), (str(tmp_path / "site.toml"), 5)}
    assert 'did you mean "maxprocs"' in str(caught.value)


def test_a_broken_configuration_refuses_a_cook_and_no_look(tmp_path: Path, factory: Factory) -> None:
    context = loaded(tmp_path, factory, configured(tmp_path, 'strict = "x"\nports = "40000-40100"\n'))
    try:
        context.prepare(["a"], static_only=True).run()
        with pytest.raises(ConfigError) as caught:
            context.prepare(["a"])
    finally:
        context.close()
    assert caught.value.problems[0].line == 1


def test_the_configured_range_of_ports_holds_where_a_scheduler_names_none(tmp_path: Path, factory: Factory) -> None:
    context = loaded(tmp_path, factory, configured(tmp_path, 'ports = "40000-40100"\n'))
    try:
        node = context.core.network.schedulers["open"]
        assert address_of(node, context.core.config.ports).ports == (40000, 40101)
        context.setParameter("open", "topcook_serverports", "5000")
        assert address_of(node, context.core.config.ports).ports == (5000, 5001)
    finally:
        context.close()
