"""Where the files that a configuration names are looked for."""

from pathlib import Path

from gateway.registry.words import nearest
from gateway.settings.document import Document, displayed

SYSTEM = Path("/etc/sekisho")


def find_file(document: Document, name: str) -> Path:
    """The file that `document` names: beside it first, then in /etc/sekisho.

    Raises:
        ValueError: in neither place; the text is a sentence that says where it looked.
    """
    for folder in (document.folder, SYSTEM):
        if (folder / name).is_file():
            return folder / name
    looked = displayed(document.folder).rstrip("/") or "."
    where = "" if Path(name).is_absolute() else f" (looked in {looked}/ and {SYSTEM})"
    beside = sorted(path.name for path in document.folder.glob(f"*{Path(name).suffix}"))
    hint = nearest(name, [other for other in beside if other != document.file.name])
    raise ValueError(f'file "{name}" does not exist{where}.{hint}')
