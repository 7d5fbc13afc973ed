"""What a file's name and declared type claim it to be, held against what it is."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.mime.kinds import IMAGE_KINDS, MEDIA_KINDS, TEXT_KINDS

_ZIPPED = {"docx", "xlsx", "pptx", "docm", "xlsm", "pptm", "odt", "ods", "odp", "epub"}
_WORD, _SHEET, _SLIDES = {"doc", "ole", "encrypted-office"}, {"xls", "ole", "encrypted-office"}, {"ppt", "ole"}

EXPECTED = {
    **{extension: frozenset({extension}) for extension in ("pdf", "rtf", "7z", "zip", "rar", "odt", "ods", "odp")},
    **{extension: frozenset(_WORD) for extension in ("doc", "dot")},
    **{extension: frozenset(_SHEET) for extension in ("xls", "xlt")},
    **{extension: frozenset(_SLIDES | {"encrypted-office"}) for extension in ("ppt", "pps")},
    **{extension: frozenset({extension, "encrypted-office"}) for extension in ("docx", "xlsx", "pptx")},
    # A macro lies often beyond the bytes that are sniffed.
    **{
        f"{plain[:-1]}m": frozenset({plain, f"{plain[:-1]}m", "encrypted-office"}) for plain in ("docx", "xlsx", "pptx")
    },
    **dict.fromkeys(("png", "jpg", "jpeg", "gif", "bmp", "tif", "tiff", "webp", "ico", "heic"), IMAGE_KINDS),
    **dict.fromkeys(("mp3", "wav", "avi", "ogg", "flac", "mp4", "mov", "wmv", "wma", "mkv"), MEDIA_KINDS),
    **{extension: TEXT_KINDS | {"data"} for extension in ("txt", "csv", "log", "md", "ics", "vcf", "json")},
    **{extension: frozenset({"html", "text", "xml", "mail"}) for extension in ("html", "htm", "xhtml")},
    "msg": frozenset({"msg", "ole"}),
    "gz": frozenset({"gzip"}),
    "iso": frozenset({"iso"}),
    "exe": frozenset({"pe", "dos"}),
}
"""The kinds that a file of this extension may be. Only for formats that cannot be mistaken."""

EXPECTED_OF_TYPE = {
    **{f"text/{name}": TEXT_KINDS | {"data"} for name in ("plain", "html", "csv", "calendar", "markdown", "xml")},
    **{f"image/{name}": IMAGE_KINDS for name in ("png", "jpeg", "jpg", "gif", "bmp", "tiff", "webp")},
    **{f"audio/{name}": MEDIA_KINDS for name in ("mpeg", "wav", "x-wav", "ogg", "flac", "mp4")},
    **{f"video/{name}": MEDIA_KINDS for name in ("mp4", "mpeg", "quicktime", "x-msvideo", "x-ms-wmv")},
    "application/pdf": EXPECTED["pdf"],
    "application/rtf": EXPECTED["rtf"],
    "application/msword": EXPECTED["doc"] | {"rtf", "docx"},
    "application/vnd.ms-excel": EXPECTED["xls"] | {"xlsx", "text", "html"},
    "application/vnd.ms-powerpoint": EXPECTED["ppt"] | {"pptx"},
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": EXPECTED["docx"],
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": EXPECTED["xlsx"],
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": EXPECTED["pptx"],
    "application/zip": frozenset({"zip", *_ZIPPED}),
}
"""The same for a declared media type; programs declare Office files by old names."""


def contradicted(kind: str, claims: Iterable[str]) -> list[str]:
    """Those of the claims (extensions and media types, in lower case) that a file of this kind cannot meet."""
    if kind == "empty":
        return []
    expected = ((claim, EXPECTED.get(claim) or EXPECTED_OF_TYPE.get(claim)) for claim in claims)
    return [claim for claim, allowed in expected if allowed and kind not in allowed]
