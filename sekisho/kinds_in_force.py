"""The declared kinds that a state directory lives with: copied into it at `run`, so that every verb knows them."""

import os
from pathlib import Path

from gateway.devices.catalog import declare, declared
from gateway.model.errors import Refusal
from gateway.settings.complaints import SettingsError
from gateway.settings.kinds import declarations_in, read_kind
from gateway.settings.settings import Settings
from gateway.statedir import StateDir, sync_directory, write_durably
from gateway.stores.sqlite_file import SqliteFile

_UNWANTED = "If this kind is not wanted any more, remove the file."


def know(folder: Path) -> None:
    """Take the kinds that a folder declares into the catalog, but for those that are there already.

    Raises:
        SettingsError: one of its files is not a declaration, or wants the port of another kind.
    """
    complaints = []
    for file in declarations_in(folder):
        if file.stem in declared():
            continue
        kind, faults = read_kind(file)
        complaints += [fault._replace(sentence=f"{fault.sentence} {_UNWANTED}") for fault in faults]
        if kind is not None:
            declare([kind])
    if complaints:
        raise SettingsError(complaints)


def keep(state: StateDir, settings: Settings) -> None:
    """Make the tables of a configuration's kinds, then copy their files; what was kept before stays.

    The table comes first: a declaration that does not fit what is stored is refused before anything
    reads by it.

    Raises:
        Refusal: see `gateway.stores.declared.fit`.
    """
    if not settings.kinds:
        return
    SqliteFile(state.city_db, "city").close()
    try:
        if not state.kinds_dir.exists():
            state.kinds_dir.mkdir(mode=0o750)
            sync_directory(state.path)
        for one in settings.kinds:
            copy, said = state.kinds_dir / f"{one.kind.name}.yaml", one.file.read_bytes()
            if not copy.exists() or copy.read_bytes() != said:
                write_durably(copy, said, 0o640)
    except OSError as error:
        raise Refusal(
            f"{state.kinds_dir} cannot be written ({os.strerror(error.errno or 0)}). It must belong to "
            "the user who runs the gateway."
        ) from error
