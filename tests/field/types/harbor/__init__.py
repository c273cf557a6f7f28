"""A package: relative imports, and a folder of its own put on sys.path."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "vendor"))

from .dock import HarborScheduler
from . import crane


def registerTypes(type_registry):
    crane.say("harbor is open")
    type_registry.registerScheduler(HarborScheduler)
