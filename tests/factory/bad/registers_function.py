import pdg
from pdg.scheduler import PyScheduler


def Farm(scheduler, name):
    return PyScheduler(scheduler, name)


def registerTypes(type_registry):
    type_registry.registerScheduler(Farm)
