"""NMEA sentences and logs of them: which hold a position, and on which day."""

from datetime import UTC, datetime
from functools import reduce
from operator import xor
from pathlib import Path

import pytest

from gateway.model.errors import Refusal
from gateway.model.instant import from_datetime
from gateway.transports.replay.track_file import read_track
from gateway.wire.nmea import fix

RMC = b"$GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W*6A"
GGA = b"$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47"


def sentence(body: str) -> bytes:
    """A sentence with its checksum."""
    return f"${body}*{reduce(xor, body.encode(), 0):02X}\r\n".encode()


def rmc(time: str, day: str, east: str = "13712.000") -> bytes:
    return sentence(f"GNRMC,{time},A,3654.000,N,{east},E,0.5,,{day},,,A,V")


def gga(time: str, quality: str = "1") -> bytes:
    return sentence(f"GNGGA,{time},3654.000,N,13712.500,E,{quality},12,0.6,10.0,M,37.0,M,,")


def test_the_classic_sentences_are_read() -> None:
    """48 degrees 7.038 minutes is 48.1173; 94 is the last century's."""
    found = fix(RMC)
    assert found is not None
    assert (found.time.isoformat(), str(found.day)) == ("12:35:19", "1994-03-23")
    assert (found.lat, found.lon) == pytest.approx((48.1173, 11.516667), abs=1e-6)
    beside = fix(GGA)
    assert beside is not None
    assert (beside.day, beside.lat, beside.lon) == (None, found.lat, found.lon)


def test_south_and_west_are_negative() -> None:
    found = fix(sentence("GPRMC,000000.250,A,3351.6000,S,15112.6000,W,,,010100,,,A"))
    assert found is not None
    assert (found.lat, found.lon) == pytest.approx((-33.86, -151.21))
    assert (found.time.microsecond, str(found.day)) == (250_000, "2000-01-01")


@pytest.mark.parametrize(
    "line",
    [
        RMC.replace(b"*6A", b"*6B"),
        RMC.replace(b"*6A", b""),
        RMC.replace(b"4807", b"4808"),
        sentence("GNRMC,,V,,,,,,,,,,N,V"),
        sentence("GPRMC,123519,V,4807.038,N,01131.000,E,,,230394,,"),
        sentence("GPRMC,123519,A,4861.000,N,01131.000,E,,,230394,,"),
        sentence("GPRMC,123519,A,4807.038,X,01131.000,E,,,230394,,"),
        sentence("GPRMC,253519,A,4807.038,N,01131.000,E,,,230394,,"),
        sentence("GPRMC,123519,A,4807.038,N,01131.000,E,,,320394,,"),
        sentence("GPRMC,123519,A"),
        sentence("GPGSV,1,1,00"),
        gga("123519", "0"),
        gga("123519", "8"),
        b"\xff\xfe",
        b"",
    ],
)
def test_what_is_no_measured_position_is_none(line: bytes) -> None:
    """Broken on the way, without a fix, off the globe, or made up by the receiver."""
    assert fix(line) is None


def test_a_log_over_midnight_has_both_days(tmp_path: Path) -> None:
    """Only RMC knows the day: what GGA says behind midnight is the next day's, and one moment is one fix."""
    file = tmp_path / "way.nmea"
    file.write_bytes(
        gga("235957")  # no day is known yet
        + rmc("235958", "110526") + gga("235958") + gga("235959.5")
        + sentence("GNGSA,A,3,,,,,,,,,,,,,1,1,1") + gga("000000.5") + rmc("000001", "120526")
        + rmc("000002", "120526").replace(b"3654", b"3655")
    )  # fmt: skip
    found = read_track(file)
    moments = [
        (11, 23, 59, 58, 0),
        (11, 23, 59, 59, 500_000),
        (12, 0, 0, 0, 500_000),
        (12, 0, 0, 1, 0),
    ]
    assert [point.at for point in found.points] == [
        from_datetime(datetime(2026, 5, *moment, tzinfo=UTC)) for moment in moments
    ]
    assert {point.lat for point in found.points} == {36.9}
    assert {round(point.lon, 6) for point in found.points} == {137.2, 137.208333}
    assert found.undated == 2


def test_a_log_without_a_day_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "way.nmea"
    file.write_bytes(gga("235957"))
    with pytest.raises(Refusal, match="no position with a day"):
        read_track(file)
