import pdg
from pdg.scheduler import PyScheduler


LABEL = "Küche"


def registerTypes(type_registry):
    type_registry.registerScheduler(Farm)
