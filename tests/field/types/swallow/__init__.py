"""Swallows its own import error, and then has no class to register."""
try:
    from .needs import SwallowScheduler
except Exception as e:
    print("swallow: could not be loaded: {}".format(e))


def registerTypes(type_registry):
    type_registry.registerScheduler(SwallowScheduler, label="Swallow")
