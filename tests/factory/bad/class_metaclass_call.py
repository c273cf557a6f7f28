import pdg
from pdg.scheduler import PyScheduler


class Single(type):
    def __call__(cls):
        return type.__call__(cls, None, "farm")


class Farm(PyScheduler, metaclass=Single):
    def onSchedule(self, work_item):
        return pdg.scheduleResult.CookSucceeded


def registerTypes(type_registry):
    type_registry.registerScheduler(Farm)
