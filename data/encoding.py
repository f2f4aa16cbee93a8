"""Which encoding a text file is in: by its mark, else UTF-8 or GB18030 (with it GBK and GB2312)."""

from __future__ import annotations

import codecs
import io
from typing import BinaryIO, TextIO, cast

from data.errors import InputError

UNDECODABLE = "\udcff"  # stands for bytes that are not text in the file's encoding
SAMPLE = 1 << 20  # bytes looked at
ASCII = bytes(range(128))
UNWRITTEN = 0.05  # share of private characters: Big5 read as GB18030 has a tenth and more, GB18030 hardly any
MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32",  # begins as that of UTF-16 does
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    "\ufeff".encode("gb18030"): "gb18030",
}
HANDLER = "yujing.mark"
OPTION = "give its encoding (--encoding big5), or --encoding gb18030 if it is that"


def _mark(error: UnicodeError) -> tuple[str, int]:
    return UNDECODABLE, cast(UnicodeDecodeError, error).end


def decoded(raw: BinaryIO, encoding: str, newline: str) -> TextIO:
    """The file as text; bytes that are none in this encoding are marked UNDECODABLE, not fatal."""
    codecs.register_error(HANDLER, _mark)
    return io.TextIOWrapper(raw, encoding, errors=HANDLER, newline=newline)


def check_encoding(name: str) -> str:
    """The codec's name; InputError when Python has none of this name that reads text (base64 and idna do not)."""
    try:
        found = codecs.lookup(name).name
        decoded(io.BytesIO(b"a"), found, "").read()
    except (LookupError, ValueError):
        raise InputError(f"unknown encoding {name!r}: use utf-8 or gb18030, for example") from None
    return found


def detect(file: BinaryIO, path: str = "the file", remedy: str = OPTION) -> str:
    """Guess from a megabyte, line by line, so that one damaged line does not decide.

    It begins at the first bytes that are not ASCII, which every guess reads alike; where none are it is UTF-8.
    Chinese in GB18030 is hardly ever valid UTF-8, while UTF-8 is often valid GB18030: UTF-8 is asked first.
    InputError where GB18030 makes of it what nobody writes: Big5 is nearly always valid GB18030.
    """
    head = file.read(SAMPLE)
    for mark, name in MARKS.items():
        if head.startswith(mark):
            return name
    head = _from_other_bytes(file, head)
    *lines, last = head.split(b"\n")
    found = [(line, True) for line in lines] + [(last, len(head) < SAMPLE)]  # may be cut in the middle of a character
    found = [(line, whole) for line, whole in found if not line.isascii()]
    other = [line for line, whole in found if not _decodes("utf-8", line, whole) and _decodes("gb18030", line, whole)]
    if len(other) <= sum(_decodes("utf-8", *each) for each in found):
        return "utf-8"
    if _is_unwritten(b"\n".join(other).decode("gb18030", "ignore")):
        raise InputError(f"{path} is neither UTF-8 nor GB18030, perhaps Big5: {remedy}")
    return "gb18030"


def _from_other_bytes(file: BinaryIO, chunk: bytes) -> bytes:
    """A megabyte from the first bytes on that are not ASCII, however far off; less at the end of the file."""
    while chunk.isascii() and chunk:
        chunk = file.read(SAMPLE)
    rest = chunk.lstrip(ASCII)
    return rest + file.read(SAMPLE - len(rest))


def _is_unwritten(text: str) -> bool:
    """Whether a text is full of characters without a meaning (Unicode's private use area)."""
    foreign = [character for character in text if not character.isascii()]
    return sum("\ue000" <= character <= "\uf8ff" for character in foreign) > UNWRITTEN * len(foreign)


def _decodes(encoding: str, line: bytes, whole: bool) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(line, whole)
    except UnicodeDecodeError:
        return False
    return True
