"""Files that work items take and make, with PDG's tags."""

from __future__ import annotations

import posixpath

from topcook.lean import dataclass


@dataclass(slots=True)
class File:
    """``pdg.File``: a path, its tag (``file/image``), a checksum (0: none) and whether the item owns it."""

    path: str
    tag: str = ""
    hash: int = 0
    own: bool = True


#: Tag by file extension; a path with none of them is plain ``file``.
TAG_BY_EXTENSION: dict[str, str] = {
    **dict.fromkeys(
        (".png", ".jpg", ".jpeg", ".exr", ".tif", ".tiff", ".tga", ".pic", ".rat", ".hdr", ".bmp", ".gif"), "file/image"
    ),
    **dict.fromkeys((".bgeo", ".bgeo.sc", ".geo", ".obj", ".abc", ".ply", ".vdb", ".fbx", ".stl"), "file/geo"),
    **dict.fromkeys((".usd", ".usda", ".usdc", ".usdz"), "file/usd"),
    **dict.fromkeys((".ifd", ".rib", ".ass"), "file/ifd"),
    **dict.fromkeys((".hip", ".hiplc", ".hipnc"), "file/hip"),
    **dict.fromkeys((".mp4", ".mov", ".avi", ".mkv", ".webm"), "file/video"),
    **dict.fromkeys((".wav", ".aif", ".aiff", ".mp3", ".flac"), "file/audio"),
    **dict.fromkeys((".txt", ".log", ".md"), "file/text"),
    **dict.fromkeys((".json",), "file/text/json"),
    **dict.fromkeys((".csv",), "file/text/csv"),
    **dict.fromkeys((".py",), "file/text/py"),
    **dict.fromkeys((".sim",), "file/sim"),
}


def tag_for(path: str) -> str:
    """The tag of a path by its extension, longest first (``.bgeo.sc`` before ``.sc``)."""
    name = posixpath.basename(path.replace("\\", "/")).lower()
    dot = name.find(".")
    while dot != -1:
        tag = TAG_BY_EXTENSION.get(name[dot:])
        if tag:
            return tag
        dot = name.find(".", dot + 1)
    return "file"
