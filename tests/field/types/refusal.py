"""Finds that it cannot cook when the cook starts: tells why, and returns False."""
import pdg
from pdg.scheduler import PyScheduler


class Refusal(PyScheduler):
    def __init__(self, scheduler, name):
        PyScheduler.__init__(self, scheduler, name)
        try:
            self["pdg_workingdir"].evaluateString()
        except Exception:
            return
        raise AssertionError("parms cannot be read here")

    @classmethod
    def templateName(cls):
        return "refusal"

    def onStartCook(self, static, cook_set):
        self.cookError("no licence for the farm")
        return False

    def onSchedule(self, work_item):
        raise AssertionError("never called")


def registerTypes(type_registry):
    type_registry.registerScheduler(Refusal)
