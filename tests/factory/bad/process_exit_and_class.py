import os

from pdg.scheduler import PyScheduler


class Farm(PyScheduler):
    def onSchedul(self, work_item):
        return None


def registerTypes(type_registry):
    type_registry.registerScheduler(Farm)


os._exit(1)
