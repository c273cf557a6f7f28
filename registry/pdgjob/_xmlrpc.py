"""XML-RPC calls for servers and sessions where the line protocol does not serve."""

import os
from xmlrpc import client

from pdgjob import _link

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: Arguments that hold paths travel as binaries: a file name need not be text that XML can carry.
_PATH_ARGUMENT = {
    "result": 1,
    "result_batch": 1,
    "success_and_result": 1,
    "success_and_result_batch": 1,
    "result_array": 1,
    "result_array_batch": 2,
}


class _Transport(client.Transport):
    """Sends the secret and the attempt as headers, and does not wait for ever."""

    def __init__(self, secret: str, attempt: "int | None") -> None:
        client.Transport.__init__(self)
        self._extra = [("X-PDG-Secret", secret)] if secret else []
        if attempt is not None:
            self._extra.append(("X-PDG-Attempt", str(attempt)))

    def send_headers(self, connection: "Any", headers: "Any") -> None:
        client.Transport.send_headers(self, connection, list(headers) + self._extra)

    def make_connection(self, host: "Any") -> "Any":
        connection = client.Transport.make_connection(self, host)
        connection.timeout = _link.number("PDG_RPC_TIMEOUT", 4.0)
        return connection


def call(address: str, secret: str, method: str, attempt: "int | None", args: "Any") -> "Any":
    """Do one call; raises RpcFault when it was refused, OSError when nobody answered."""
    proxy = client.ServerProxy("http://" + address, _Transport(secret, attempt), allow_none=True)
    args = list(args)
    place = _PATH_ARGUMENT.get(method)
    if place is not None:
        args[place] = _binary(args[place])
    try:
        return getattr(proxy, method)(*args)
    except client.Fault as fault:
        raise _link.RpcFault(fault.faultString) from None
    except client.ProtocolError as problem:
        raise _link.RpcFault("%s %s" % (problem.errcode, problem.errmsg)) from None
    except OSError:
        raise
    except Exception as problem:  # http.client and expat raise families of their own
        raise OSError("%s: %s" % (type(problem).__name__, problem)) from problem
    finally:
        proxy("close")()


def _binary(value: "Any") -> "Any":
    if isinstance(value, (list, tuple)):
        return [_binary(element) for element in value]
    return client.Binary(os.fsencode(value))
