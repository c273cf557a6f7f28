import pdg
from pdg.scheduler import PyScheduler


class Farm(PyScheduler):
    def onStart(self):
        return True


def registerTypes(type_registry):
    type_registry.registerScheduler(Farm)
