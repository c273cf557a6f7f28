import pdg
from pdg.scheduler import PyScheduler


class Farm(PyScheduler):
    def on_shedule(self, work_item):
        return None

    async def onStart(self):
        return True

    def onStop(self, why):
        return True

    @property
    def onTick(self):
        return None

    def getlogURI(self, work_item):
        return ""


def registerTypes(type_registry):
    type_registry.registerScheduler(Farm)
