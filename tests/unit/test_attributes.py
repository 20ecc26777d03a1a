"""What people write about a device, and what the registry keeps of it."""

import pytest

from gateway.devices.catalog import catalog
from gateway.registry.attributes import attribute_faults, read

GAUGE = catalog()["river_gauge"]


@pytest.mark.parametrize(
    "label", ["70b3d57ed0000001", "70B3D57ED0000001", "70-B3-D5-7E-D0-00-00-01", "70:b3:d5:7e:d0:00:00:01", "70B3 D57E D000 0001"]
)  # fmt: skip
def test_a_deveui_may_be_written_as_its_label_has_it(label: str) -> None:
    """Upper case and what stands between the bytes are the printer's; one device has one DevEUI."""
    assert read(GAUGE, "dev_eui", label) == ("dev_eui", "70b3d57ed0000001")


@pytest.mark.parametrize("wrong", ["70b3d57ed000001", "70b3d57ed00000011", "70b3d57ed000000g"])
def test_another_number_of_digits_is_no_deveui(wrong: str) -> None:
    """The sentence says what is needed, not what was given."""
    name, value = read(GAUGE, "dev_eui", wrong)
    faults = attribute_faults(GAUGE, {"datum_m": 4.2, name: value})
    assert faults == {"dev_eui": "sixteen hexadecimal digits are needed here."}
