"""Configuration in layers: site, user, project, environment, command line; each value knows where it comes from."""

from __future__ import annotations

from topcook.config.config import Config
from topcook.config.files import ConfigFile, config_files, user_config_file
from topcook.config.keys import KEYS, Key, key_of
from topcook.config.load import load_config
from topcook.config.values import Block, ConfiguredPath, Exemption, Layer, Origin, Setting

__all__ = [
    "KEYS",
    "Block",
    "Config",
    "ConfigFile",
    "ConfiguredPath",
    "Exemption",
    "Key",
    "Layer",
    "Origin",
    "Setting",
    "config_files",
    "key_of",
    "load_config",
    "user_config_file",
]
