"""Reports that set attributes of a work item; arguments as in ``pdgjob._report``."""

import os

from pdgjob._link import encode
from pdgjob._paths import delocalizePath
from pdgjob._report import echo, own_item, send

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Union

    Item = Union[int, str, None]


def _file(value: "Any") -> "list[Any]":
    parts = getattr(value, "parts", None)
    # A path object of the standard library has "parts" too, which is no method.
    if callable(parts):
        value = parts()
    if isinstance(value, (str, bytes)) or hasattr(value, "__fspath__"):
        value = (value,)
    path, tag, checksum, own = (tuple(value) + ("", 0, True)[len(value) - 1 :])[:4]
    return [delocalizePath(os.fsdecode(path)), tag, checksum, bool(own)]


def _setter(kind: str, convert: "Callable[[Any], Any]") -> "Any":
    def set_attribute(
        attr_name: str,
        attr_value: "Any",
        attr_index: int = 0,
        workitem_id: "Item" = None,
        subindex: int = -1,
        server_addr: "str | None" = None,
        raise_exc: bool = True,
        to_stdout: bool = True,
    ) -> "Any":
        item = own_item(workitem_id, server_addr)
        value = convert(attr_value)
        echo(to_stdout, "SET_%s_ATTRIB" % kind.upper(), item, attr_name, value[0] if kind == "file" else value)
        return send("set_%s_attrib" % kind, [item, subindex, attr_name, value, attr_index], server_addr, raise_exc)

    set_attribute.__name__ = "set%sAttrib" % kind.capitalize()
    set_attribute.__doc__ = "Set component ``attr_index`` of a %s attribute of the item." % kind
    return set_attribute


def _array_setter(kind: str, convert: "Callable[[Any], Any]") -> "Any":
    def set_attribute(
        attr_name: str,
        attr_value: "Any",
        workitem_id: "Item" = None,
        subindex: int = -1,
        server_addr: "str | None" = None,
        raise_exc: bool = True,
        to_stdout: bool = True,
    ) -> "Any":
        item = own_item(workitem_id, server_addr)
        values = [convert(value) for value in attr_value]
        echo(to_stdout, "SET_%s_ATTRIB_ARRAY" % kind.upper(), item, attr_name, encode(values))
        return send("set_%s_attrib_array" % kind, [item, subindex, attr_name, values], server_addr, raise_exc)

    set_attribute.__name__ = "set%sAttribArray" % kind.capitalize()
    set_attribute.__doc__ = "Set all components of a %s attribute of the item." % kind
    return set_attribute


setStringAttrib, setStringAttribArray = _setter("string", str), _array_setter("string", str)
setIntAttrib, setIntAttribArray = _setter("int", int), _array_setter("int", int)
setFloatAttrib, setFloatAttribArray = _setter("float", float), _array_setter("float", float)
setFileAttrib, setFileAttribArray = _setter("file", _file), _array_setter("file", _file)
setDictAttrib, setDictAttribArray = _setter("dict", dict), _array_setter("dict", dict)


def setPyObjectAttrib(
    attr_name: str,
    attr_value: "Any",
    workitem_id: "Item" = None,
    subindex: int = -1,
    server_addr: "str | None" = None,
    raise_exc: bool = True,
    to_stdout: bool = True,
) -> "Any":
    """Set a Python object attribute; it travels as its ``repr``, and the cook reads back literals only."""
    item = own_item(workitem_id, server_addr)
    echo(to_stdout, "SET_PYOBJECT_ATTRIB", item, attr_name, repr(attr_value))
    return send("set_pyobject_attrib", [item, subindex, attr_name, repr(attr_value)], server_addr, raise_exc)


def writeAttribute(
    item_name: "Item", item_attr: str, values: "Any", server_addr: "str | None" = None, raise_exc: bool = True
) -> "Any":
    """Set an attribute whose type follows from its values (the way of older scripts)."""
    item = own_item(item_name, server_addr)
    values = list(values) if isinstance(values, (list, tuple)) else [values]
    return send("write_attr", [item, item_attr, values], server_addr, raise_exc)
