"""Keyed names: against values worked out with hashlib alone, and what must make them differ."""

from hashlib import blake2b
from struct import pack

import pytest

from gateway.privacy.pseudonym import FileNames, speaker, tag_pseudonym

KEY = bytes(range(32))
DIGEST = bytes.fromhex("0011223344556677")


def test_an_identity_is_the_keyed_hash_of_its_parts() -> None:
    said = (
        b"\x00\x07child-1" + b"\x00" + b"\x01" + pack(">q", 41) + DIGEST
        + b"\x01" + pack(">q", 1_770_000_000_000_000) + b"\x00\x02"
    )  # fmt: skip
    expected = blake2b(said, key=KEY, digest_size=16, person=b"row").digest()
    names = FileNames("store-2026-W20", KEY)
    assert names.identity(speaker("child-1"), 41, DIGEST, 1_770_000_000_000_000, 2) == expected


def test_every_part_counts_and_absence_is_not_zero() -> None:
    names, other = FileNames("a", KEY), FileNames("a", bytes(32))
    who = speaker("child-1")
    made = [
        names.identity(who, 0, DIGEST, 0, 0),
        names.identity(who, None, DIGEST, 0, 0),
        names.identity(who, 0, DIGEST, None, 0),
        names.identity(who, None, DIGEST, None, 0),
        names.identity(who, 0, DIGEST[::-1], 0, 0),
        names.identity(who, 0, DIGEST, 0, 1),
        names.identity(speaker("child-2"), 0, DIGEST, 0, 0),
        other.identity(who, 0, DIGEST, 0, 0),
    ]
    assert len(set(made)) == len(made)
    assert {len(identity) for identity in made} == {16}


def test_a_child_is_named_by_household_and_device_together() -> None:
    names = FileNames("a", KEY)
    assert names.child("h-1", "c-2") == names.child("h-1", "c-2")
    made = {names.child("h-1", "c-2"), names.child("h-1c", "-2"), names.child("h-", "1c-2")}
    assert len(made) == 3
    assert FileNames("b", bytes(32)).child("h-1", "c-2") not in made


def test_a_tag_is_named_by_the_day() -> None:
    tag = "30751FEB705C5904E3D50D70"
    assert tag_pseudonym(KEY, tag) == tag_pseudonym(KEY, tag)
    assert tag_pseudonym(KEY, tag) != tag_pseudonym(bytes(32), tag)
    assert tag_pseudonym(KEY, tag) != tag_pseudonym(KEY, tag[:-1] + "1")


def test_parts_that_do_not_fit_raise_and_so_suppress() -> None:
    import struct

    with pytest.raises(struct.error):
        FileNames("a", KEY).identity(b"", 2**70, DIGEST, None, 0)
