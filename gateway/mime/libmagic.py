"""libmagic's opinion on a file: a third witness beside its name and our own reading of its structure."""

from __future__ import annotations

import threading

import magic

from gateway.errors import Unavailable

KINDS = {
    "application/x-dosexec": "pe",
    "application/vnd.microsoft.portable-executable": "pe",
    "application/x-executable": "elf",
    "application/x-pie-executable": "elf",
    "application/x-sharedlib": "elf",
    "application/x-mach-binary": "mach-o",
    "application/java-archive": "jar",
    "application/x-java-applet": "class",
    "application/x-ms-shortcut": "lnk",
    "application/x-msi": "msi",
    "application/x-rar": "rar",
    "application/x-7z-compressed": "7z",
    "application/gzip": "gzip",
    "application/x-tar": "tar",
    "application/x-iso9660-image": "iso",
    "application/vnd.ms-cab-compressed": "cab",
    "application/x-lzh-compressed": "lzh",
    "application/x-apple-diskimage": "dmg",
    "application/pdf": "pdf",
    "text/rtf": "rtf",
    "application/msword": "doc",
    "application/vnd.ms-excel": "xls",
    "application/vnd.ms-powerpoint": "ppt",
    "audio/mpeg": "mp3",
}
"""Our words for what libmagic names, for the kinds it may see where our signatures see none. Its guesses at programming
languages are left out: a letter that begins with "import" is not a script."""

_thread = threading.local()


def media_type_of(data: bytes) -> str:
    """The media type that libmagic sees. Each thread has its own handle: they must not be shared.

    Raises Unavailable where libmagic fails, as it does when its database is missing.
    """
    try:
        handle = getattr(_thread, "handle", None)
        if handle is None:
            handle = _thread.handle = magic.Magic(mime=True)
        return str(handle.from_buffer(data))
    except (magic.MagicException, OSError) as problem:
        raise Unavailable(f"libmagic: {problem}") from problem
