"""Who may speak: the parts of `sekisho devices` that give tokens, and take the word away or give it back."""

from typing import Annotated

import typer

from gateway.model.errors import Refusal
from sekisho import place, screen
from sekisho.following import follow
from sekisho.place import Config, Json, Keys, Quiet, State

Device = Annotated[str, typer.Argument(metavar="DEVICE", show_default=False)]
Credential = Annotated[str, typer.Argument(metavar="CREDENTIAL", show_default=False)]


def token(
    credential: Credential,
    *,
    speaks_for: Annotated[
        list[str],
        typer.Option(
            "--for", metavar="DEVICE", help="Let it speak for this device too; again for more."
        ),
    ] = [],  # noqa: B006 - typer reads it, nobody writes it
    state: State = None,
    keys: Keys = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Give a credential a new token; the one before opens nothing any more. --for makes a new one."""
    here = place.find(state, keys, config)
    now = here.clock.now()
    with here.registry() as registry, registry.change():
        for device in speaks_for:
            registry.device(device)
        if speaks_for and credential not in registry.credentials():
            issued = registry.put_credential(credential, speaks_for, at=now)
        else:
            for device in speaks_for:
                registry.allow(credential, device, now)
            issued = registry.renew_token(credential, now)
    follow(here.state)
    if json:
        screen.document({"user": credential, "token": issued})
        return
    screen.facts([("user", credential), ("token", f"{issued}  (shown once, kept nowhere)")])


def revoke(
    device: Device,
    *,
    state: State = None,
    keys: Keys = None,
    config: Config = None,
    quiet: Quiet = False,
) -> None:
    """Silence a device: it is treated as unknown from now on; its rows stay."""
    here = place.find(state, keys, config)
    with here.registry() as registry:
        registry.revoke(device, here.clock.now())
    followed = follow(here.state)
    if not quiet:
        print(f"{device} may not speak any more. {followed.sentence}")


def restore(
    device: Device,
    *,
    state: State = None,
    keys: Keys = None,
    config: Config = None,
    quiet: Quiet = False,
) -> None:
    """Let a revoked device speak again."""
    here = place.find(state, keys, config)
    with here.registry() as registry:
        if not registry.restore(device, here.clock.now()):
            raise Refusal(f"{device} is not revoked, so there is nothing to restore.")
    followed = follow(here.state)
    if not quiet:
        print(f"{device} may speak again. {followed.sentence}")


def revoke_credential(
    credential: Credential,
    *,
    state: State = None,
    keys: Keys = None,
    config: Config = None,
    quiet: Quiet = False,
) -> None:
    """Let nobody in as a credential, by token or certificate, and end its connections.

    Its devices stay registered. sekisho devices token lets it in again, with a new token.
    """
    here = place.find(state, keys, config)
    with here.registry() as registry:
        registry.revoke_credential(credential, here.clock.now())
    followed = follow(here.state)
    if not quiet:
        print(f"Nobody comes in as {credential} any more. {followed.sentence}")
