"""What a shell offers for words that only Sekisho knows (`sekisho --install-completion`)."""

from gateway.devices.catalog import catalog


def kinds(incomplete: str) -> list[str]:
    """Shipped kinds that begin so."""
    return [name for name in catalog() if name.startswith(incomplete)]
