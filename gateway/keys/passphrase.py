"""Keys from what a person knows: scrypt (RFC 7914; N = 2^16, r = 8, p = 1)."""

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from gateway.model.errors import Refusal

LEAST = 12
"""Letters of a passphrase, at least."""
_N, _R, _P = 1 << 16, 8, 1
_SIZE = 32


def stretched(passphrase: str, salt: bytes) -> bytes:
    """32 bytes that nobody has without the passphrase; 64 MiB and a fifth of a second for each guess."""
    return Scrypt(salt=salt, length=_SIZE, n=_N, r=_R, p=_P).derive(passphrase.encode())


def require_long(passphrase: str) -> None:
    """Refuse one that is soon guessed.

    Raises:
        Refusal: it is shorter than `LEAST`.
    """
    if len(passphrase) < LEAST:
        raise Refusal(f"The passphrase is shorter than {LEAST} letters.", exit_code=2)
