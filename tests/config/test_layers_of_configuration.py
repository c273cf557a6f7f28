"""Who wins, who may say what, and where each value comes from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from topcook.config import KEYS, Config, Layer, key_of, load_config

Write = Callable[[str, str], Path]
Load = Callable[..., Config]


def codes(config: Config) -> list[str]:
    return [problem.code for problem in config.problems]


def test_without_files_the_defaults_of_the_table_hold(load: Load) -> None:
    config = load()
    fields = {"types.path": "types_path", "trust.owners": "trusted_owners", "trust.strict": "trust_strict"}
    fields |= {"block": "blocks", "pathmap": "path_maps"}
    fields |= {"slots.machine": "machine_slots", "watchdog.seconds": "watchdog"}
    for key in KEYS:
        if key.kind != "table":
            assert getattr(config, fields.get(key.name, key.name)) == key.default, key.name
        assert config.origin_of(key.name).layer is Layer.DEFAULT
    assert not config.problems


def test_each_layer_goes_before_the_one_below_it(load: Load, write: Write) -> None:
    write("site.toml", 'log_level = "debug"')
    assert load("site.toml").log_level == "debug"
    write("user", 'log_level = "info"')
    assert load("site.toml").log_level == "info"
    write("project", 'log_level = "error"')
    assert load("site.toml").log_level == "error"
    assert load("site.toml", TOPCOOK_LOG_LEVEL="warning").log_level == "warning"
    config = load("site.toml", overrides=("log_level=info", "log_level=debug"), TOPCOOK_LOG_LEVEL="warning")
    assert config.log_level == "debug"
    assert not config.problems


def test_every_value_knows_its_file_and_line_its_variable_or_its_option(
    load: Load, write: Write, tmp_path: Path
) -> None:
    write("site.toml", '\nports = "40000-40100"\n')
    write("user", '[trust]\nowners = [\n  "pipeline",\n]')
    config = load("site.toml", overrides=("strict=yes",), TOPCOOK_REQUIRE="seed")
    assert str(config.origin_of("ports")) == f"site configuration {tmp_path / 'site.toml'}:2"
    assert config.origin_of("trust.owners")[:4] == (
        Layer.USER,
        str(tmp_path / "home/.config/topcook/config.toml"),
        3,
        3,
    )
    assert str(config.origin_of("require")) == "TOPCOOK_REQUIRE"
    assert str(config.origin_of("strict")) == "-c strict"
    assert str(config.origin_of("log_level")) == "default"
    assert (config.ports, config.trusted_owners, config.require, config.strict) == (
        (40000, 40101),
        ("pipeline",),
        "seed",
        True,
    )


def test_what_is_no_key_has_no_origin() -> None:
    with pytest.raises(KeyError):
        Config().origin_of("strikt")


def test_the_types_path_is_that_of_all_layers_and_each_file_s_own_entries_are_relative_to_it(
    load: Load, write: Write, tmp_path: Path
) -> None:
    write("site/site.toml", '[types]\npath = ["types", "$SHOW/types"]')
    write("user", '[types]\npath = ["~/types"]')
    write("project", '[types]\npath = ["tools/types", "types/../types"]')
    config = load("site/site.toml", overrides=("types.path=/one",), PDG_TYPES_PATH="/two:~/types", SHOW="/show")
    assert [(entry.path, entry.origin.layer, entry.named) for entry in config.types_path] == [
        ("/one", Layer.COMMAND_LINE, True),
        ("/two", Layer.ENVIRONMENT, True),
        (str(tmp_path / "home/types"), Layer.ENVIRONMENT, True),
        (str(tmp_path / "project/tools/types"), Layer.PROJECT, False),
        (str(tmp_path / "project/types"), Layer.PROJECT, False),
        (str(tmp_path / "site/types"), Layer.SITE, True),
        ("/show/types", Layer.SITE, True),
    ]


def test_an_entry_with_a_variable_that_is_not_set_is_left_out_and_told(load: Load, write: Write) -> None:
    path = write("user", '[types]\npath = ["/good", "${SHOW}/types"]')
    config = load()
    assert [entry.path for entry in config.types_path] == ["/good"]
    (problem,) = config.problems
    assert (problem.code, problem.path, problem.line, problem.column) == ("unset-variable", str(path), 2, 18)
    assert "SHOW" in problem.message
    assert not config.mistakes


def test_of_several_site_files_the_first_wins(load: Load, write: Write) -> None:
    write("show.toml", 'require = "seed"\n[[block]]\nname = "a"\nreason = "r"')
    write("studio.toml", 'require = "contract"\nlog_level = "info"\n[[block]]\nname = "b"\nreason = "r"')
    config = load("show.toml", "studio.toml")
    assert (config.require, config.log_level) == ("seed", "info")
    assert [block.name for block in config.blocks] == ["a", "b"]


def test_a_site_file_that_is_not_there_is_a_mistake(load: Load, tmp_path: Path) -> None:
    (problem,) = load("none.toml").mistakes
    assert problem.path == str(tmp_path / "none.toml")
    assert "TOPCOOK_CONFIG" in problem.message


# Locks


@pytest.mark.parametrize("lock", ["strict", "trust.strict", "trust"])
def test_a_locked_key_stays_as_the_site_says_and_who_contradicts_is_told_both_places(
    lock: str, load: Load, write: Write, tmp_path: Path
) -> None:
    site = write("site.toml", f'locked = ["{lock}"]\nstrict = true\n[trust]\nstrict = true')
    user = write("user", "strict = false\n[trust]\nstrict = false")
    key = "strict" if lock == "strict" else "trust.strict"
    variables = {"TOPCOOK_STRICT": "0"} if lock == "strict" else {"TOPCOOK_TRUST_STRICT": "0"}
    config = load("site.toml", overrides=(f"{key}=false",), **variables)
    assert config.strict is (lock == "strict")
    assert config.trust_strict is (lock != "strict")
    told = [problem for problem in config.problems if problem.code == "config-locked"]
    assert len(told) == 3
    assert all(f"{site}:1" in problem.message for problem in told)
    assert {problem.path for problem in told} == {None, str(user)}
    assert config.lock_of(key) is not None
    assert str(tmp_path) in str(config.lock_of(key))
    assert not config.mistakes


def test_a_locked_types_path_holds_against_the_environment(load: Load, write: Write) -> None:
    write("site.toml", 'locked = ["types.path"]\n[types]\npath = ["/studio"]')
    config = load("site.toml", PDG_TYPES_PATH="/mine:/yours")
    assert [entry.path for entry in config.types_path] == ["/studio"]
    assert codes(config) == ["config-locked"]


@pytest.mark.parametrize(
    "lock", ["scheduler_defaults", "scheduler_defaults.localscheduler", "scheduler_defaults.Local.maxprocs"]
)
def test_defaults_of_a_scheduler_are_locked_whatever_its_type_is_called(lock: str, load: Load, write: Write) -> None:
    write("site.toml", f'locked = ["{lock}"]\n[scheduler_defaults.localscheduler]\nmaxprocs = 2')
    config = load("site.toml", overrides=("scheduler_defaults.local.maxprocs=64",))
    assert [value for _, value, _ in config.parm_defaults("localscheduler")] == [2]
    assert codes(config) == ["config-locked"]


@pytest.mark.parametrize("layer", ["user", "project"])
def test_only_a_site_can_lock(layer: str, load: Load, write: Write) -> None:
    path = write(layer, 'log_level = "info"\nlocked = ["log_level"]')
    config = load(TOPCOOK_LOG_LEVEL="error")
    assert config.log_level == "error"
    assert [(problem.code, problem.path, problem.line) for problem in config.problems] == [
        ("config-locks", str(path), 2)
    ]


# What a checkout may not do


def test_a_project_cannot_widen_trust(load: Load, write: Write) -> None:
    write("user", 'strict = true\nrequire = "seed"\n[trust]\nstrict = true\nowners = ["pipeline"]')
    write(
        "project",
        """
        strict = false
        require = "contract"
        [trust]
        strict = false
        owners = ["mallory"]
        [types]
        path = ["types"]
        [[exempt]]
        code = "*"
        [[exempt]]
        file = "../../*"
        """,
    )
    config = load()
    assert config.trusted_owners == ("pipeline",)
    assert config.trust_strict
    assert config.strict
    assert config.require == "seed"
    assert not config.exempt
    assert not any(entry.named for entry in config.types_path)
    assert codes(config) == ["config-project"] * 6
    assert all(problem.line for problem in config.problems)


def test_a_project_can_make_things_stricter_block_types_and_exempt_its_own_files(
    load: Load, write: Write, tmp_path: Path
) -> None:
    write("user", '[[block]]\nname = "a"\nreason = "mine"')
    write(
        "project",
        """
        strict = true
        [trust]
        strict = true
        [[block]]
        name = "b"
        reason = "theirs"
        [[exempt]]
        file = "types/*.py"
        """,
    )
    config = load()
    assert not config.problems
    assert config.strict
    assert config.trust_strict
    assert {block.name for block in config.blocks} == {"a", "b"}
    assert config.exempt[0].holds_for("any", str(tmp_path / "project/types/x.py"))
    assert not config.exempt[0].holds_for("any", str(tmp_path / "types/x.py"))


def test_the_project_s_file_is_the_nearest_one_and_none_above_the_home_is_looked_at(tmp_path: Path) -> None:
    home = tmp_path / "home"
    deep = home / "a" / "b"
    deep.mkdir(parents=True)
    (tmp_path / "topcook.toml").write_text('log_level = "debug"')
    environ = {"HOME": str(home)}
    assert load_config(environ, directory=str(deep)).log_level == "warning"
    (home / "a" / "topcook.toml").write_text('log_level = "info"')
    assert load_config(environ, directory=str(deep)).log_level == "info"
    (deep / "topcook.toml").write_text('log_level = "error"')
    assert load_config(environ, directory=str(deep)).log_level == "error"


# Variables and options


@pytest.mark.parametrize(
    ("variable", "text"),
    [("TOPCOOK_STRICT", "maybe"), ("TOPCOOK_REQUIRE", "all"), ("TOPCOOK_PORTS", "80000"), ("TOPCOOK_PORTS", "5-4")],
)
def test_a_variable_with_a_wrong_value_is_named(variable: str, text: str, load: Load) -> None:
    (problem,) = load(**{variable: text}).mistakes
    assert variable in problem.message
    assert f'"{text}"' in problem.message


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("strct=1", 'did you mean "strict"?'),
        ("strict", "KEY=VALUE"),
        ("strict=2", "neither true nor false"),
        ("block=x", "[[block]]"),
        ("scheduler_defaults.local=1", "scheduler_defaults.TYPE.PARM"),
        ("=", "there are: types.path"),
    ],
)
def test_an_option_with_a_mistake_says_what_to_type(option: str, said: str, load: Load) -> None:
    (problem,) = load(overrides=(option,)).mistakes
    assert said in str(problem)


@pytest.mark.parametrize("separator", [";", ":", ",", " ", "; "])
def test_houdinis_list_of_modules_to_skip_is_a_block_list(separator: str, load: Load) -> None:
    config = load(HOUDINI_PDG_TYPE_SKIPLIST=separator.join(["oldfarm", "newfarm"]))
    block = config.block_for(module="oldfarm", path="/types/oldfarm.py")
    assert block is not None
    assert "HOUDINI_PDG_TYPE_SKIPLIST" in block.reason
    assert config.block_for(module="farm", path="/types/farm.py") is None


def test_a_parm_from_the_command_line_is_a_toml_value_or_a_text(load: Load) -> None:
    given = {"a": "2", "b": "true", "c": "[1, 2]", "d": "plain words", "e": '"quoted"', "f": "1.5"}
    config = load(overrides=tuple(f"scheduler_defaults.local.{name}={text}" for name, text in given.items()))
    assert {parm: value for parm, value, _ in config.parm_defaults("localscheduler")} == {
        "a": 2,
        "b": True,
        "c": [1, 2],
        "d": "plain words",
        "e": "quoted",
        "f": 1.5,
    }


def test_a_default_of_a_higher_layer_replaces_that_parm_alone(load: Load, write: Write) -> None:
    write("site.toml", "[scheduler_defaults.localscheduler]\nmaxprocs = 2\nusesessionfile = 0")
    write("user", "[scheduler_defaults.Local]\nmaxprocs = 8\n[scheduler_defaults.farm]\nx = 1")
    config = load("site.toml")
    assert [(parm, value, origin.layer) for parm, value, origin in config.parm_defaults("localscheduler")] == [
        ("maxprocs", 8, Layer.USER),
        ("usesessionfile", 0, Layer.SITE),
    ]
    assert str(config.origin_of("scheduler_defaults.local.maxprocs")).endswith("config.toml:2")


# Block list and exemptions


@pytest.mark.parametrize(
    ("row", "asked", "fits"),
    [
        ('name = "old*"', {"name": "OldFarm"}, True),
        ('name = "old*"', {"path": "/t/oldfarm.py"}, False),
        ('file = "/studio/*/old.py"', {"path": "/studio/types/old.py"}, True),
        ('file = "old.py"', {"path": "/anywhere/old.py"}, True),
        ('file = "sub/old.py"', {"path": "/anywhere/sub/old.py"}, False),
        ('distribution = "My_Farm"', {"distribution": "my-farm"}, True),
        ('distribution = "my-farm"\nname = "b"', {"distribution": "my-farm", "name": "a"}, False),
        ('distribution = "my-farm"\nname = "b"', {"distribution": "my-farm", "name": "b"}, True),
    ],
)
def test_a_block_means_what_fits_all_that_it_says(
    row: str, asked: dict[str, str], fits: bool, load: Load, write: Write
) -> None:
    write("user", f'[[block]]\n{row}\nreason = "because"')
    found = load().block_for(**asked)
    assert (found is not None) is fits
    assert found is None or found.reason == "because"


def test_keys_are_found_by_name_and_by_parm() -> None:
    assert key_of("strict") is not None
    assert key_of("scheduler_defaults.local.maxprocs") is not None
    assert key_of("trust") is None
