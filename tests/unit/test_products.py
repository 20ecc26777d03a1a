"""Products of other makers: each says of a published payload what its maker says, in our kind's words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.devices.catalog import catalog
from gateway.devices.codecs import document_of, forwarded_route
from gateway.devices.product import Product, Proof
from gateway.devices.shelf import shelf
from gateway.model.device import Device
from gateway.model.errors import PayloadError
from gateway.model.forwarded import Forwarded
from gateway.model.identity import DeviceId

PROOFS = [
    pytest.param(product, proof, id=f"{name}: {number}")
    for name, product in shelf().items()
    for number, proof in enumerate(product.proofs)
]


@pytest.mark.parametrize(("product", "proof"), PROOFS)
def test_a_product_says_what_its_maker_says(product: Product, proof: Proof) -> None:
    payload = bytes.fromhex(proof.data)
    if proof.rejected:
        with pytest.raises(PayloadError) as refusal:
            product.decode(proof.f_port, payload)
        assert refusal.value.reason.value == proof.rejected
        return
    assert product.decode(proof.f_port, payload) == proof.said


@pytest.mark.parametrize("product", [pytest.param(p, id=n) for n, p in shelf().items()])
def test_a_product_fills_fields_of_its_kinds_and_knows_where_its_proofs_are_from(
    product: Product,
) -> None:
    assert any(proof.said is not None for proof in product.proofs)
    for kind in product.kinds:
        known = {field.name for field in catalog()[kind].fields}
        for proof in product.proofs:
            assert proof.source
            assert known >= (proof.said or {}).keys()


PORTS = sorted({proof.f_port for product in shelf().values() for proof in product.proofs} | {0})
PAYLOADS = st.binary(max_size=60) | st.sampled_from(
    [bytes.fromhex(proof.data) for product in shelf().values() for proof in product.proofs]
).flatmap(
    lambda whole: st.builds(
        lambda at, byte, cut: (whole[:at] + bytes([byte]) + whole[at + 1 :])[:cut],
        st.integers(0, max(len(whole) - 1, 0)),
        st.integers(0, 255),
        st.integers(0, len(whole) + 1),
    )
)


@given(st.sampled_from(sorted(shelf())), st.sampled_from(PORTS), PAYLOADS)
def test_no_payload_makes_a_product_fail_otherwise_than_by_refusing(
    name: str, f_port: int, payload: bytes
) -> None:
    """A law: whatever arrives, there is a document, or a refusal with a reason."""
    product = shelf()[name]
    kind = catalog()[product.kinds[0]]
    device = Device(DeviceId("d-1"), kind.name, "w", 0, attributes={"datum_m": 4.0})
    try:
        said = product.decode(f_port, payload)
        document_of(kind, said, device, 1)
    except PayloadError as refusal:
        assert refusal.detail  # noqa: PT017 no payload must raise, but any may


def route_of(kind: str, codec: str, **attributes: str | float) -> Device:
    return Device(DeviceId("d-1"), kind, "w", 0, attributes={"codec": codec, **attributes})


def test_a_counter_that_does_not_say_how_long_it_counted_has_it_from_the_registry() -> None:
    device = route_of("people_flow_counter", "milesight_vs350", interval_s=600.0)
    route = forwarded_route(device)
    assert route is not None
    uplink = Forwarded(85, 7, "", bytes.fromhex("04cc1200160005cc13001400"), None, None)

    document, _time, counter = route.decode(uplink, device)

    assert (document.towards_count, document.away_count, document.interval_s) == (19, 20, 600)
    assert counter == 7


def test_without_that_fact_its_uplinks_are_refused_by_the_name_of_the_field() -> None:
    device = route_of("people_flow_counter", "milesight_vs350")
    route = forwarded_route(device)
    assert route is not None
    uplink = Forwarded(85, 7, "", bytes.fromhex("04cc1200160005cc13001400"), None, None)

    with pytest.raises(PayloadError, match="interval_s"):
        route.decode(uplink, device)


def test_a_position_that_no_place_on_earth_has_is_out_of_range() -> None:
    """A published example of the Oyster3 says latitude 101."""
    device = route_of("child_tracker", "digital_matter_oyster3")
    route = forwarded_route(device)
    assert route is not None
    uplink = Forwarded(1, 7, "", bytes.fromhex("53ab783c0421f98e940ab3"), None, None)

    with pytest.raises(PayloadError, match="out of range"):
        route.decode(uplink, device)
