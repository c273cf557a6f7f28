"""Modules that scheduler files import, and where each comes from: one table."""

from __future__ import annotations

__all__ = ["DISTRIBUTIONS", "FARM_CLIENTS", "GONE", "HOUDINI", "PROGRAMS", "PYTHON_2_MODULES", "QT"]

#: Modules that only a running Houdini, or its libraries, have.
HOUDINI = frozenset(
    {"hou", "_hou", "hdefereval", "hrpyc", "husd", "hutil", "loputils", "nodegraph", "soputils", "toolutils", "_pdg"}
)
#: Modules that another program brings along while it runs.
PROGRAMS = {"maya": "Maya", "nuke": "Nuke", "bpy": "Blender", "unreal": "Unreal Engine", "MaxPlus": "3ds Max"}
QT = frozenset({"PySide", "PySide2", "PySide6", "PyQt4", "PyQt5", "PyQt6", "Qt", "qtpy", "shiboken2", "shiboken6"})
#: Clients that come with a farm's own installation. Their names may be taken on PyPI by something else.
FARM_CLIENTS = {
    "Deadline": "Deadline: the folder api/python of its repository",
    "CallDeadlineCommand": "Deadline: the folder submission/Houdini/Main of its repository",
    "DeadlineConnect": "Deadline: the folder api/python/Deadline of its repository",
    "tractor": "Tractor: the site-packages in the lib folder of its installation",
    "qb": "Qube!: the folder api/python of its installation",
    "af": "Afanasy: the folder afanasy/python of CGRU",
    "afcommon": "Afanasy: the folder afanasy/python of CGRU",
    "cgruconfig": "CGRU: its folder lib/python",
    "rrSubmit": "Royal Render: the folder of its Python API",
    "libpyRR39": "Royal Render: the folder bin of its installation",
    "opencue": "OpenCue: its package pycue",
    "outline": "OpenCue: its package pyoutline",
    "pyslurm": "Slurm: built from source against the very version that is installed",
    "hqueue": "HQueue: the client that is installed on the farm's machines",
    "shotgun_api3": "Flow Production Tracking (ShotGrid): its Python API",
}
#: Modules whose distribution has another name, and farm clients that are on PyPI under this very name.
DISTRIBUTIONS = {
    "Crypto": "pycryptodome",
    "MySQLdb": "mysqlclient",
    "PIL": "Pillow",
    "attr": "attrs",
    "boto3": "boto3",
    "botocore": "botocore",
    "bson": "pymongo",
    "celery": "celery",
    "ciocore": "ciocore",
    "classad": "htcondor",
    "cv2": "opencv-python-headless",
    "dask": "dask",
    "dask_jobqueue": "dask-jobqueue",
    "dateutil": "python-dateutil",
    "deadline": "deadline",
    "distributed": "distributed",
    "dotenv": "python-dotenv",
    "drmaa": "drmaa",
    "ftrack_api": "ftrack-python-api",
    "gazu": "gazu",
    "git": "GitPython",
    "grpc": "grpcio",
    "htcondor": "htcondor",
    "httpx": "httpx",
    "jwt": "PyJWT",
    "kubernetes": "kubernetes",
    "numpy": "numpy",
    "paramiko": "paramiko",
    "pkg_resources": "setuptools",
    "psutil": "psutil",
    "psycopg2": "psycopg2-binary",
    "pxr": "usd-core",
    "pymongo": "pymongo",
    "pythoncom": "pywin32",
    "pywintypes": "pywin32",
    "ray": "ray",
    "redis": "redis",
    "requests": "requests",
    "ruamel": "ruamel.yaml",
    "serial": "pyserial",
    "setuptools": "setuptools",
    "simplejson": "simplejson",
    "six": "six",
    "toml": "toml",
    "win32api": "pywin32",
    "win32con": "pywin32",
    "yaml": "PyYAML",
    "zmq": "pyzmq",
}
#: Modules that left the standard library, with what to use.
GONE = {
    "asynchat": "asyncio",
    "asyncore": "asyncio",
    "cgi": "urllib.parse and email",
    "distutils": "shutil, sysconfig or subprocess",
    "imp": "importlib",
    "pipes": "shlex and subprocess",
    "smtpd": "aiosmtpd",
    "telnetlib": "socket",
}
#: Modules of Python 2's standard library, with Python 3's name for them.
PYTHON_2_MODULES = {
    "BaseHTTPServer": "http.server",
    "ConfigParser": "configparser",
    "Cookie": "http.cookies",
    "HTMLParser": "html.parser",
    "Queue": "queue",
    "SimpleHTTPServer": "http.server",
    "SimpleXMLRPCServer": "xmlrpc.server",
    "SocketServer": "socketserver",
    "StringIO": "io",
    "Tkinter": "tkinter",
    "UserDict": "collections",
    "__builtin__": "builtins",
    "cPickle": "pickle",
    "cStringIO": "io",
    "commands": "subprocess",
    "copy_reg": "copyreg",
    "exceptions": "builtins",
    "httplib": "http.client",
    "md5": "hashlib",
    "sets": "set",
    "sha": "hashlib",
    "thread": "_thread, or threading",
    "urllib2": "urllib.request",
    "urlparse": "urllib.parse",
    "xmlrpclib": "xmlrpc.client",
}
