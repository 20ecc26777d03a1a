"""What `doctor` may remember: bounded, in memory, and of people's devices no more than the day."""

from gateway.model.identity import DeviceId
from gateway.model.instant import DAY, HOUR, SECOND
from gateway.model.reason import Reason
from gateway.recent import Recent
from tests.fakes.readings import NOON

RIVER = DeviceId("river-1")


def test_the_last_twenty_knocks_are_kept() -> None:
    """Whoever knocks without end fills no memory."""
    recent = Recent()
    for n in range(10_000):
        recent.turned_away(NOON + n, f"user-{n}", "BAD_CREDENTIALS")

    assert [knock["user"] for knock in recent.answer()["knocks"]] == [
        f"user-{n}" for n in range(9_980, 10_000)
    ]


def test_the_same_knock_again_only_renews_its_time() -> None:
    """A device with a wrong token tries every second; the others stay on the list."""
    recent = Recent()
    recent.turned_away(NOON, "one", "BAD_CREDENTIALS")
    for n in range(100):
        recent.turned_away(NOON + n, "two", "BAD_CREDENTIALS")

    knocks = recent.answer()["knocks"]
    assert [(knock["user"], knock["at"]) for knock in knocks] == [("one", NOON), ("two", NOON + 99)]


def test_two_that_knock_in_turns_fill_no_list() -> None:
    """Each stands there once, with its last time; whoever knocked before them stays."""
    recent = Recent()
    recent.turned_away(NOON, "one", "BAD_CREDENTIALS")
    for n in range(1, 100):
        recent.turned_away(NOON + n, f"user-{n % 2}", "BAD_CREDENTIALS")

    knocks = recent.answer()["knocks"]
    assert [knock["user"] for knock in knocks] == ["one", "user-0", "user-1"]
    assert [knock["at"] for knock in knocks] == [NOON, NOON + 98, NOON + 99]


def test_who_came_in_after_a_refusal_is_shut_out_no_more() -> None:
    """Whether the last word was a refusal is said, also of those of whom no time is said."""
    recent = Recent()
    recent.turned_away(NOON, "child-1", "BAD_CREDENTIALS")
    assert recent.answer({"child-1"})["shut_out"] == ["child-1"]
    recent.came_in(NOON + 1, "child-1")
    recent.came_in(NOON + 1, "river-1")

    answer = recent.answer({"child-1"})
    assert answer["shut_out"] == []
    assert answer["connected"] == {"child-1": None, "river-1": NOON + 1}


def test_a_stranger_s_text_is_cut_and_harmless() -> None:
    """A user name or topic is somebody else's words: no control sequence reaches a terminal."""
    recent = Recent()
    recent.turned_away(NOON, "\x1b[2J" + "x" * 9_000, "unknown topic", "a\nb")

    ((knock),) = recent.answer()["knocks"]
    assert knock["user"].startswith("?[2Jxx")
    assert len(knock["user"]) == 120
    assert knock["topic"] == "a?b"


def test_connections_are_remembered_of_so_many_credentials_and_no_more() -> None:
    """The oldest goes."""
    recent = Recent()
    for n in range(5_000):
        recent.came_in(NOON + n, f"user-{n}")

    assert len(recent.connected) == 4_096
    assert "user-0" not in recent.connected
    assert recent.connected["user-4999"] == NOON + 4_999


def test_likeness_is_asked_once_a_second_of_a_device() -> None:
    """Nonsense without end costs one look at the other kinds a second; another fault costs another."""
    recent, asked = Recent(), []
    for at in (0, 1, SECOND - 1):
        recent.rejected(RIVER, NOON + at, "undecodable", "document", lambda: asked.append(1))
    recent.rejected(RIVER, NOON + 2, "out of range", "stage_m", lambda: asked.append(2))
    recent.rejected(RIVER, NOON + 3 * SECOND, "out of range", "stage_m", lambda: asked.append(3))

    assert asked == [1, 2, 3]


def test_coarse_means_heard_today_and_nothing_else() -> None:
    """What the mask said, and when, are not in the answer: not even as an empty field."""
    recent = Recent()
    for verdict in (Reason.INSIDE_HOME, None):
        recent.seen[RIVER] = (NOON, NOON, verdict)
        assert recent.of_device(RIVER, NOON - HOUR, coarse=True) == {"heard_today": True}
    assert recent.of_device(RIVER, NOON + DAY, coarse=True) == {"heard_today": False}
    assert recent.of_device(DeviceId("other"), NOON, coarse=True) == {"heard_today": False}


def test_in_simulated_time_the_order_of_knocks_and_arrivals_is_kept() -> None:
    """Many share one instant there: who came in after being turned away is not shut out."""
    recent = Recent(exact=True)
    recent.turned_away(NOON, "fleet", "BAD_CREDENTIALS")
    assert recent.answer()["shut_out"] == ["fleet"]
    recent.came_in(NOON, "fleet")
    assert recent.answer()["shut_out"] == []
    recent.turned_away(NOON, "fleet", "BAD_CREDENTIALS")
    assert recent.answer()["shut_out"] == ["fleet"]
