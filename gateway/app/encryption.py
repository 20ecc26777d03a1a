"""TLS of a door: its certificate, whose client certificates it believes, and what fails at the handshake."""

import logging
import ssl
from pathlib import Path
from typing import Any

from gateway.model.errors import Refusal
from gateway.telemetry import Facts


def server_context(
    door: str,
    certificate: Path,
    key: Path,
    facts: Facts,
    *,
    client_ca: Path | None = None,
    clients_required: bool = False,
) -> ssl.SSLContext:
    """Server side TLS, 1.2 at least.

    Args:
        door: its name, for sentences.
        client_ca: PEM file of the authorities whose client certificates are believed; None asks for none.
        clients_required: whether nobody comes in without one.

    Raises:
        Refusal: a file cannot be read, or certificate and key do not belong together.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(str(certificate), str(key), password=lambda: b"")
    except (OSError, ssl.SSLError) as error:
        raise Refusal(
            f"Door {door}: the certificate {certificate} with its key cannot be used "
            f"({error.strerror or error}). Check that both are PEM files and belong together."
        ) from error
    if client_ca is not None:
        try:
            context.load_verify_locations(str(client_ca))
        except (OSError, ssl.SSLError) as error:
            raise Refusal(
                f"Door {door}: {client_ca} cannot be used as authority of client certificates "
                f"({error.strerror or error}). It must be a PEM file with CA certificates."
            ) from error
        context.verify_mode = ssl.CERT_REQUIRED if clients_required else ssl.CERT_OPTIONAL
    context.sslobject_class = _observed(facts)
    return context


def _observed(facts: Facts) -> type[ssl.SSLObject]:
    """The event loop drops a failed handshake without a word; this tells of it first."""

    class Observed(ssl.SSLObject):
        def do_handshake(self) -> Any:
            try:
                return super().do_handshake()
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                raise
            except ssl.SSLError as error:
                facts.note(
                    "tls refused", f"A TLS handshake failed: {error.reason}", logging.WARNING
                )
                raise

    return Observed
