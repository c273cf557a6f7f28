import pdg
from pdg.scheduler import PyScheduler


class Farm(object):
    def onSchedule(self, work_item):
        return pdg.scheduleResult.CookSucceeded

    def onStart(self):
        return True


def registerTypes(type_registry):
    type_registry.registerScheduler(Farm)
