"""`sekisho keys export` and `import`: a ring under a passphrase, to a safe or another machine."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.clock import SystemClock
from gateway.keys import exports
from gateway.keys.exports import Exports
from gateway.model.errors import Refusal
from gateway.statedir import write_durably
from sekisho import place, screen
from sekisho.passphrase import PassphraseFile, passphrase
from sekisho.place import Config, Json, Keys, Quiet, State


def export(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", show_default=False, help="The export; mode 0600.")
    ],
    *,
    passphrase_file: PassphraseFile = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    state: State = None,
    keys: Keys = None,
    config: Config = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write the keys into one file under a passphrase, numbered.

    The ring remembers whose households' keys an export holds, and erase names
    the exports that must be destroyed. Keys of service days and counters are
    in none. Keep it apart from the backups: together they open everything.
    """
    here = place.find(state, keys, config)
    place.refuse_inside(file, here.state)
    place.replaceable("FILE", file, force=force)
    said = passphrase(passphrase_file, twice=True)
    number, sealed = Exports(here.keys.path).make(here.state.id, said, SystemClock().now())
    try:
        write_durably(file.absolute(), sealed, 0o600)
    except OSError as error:
        raise Refusal(f"{file} cannot be written: {error.strerror}.") from error
    if json:
        screen.document({"number": number, "file": str(file.resolve()), "bytes": len(sealed)})
    elif not quiet:
        print(f"{file}  export {number}, {len(sealed):,} bytes. Keep it apart from the backups.")


def import_(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", show_default=False, help="What keys export wrote.")
    ],
    *,
    passphrase_file: PassphraseFile = None,
    state: State = None,
    keys: Keys = None,
    config: Config = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Bring the keys of an export to where a state directory looks for them.

    Keys that are there already stay; where another key lies under the same
    name nothing is imported. Households that were erased here do not come back, nor
    do keys of files whose time was over.
    """
    settings = place.settings_of(config)
    directory, _ = place.find_state(state, config)
    try:
        text = file.read_bytes()
    except OSError as error:
        raise Refusal(f"{file} cannot be read: {error.strerror}.") from error
    head, held = exports.read(text, passphrase(passphrase_file, twice=False))
    if head["id"] != directory.id:
        raise Refusal(
            f"Export {head['number']} holds the keys of another state directory. Name the one they belong to (--state)."
        )
    ring = place.keys_root(directory.path, directory.id, keys, settings) / directory.id
    came, known = exports.put(ring, held)
    if json:
        screen.document({"keys": str(ring), "came": came, "known": known})
    elif not quiet:
        print(f"{ring}  {screen.count(came, 'key')} came, {known} were there.")
        if not known:
            print(
                f"What was taken back after this export was made ({head['made_at'][:16]}) is not known here: consents, "
                "guardians' devices, homes, tokens. Take it back again from your papers before a gateway starts."
            )
