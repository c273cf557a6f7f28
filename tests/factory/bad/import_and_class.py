import tractor
import pdg
from pdg.scheduler import PyScheduler


class Farm(PyScheduler):
    def onSchedul(self, work_item):
        return None

    async def onStart(self):
        return True


def registerTypes(type_registry):
    type_registry.registerScheduler(Farm)
