"""Python Script: a piece of Python per item, in this process or as a job."""

from __future__ import annotations

import json
from typing import Any

import pdg
from pdg.processor import PyProcessor
from topcook.author import Batches, TaskScript

BINARIES = {
    "": "__PDG_PYTHON__",
    "0": "__PDG_PYTHON__",
    "python": "__PDG_PYTHON__",
    "1": "__PDG_HYTHON__",
    "hython": "__PDG_HYTHON__",
}
#: What the job's runner reads (pdgjob/runscript.py): the text, and where it stands.
SCRIPT, PLACE = "pdg_script", "pdg_scriptplace"


class PythonScript(Batches, PyProcessor):
    """Runs ``script``, or the Python ``file``, for each upstream item (or once, without an input).

    ``inprocess`` (the default) runs it in Topcook's process, with the names ``work_item``, ``self`` (the node:
    ``self["parm"]`` reads a parm) and ``pdg``. Otherwise a job runs it, with ``work_item`` alone, read from the
    item's data file; there ``pythonbin`` (python, hython, or the path of another interpreter; ``custom`` takes the
    path from ``python``) and ``pythonargs`` say which Python runs it how, and ``extraargs`` are the script's own
    arguments. The script reports files by ``work_item.addOutputFile(path, tag)``; ``outputs``, rows of ``path``
    and ``tag``, declare them beforehand. ``framesperbatch`` gathers that many items into one job (0: all), which loads
    the script once and runs it for each. Errors point at the line of the network file.
    """

    @classmethod
    def templateName(cls) -> str:
        """The type's name."""
        return "pythonscript"

    @classmethod
    def templateBody(cls) -> str:
        """Its parms."""
        return json.dumps(
            {
                "name": "pythonscript",
                "parameters": [
                    {"name": "inprocess", "label": "Evaluate In Process", "type": "Toggle", "value": 1},
                    {"name": "script", "label": "Script", "type": "String"},
                    {"name": "file", "label": "Script File", "type": "String"},
                    {"name": "pythonbin", "label": "Python Executable", "type": "String", "value": "python"},
                    {"name": "python", "label": "Custom Python", "type": "String"},
                    {"name": "pythonargs", "label": "Python Arguments", "type": "String"},
                    {"name": "extraargs", "label": "Script Arguments", "type": "String"},
                    {"name": "outputs", "label": "Expected Outputs", "type": "Integer"},
                    {"name": "path#", "label": "Path", "type": "String"},
                    {"name": "tag#", "label": "Tag", "type": "String"},
                    {"name": "priority", "label": "Priority", "type": "Integer", "value": 0},
                    {"name": "slots", "label": "Slots", "type": "Integer", "value": 1},
                    *cls.batchParms(),
                ],
            }
        )

    def __init__(self, node: Any, name: str) -> None:
        """Nothing is compiled yet."""
        PyProcessor.__init__(self, node, name)
        self._compiled: tuple[str, Any] = ("", None)

    def onGenerate(self, item_holder: Any, upstream_items: list[Any], generation_type: Any) -> Any:
        """One item each; a script that is not Python is found out now."""
        in_process = self["inprocess"].evaluateBool()
        if self.isSet("script") == self.isSet("file"):
            raise pdg.CookError('set one of "script", a piece of Python, and "file", the path of one')
        if self.isSet("script"):
            self._code()
        if self.framesPerBatch() != 1:
            return self._generate_batches(item_holder, upstream_items or [None], in_process)
        for parent in upstream_items or [None]:
            item = item_holder.addWorkItem(
                parent=parent,
                inProcess=in_process,
                slots=self["slots"].evaluateInt(parent),
                priority=self["priority"].evaluateInt(parent) if self.isSet("priority") else None,
            )
            outputs = [(path, tag.evaluateString(item)) for path, tag in self.rows("outputs", "path", "tag")]
            item_holder.setExpressions(item, outputs=outputs)
            if not in_process:
                self._make_job(item)
        return pdg.result.Success

    def _generate_batches(self, item_holder: Any, parents: list[Any], in_process: bool) -> Any:
        """One sub-item each, several to a job."""
        if in_process:
            raise pdg.CookError('"framesperbatch" is for jobs\n    write: inprocess = 0, or leave framesperbatch away')
        options: dict[str, Any] = {"slots": self["slots"].evaluateInt(parents[0])}
        if self.isSet("priority"):
            options["priority"] = self["priority"].evaluateInt(parents[0])
        places = [(parent, 0 if parent is None else parent.index, None) for parent in parents]
        for batch, items in self.addBatches(item_holder, places, apart=True, **options):
            for item in items:
                outputs = [(path, tag.evaluateString(item)) for path, tag in self.rows("outputs", "path", "tag")]
                item_holder.setExpressions(item, outputs=outputs)
            self._make_job(batch)
        return pdg.result.Success

    def onCookTask(self, work_item: Any) -> Any:
        """Run the script for one item; each gets a module of its own."""
        code = self._code(work_item)
        names = {"__name__": "__main__", "__file__": code.co_filename, "pdg": pdg, "self": self, "work_item": work_item}
        exec(code, names)  # noqa: S102 - running the network's Python is the point
        return pdg.result.Success

    def taskScript(self, work_item: Any) -> TaskScript:
        """The same as text, for schedulers that run it elsewhere."""
        if self.isSet("script"):
            snippet = self.snippet("script")
            return TaskScript(snippet.text, snippet.path, snippet.line)
        path = self._path(work_item)
        try:
            with open(path, encoding="utf-8") as stream:
                return TaskScript(stream.read(), path)
        except (OSError, UnicodeDecodeError) as error:
            raise pdg.CookError(f'"file" cannot be read: {error}') from None

    def _code(self, item: Any = None) -> Any:
        if self.isSet("script"):
            text = str(self["script"].value)
            known, code = self._compiled
            if known != text:
                # Items cook on several threads; two that compile at once both get it right.
                code = self.snippet("script").compile()
                self._compiled = (text, code)
            return code
        path = self._path(item)
        try:
            with open(path, "rb") as stream:
                return compile(stream.read(), path, "exec")
        except OSError as error:
            raise pdg.CookError(f'"file" cannot be read: {error}') from None

    def _path(self, item: Any) -> str:
        return str(self.localPath(self["file"].evaluateString(item)))

    def _make_job(self, item: Any) -> None:
        asked = self["pythonbin"].evaluateString(item).strip()
        python = self["python"].evaluateString(item) if asked.lower() in {"2", "custom"} else asked
        words = [
            _quoted(BINARIES.get(python.lower(), python)),
            self["pythonargs"].evaluateString(item),
            '"__PDG_SCRIPTDIR__/runscript.py"',
        ]
        if self.isSet("script"):
            snippet = self.snippet("script")
            item.setStringAttrib(SCRIPT, snippet.text)
            item.setStringAttrib(PLACE, f"{snippet.path}:{snippet.line}")
            for name in (SCRIPT, PLACE):
                item.setAttribFlag(name, pdg.attribFlag.NoCopy | pdg.attribFlag.Internal, True)
            # Where a script stands changes nothing of what it does.
            item.setAttribFlag(PLACE, pdg.attribFlag.NoDirty, True)
        else:
            words.append(f"--file {_quoted(self.jobFile(self._path(item)))}")
        words.append(self["extraargs"].evaluateString(item))
        item.setCommand(" ".join(word for word in words if word))


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def registerTypes(type_registry: Any) -> None:
    """Put the type into the menu."""
    type_registry.registerNode(PythonScript, pdg.nodeType.Processor, label="Python Script", category="Python")
