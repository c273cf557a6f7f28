# no templateName: it answers to the class's name in lower case
import pdg, os, subprocess, json
from pdg.scheduler import PyScheduler

class NoName(PyScheduler):
    @classmethod
    def templateBody(cls):
        return json.dumps({"name": "nonamefarm", "parameters": [
            {"name": "tries", "type": "integer", "value": "1"},
            {"name": "shell", "type": "STRING"},
            {"name": "quiet", "type": "toggle"},
        ]})

    def __init__(self, scheduler, name):
        super().__init__(scheduler, name)
        self.procs = {}

    def onSchedule(self, item):
        self.createJobDirsAndSerializeWorkItems(item)
        env = os.environ.copy()
        self.addCommonJobEnvVars(env, item)
        shell = self["shell"].evaluateString() or "/bin/sh"
        self.procs[item.name] = item.id, subprocess.Popen([shell, "-c", self.expandCommandTokens(item.command, item)], env=env)
        return True

    def onTick(self):
        for name, (number, proc) in list(self.procs.items()):
            if proc.poll() is None: continue
            self.onWorkItemStartCook(number, -1)
            (self.onWorkItemFailed(number, -1) if proc.returncode else self.onWorkItemSucceeded(number, -1, 0.0))
            del self.procs[name]
        return True

    def onStopCook(self, cancel=False):
        for number, proc in self.procs.values():
            proc.kill(); proc.wait()
        return True

def registerTypes(reg):
    reg.registerScheduler(NoName)
