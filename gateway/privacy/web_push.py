"""Messages that one guardian's device alone can open: RFC 8291 (Message Encryption for Web Push) over RFC 8188.

Every message of this gateway has the same length, so that nobody on its way can tell a place from a word.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

LENGTH = 512
"""Octets of a message before it is encrypted, its padding included."""
_RECORD = 4096
_LAST = b"\x02"
_AUTH, _SALT = 16, 16


class Subscription(NamedTuple):
    """Where a device is reached and with which keys: what a browser's PushSubscription says.

    Attributes:
        endpoint: an https address of its push service.
        p256dh: its public key, 65 octets (X9.62 uncompressed).
        auth: its secret, 16 octets.
    """

    endpoint: str
    p256dh: bytes
    auth: bytes

    def __repr__(self) -> str:
        return "<subscription>"


def padded(said: Mapping[str, Any]) -> bytes:
    """A message as JSON, filled up to `LENGTH` octets.

    Raises:
        ValueError: it is longer.
    """
    text = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
    if len(text) >= LENGTH:
        raise ValueError("a message of this length would stand out")
    return text + _LAST + bytes(LENGTH - len(text) - 1)


def sealed(
    subscription: Subscription, content: bytes, own: EllipticCurvePrivateKey, salt: bytes
) -> bytes:
    """The body of a push message (`Content-Encoding: aes128gcm`): one record.

    Args:
        content: the message with its delimiter and padding (RFC 8188 §2).
        own: a key pair for this message alone.
        salt: 16 octets, for this message alone.

    Raises:
        ValueError: the subscription's key is no point on the curve, or a length is wrong.
    """
    if len(salt) != _SALT or len(subscription.auth) != _AUTH or len(content) + 16 > _RECORD:
        raise ValueError("a salt or a secret of another length, or too long a message")
    theirs = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), subscription.p256dh)
    ours = own.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    info = b"WebPush: info\0" + subscription.p256dh + ours
    secret = HKDF(SHA256(), 32, subscription.auth, info).derive(own.exchange(ECDH(), theirs))
    key = HKDF(SHA256(), 16, salt, b"Content-Encoding: aes128gcm\0").derive(secret)
    nonce = HKDF(SHA256(), 12, salt, b"Content-Encoding: nonce\0").derive(secret)
    head = salt + _RECORD.to_bytes(4, "big") + len(ours).to_bytes(1, "big") + ours
    return head + AESGCM(key).encrypt(nonce, content, None)
