"""Names for files that people save: readable in any script, harmless on any system."""

import re
import unicodedata

MOST_CHARACTERS = 80
_FORBIDDEN = re.compile(r'[<>:"/\\|?*%;`$!{}\[\]~^&\']+')
_RESERVED = re.compile(r"(?i)^(con|prn|aux|nul|com\d|lpt\d)$")


def filename_for(title: str, external_id: str, extension: str) -> str:
    """`<title> <id>.<extension>`: no separators, controls, invisible or direction marks, no device names; never empty."""
    text = unicodedata.normalize("NFC", title.encode("utf-8", "ignore").decode())
    # Letters with their marks, numbers, punctuation and symbols; not controls, formats (direction marks), surrogates.
    text = "".join(char if unicodedata.category(char)[0] != "C" else " " for char in text)
    text = " ".join(_FORBIDDEN.sub(" ", text).replace("#", " ").split()).strip(". -")[:MOST_CHARACTERS].strip(". -")
    if _RESERVED.match(text):
        text = ""
    plain_id = re.sub(r"[^A-Za-z0-9_-]+", "-", external_id)[:60].strip("-") or "video"
    return f"{text} {plain_id}.{extension}".strip()
