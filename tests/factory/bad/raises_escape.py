raise ValueError("\x1b[2J\x1b]0;owned\x07 \u202e and \udc80")
import pdg
from pdg.scheduler import PyScheduler


class Farm(PyScheduler):
    def onSchedule(self, work_item):
        return pdg.scheduleResult.CookSucceeded


def registerTypes(type_registry):
    type_registry.registerScheduler(Farm)
