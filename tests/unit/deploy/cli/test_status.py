"""What `shangyi status` shows: one word on how all is, one row a service, and a sentence for whatever is not well."""

import pytest
from rich.console import Console

from deploy.cli.status import Mood, Seen, mood, picture
from eventlog.vitals import Behind, Fence, Vitals
from web.lookout import PoolUse, Working

VITALS = Vitals(
    drawn=1_234, settled=1_234, fence=None, ahead=0, timers_due=0, timers_late=0, first_due=None, refusals=0, works=()
)
RELAY = Behind(
    name="relay/shangyi.intake",
    consumer=None,
    source="shangyi.intake",
    position=9,
    token=0,
    led=True,
    facts=0,
    seconds=None,
)


def takes_in(source: str) -> Behind:
    return RELAY.model_copy(update={"name": f"consumer/reactions/{source}", "consumer": "reactions", "source": source})


def working(*works: Behind, stuck: tuple[str, ...] = (), kafka: bool = True, **changes: object) -> Working:
    return Working(
        working=not stuck,
        stuck=stuck,
        halted={},
        kafka=kafka,
        keys_waiting=0,
        pool=PoolUse(limit=8, open=1, idle=1),
        vitals=VITALS.model_copy(update={**changes, "works": works}),
    )


INTAKE = working(RELAY, takes_in("log"), takes_in("shangyi.mediation"))
MEDIATION = working(RELAY.model_copy(update={"source": "shangyi.mediation"}), takes_in("shangyi.intake"))
REPORTING = working(takes_in("shangyi.intake"), takes_in("shangyi.mediation"))
WELL: Seen = {"intake": INTAKE, "mediation": MEDIATION, "reporting": REPORTING}


def shown(seen: Seen) -> list[str]:
    """The picture's lines, without the spaces that align it."""
    console = Console(width=100, color_system=None)
    with console.capture() as captured:
        console.print(picture(seen))
    return [" ".join(line.split()) for line in captured.get().splitlines() if line.strip()]


class TestPicture:
    def test_of_rest_is_quiet(self) -> None:
        assert shown(WELL) == [
            "● 商议 all is well, nothing is left to do",
            "facts →topic ←itself ←intake ←mediation",
            "intake 1,234 even even – even",
            "mediation 1,234 even – even –",
            "reporting – – – even even",
        ]

    def test_of_work_counts_what_waits_and_for_how_long(self) -> None:
        relay = RELAY.model_copy(update={"facts": 1_200, "seconds": 4.25})
        of_a_topic = takes_in("shangyi.mediation").model_copy(update={"facts": 3, "stalled": 12.0})
        seen = {**WELL, "intake": working(relay, takes_in("log"), of_a_topic)}
        lines = shown(seen)
        assert lines[0] == "● 商议 all is well, work is on its way"
        assert lines[2] == "intake 1,234 1,200 · 4.2 s even – 3 · 12 s"

    def test_of_trouble_says_what_is_wrong(self) -> None:
        stuck = RELAY.model_copy(update={"facts": 3, "seconds": 400.0, "stalled": 60.0, "led": False})
        intake = working(
            stuck,
            takes_in("log").model_copy(update={"led": False}),
            takes_in("shangyi.mediation").model_copy(update={"facts": None}),
            stuck=("relay/shangyi.intake has stood still for 60 s, facts waiting: 3",),
            kafka=False,
            timers_due=2,
            timers_late=9_000.0,
            fence=Fence(pid=4711, seconds=12.0),
            refusals=1,
            parked=2,
        )
        assert shown({**WELL, "intake": intake, "reporting": None}) == [
            "● 商议 somebody should have a look",
            "facts →topic ←itself ←intake ←mediation",
            "intake 1,234 3 · 7 min nobody – unknown",
            "mediation 1,234 even – even –",
            "reporting –",
            "intake: 2 timers due, for 2 h, an append open for 12 s (server process 4711), 1 command refused, 2",
            "streams parked",
            "intake: relay/shangyi.intake has stood still for 60 s, facts waiting: 3",
            "intake: what is parked waits for a repair",
            "reporting does not answer",
        ]

    def test_of_a_lost_database_shows_no_old_figures(self) -> None:
        lost = INTAKE.model_copy(update={"vitals": None, "working": False, "stuck": ("the database does not answer",)})
        assert "intake –" in shown({**WELL, "intake": lost})


@pytest.mark.parametrize(
    ("intake", "expected"),
    [
        (INTAKE, Mood.REST),
        (working(RELAY.model_copy(update={"facts": 1})), Mood.WORK),
        (working(RELAY, timers_due=1), Mood.WORK),
        (INTAKE.model_copy(update={"keys_waiting": 1}), Mood.WORK),
        (working(RELAY, kafka=False), Mood.DOUBT),
        (working(RELAY, stuck=("it stands still",)), Mood.TROUBLE),
        (working(RELAY, parked=1), Mood.TROUBLE),
        (None, Mood.TROUBLE),
    ],
)
def test_the_mood_is_that_of_the_worst(intake: Working | None, expected: Mood) -> None:
    assert mood({**WELL, "intake": intake}) is expected
