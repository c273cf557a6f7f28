import pdg
from pdg.scheduler import PyScheduler


class Farm(PyScheduler):
    def __init__(self):
        pass

    def onSchedule(self, work_item):
        return pdg.scheduleResult.CookSucceeded


def registerTypes(type_registry):
    type_registry.registerScheduler(Farm())
