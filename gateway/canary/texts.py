"""Tags, keys, names and tokens: as bytes, reversed, in hex, in base64 and in wide letters."""

import base64
from collections.abc import Iterator

from gateway.canary.needles import Fixed


def of_text(data: bytes, canary: str) -> Iterator[Fixed]:
    """Every form of one tag or word, each of which counts alone."""
    forms = [("bytes", data), ("bytes reversed", data[::-1])]
    forms += [("hex", data.hex().encode()), ("hex", data.hex().upper().encode())]
    for phase, text in enumerate(_base64(data)):
        forms.append((f"base64 phase {phase}", text))
        url = text.translate(bytes.maketrans(b"+/", b"-_"))
        if url != text:
            forms.append((f"base64 phase {phase}", url))
    try:
        wide = data.decode()
    except UnicodeDecodeError:
        pass
    else:
        forms += [("UTF-16 LE", wide.encode("utf-16-le")), ("UTF-16 BE", wide.encode("utf-16-be"))]
    for coat, form in dict.fromkeys(forms):
        yield Fixed(form, max(0, len(form) - 4), coat, canary)


def _base64(data: bytes) -> Iterator[bytes]:
    """The letters that do not depend on what stands before and behind, for each of three alignments."""
    for before in range(3):
        text = base64.b64encode(bytes(before) + data).rstrip(b"=")
        first = -(-before * 4 // 3)
        whole = (before + len(data)) * 8 // 6
        yield text[first:whole]
