import pdg
from pdg.scheduler import PyScheduler


class Farm(PyScheduler):
    def onSchedule(self, work_item):
        return pdg.scheduleResult.CookSucceeded


class Other(Farm):
    pass


def registerTypes(type_registry):
    type_registry.registerScheduler(Farm, name="farm")
    type_registry.registerScheduler(Other, name="farm")
