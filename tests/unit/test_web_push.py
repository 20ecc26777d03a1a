"""Messages to a guardian's device: the standard's own example, byte for byte, and nothing told by length."""

import base64
import json
import secrets

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    derive_private_key,
    generate_private_key,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from gateway.privacy.web_push import LENGTH, Subscription, padded, sealed


def octets(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def private(text: str) -> EllipticCurvePrivateKey:
    return derive_private_key(int.from_bytes(octets(text), "big"), SECP256R1())


def test_the_example_of_rfc_8291_section_5() -> None:
    """Keys, salt, secret and body are the RFC's."""
    theirs = octets(
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
    )
    subscription = Subscription("https://push.example/x", theirs, octets("BTBZMqHH6r4Tts7J_aSIgg"))
    own = private("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")
    content = b"When I grow up, I want to be a watermelon\x02"
    body = sealed(subscription, content, own, octets("DGv6ra1nlYgDCS1FRnbzlw"))
    assert body == octets(
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_"
        "yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


def opened(body: bytes, device: EllipticCurvePrivateKey, auth: bytes) -> bytes:
    """What the device of a subscription reads, by RFC 8291 §3.4 and RFC 8188 §2, written apart."""
    salt, size, ours = body[:16], body[20], body[21:86]
    assert size == 65
    theirs = device.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    shared = device.exchange(ECDH(), EllipticCurvePublicKey.from_encoded_point(SECP256R1(), ours))
    secret = HKDF(SHA256(), 32, auth, b"WebPush: info\0" + theirs + ours).derive(shared)
    key = HKDF(SHA256(), 16, salt, b"Content-Encoding: aes128gcm\0").derive(secret)
    nonce = HKDF(SHA256(), 12, salt, b"Content-Encoding: nonce\0").derive(secret)
    return AESGCM(key).decrypt(nonce, body[86:], None).rstrip(b"\0")[:-1]


@pytest.mark.channel("C35")
@given(word=st.sampled_from(["place", "near_home", "unknown"]), name=st.text(max_size=30))
def test_every_message_has_one_length_and_opens_at_its_device_alone(word: str, name: str) -> None:
    device, other = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())
    public = device.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    subscription = Subscription("https://push.example/x", public, secrets.token_bytes(16))
    said = {"state": word, "name": name}
    body = sealed(
        subscription, padded(said), generate_private_key(SECP256R1()), secrets.token_bytes(16)
    )
    assert len(body) == 86 + LENGTH + 16
    assert json.loads(opened(body, device, subscription.auth)) == said
    with pytest.raises(Exception, match=r"^$"):
        opened(body, other, subscription.auth)


def test_what_would_stand_out_is_refused() -> None:
    with pytest.raises(ValueError, match="stand out"):
        padded({"state": "x" * LENGTH})
    own = generate_private_key(SECP256R1())
    for subscription, salt in (
        (Subscription("https://x", bytes(65), bytes(16)), bytes(16)),
        (Subscription("https://x", bytes(64), bytes(16)), bytes(16)),
        (Subscription("https://x", bytes(65), bytes(15)), bytes(16)),
    ):
        with pytest.raises(ValueError, match=r".+"):
            sealed(subscription, b"x\x02", own, salt)
