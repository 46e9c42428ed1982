"""Sessions, their outcomes, and the promises made there."""

from facts.deliberation.commitment import (
    CommitmentCancelled,
    CommitmentClosed,
    CommitmentCompleted,
    CommitmentContested,
    CommitmentDeadlineMoved,
    CommitmentOpened,
)
from facts.deliberation.outcome import OutcomeAdopted, OutcomeSubmitted
from facts.deliberation.session import MinutesSigned, Scale
from services.reporting.indicators.definition import By, Count, Having, Indicator, Rate, Text, Unit

SESSIONS = Count(
    slug="sessions",
    title=Text(zh="协商议事", en="Sessions"),
    definition=Text(zh="本期纪要已签署的协商，按形式", en="Sessions whose minutes were signed in the period, by form"),
    unit=Unit.TIME,
    of=(MinutesSigned,),
    by=By(path="form"),
)

SESSIONS_BY_SCALE = Count(
    slug="sessions-by-scale",
    title=Text(zh="协商议事（按规模）", en="Sessions by scale"),
    definition=Text(zh="本期纪要已签署的协商，按规模", en="Sessions whose minutes were signed in the period, by scale"),
    unit=Unit.TIME,
    of=(MinutesSigned,),
    by=By(path="scale"),
)

SESSIONS_BY_LEVEL = Count(
    slug="sessions-by-level",
    title=Text(zh="协商议事（按层级）", en="Sessions by level"),
    definition=Text(zh="本期纪要已签署的协商，按层级", en="Sessions whose minutes were signed in the period, by level"),
    unit=Unit.TIME,
    of=(MinutesSigned,),
    by=By(path="level"),
)

MICRO_CONSULTATIONS = Count(
    slug="micro-consultations",
    title=Text(zh="小微协商", en="Micro consultations"),
    definition=Text(
        zh="本期纪要已签署的小微协商，按形式", en="Micro consultations whose minutes were signed in the period, by form"
    ),
    unit=Unit.TIME,
    of=(MinutesSigned,),
    where={"scale": (Scale.MICRO,)},
    by=By(path="form"),
)

ATTENDANCES = Count(
    slug="attendances",
    title=Text(zh="参加协商", en="Attendances"),
    definition=Text(
        zh="本期纪要已签署的协商中签到的人次", en="Attendances of the sessions whose minutes were signed in the period"
    ),
    unit=Unit.PERSON,
    of=(MinutesSigned,),
    adding="attendances",
)

CPPCC_ATTENDANCES = Count(
    slug="cppcc-attendances",
    title=Text(zh="政协委员参加协商", en="Attendances of CPPCC members"),
    definition=Text(
        zh="本期纪要已签署的协商中政协委员的人次",
        en="Attendances of CPPCC members in the sessions whose minutes were signed in the period",
    ),
    unit=Unit.PERSON,
    of=(MinutesSigned,),
    adding="cppcc_present",
)

OUTCOMES_SUBMITTED = Count(
    slug="outcomes-submitted",
    title=Text(zh="报送协商成果", en="Outcomes submitted"),
    definition=Text(zh="本期报送的协商成果，按类型", en="Outcomes submitted in the period, by kind"),
    unit=Unit.ITEM,
    of=(OutcomeSubmitted,),
    by=By(path="kind"),
)

ADOPTION_RATE = Rate(
    slug="adoption-rate",
    title=Text(zh="成果采纳率", en="Adoption rate"),
    definition=Text(
        zh="本期报送的协商成果中全部或部分采纳的比例；分母为本期报送数",
        en="Adopted wholly or partly, of the outcomes submitted in the period",
    ),
    numerator=Count(
        slug="outcomes-adopted",
        title=Text(zh="已采纳", en="Adopted"),
        definition=Text(
            zh="本期报送的成果中全部或部分采纳的，不限采纳时间",
            en="Of the outcomes submitted in the period, those adopted wholly or partly since",
        ),
        unit=Unit.ITEM,
        of=(OutcomeAdopted,),
        among=OUTCOMES_SUBMITTED,
    ),
    denominator=OUTCOMES_SUBMITTED,
)

COMMITMENTS_CLOSED = Count(
    slug="commitments-closed",
    title=Text(zh="办结事项", en="Commitments closed"),
    definition=Text(zh="本期经核验办结的承诺事项", en="Promises verified and closed in the period"),
    unit=Unit.ITEM,
    of=(CommitmentClosed,),
)

COMMITMENTS_OPENED = Count(
    slug="commitments-opened",
    title=Text(zh="交办事项", en="Commitments opened"),
    definition=Text(zh="本期交办且未取消的承诺事项", en="Promises made in the period and not cancelled"),
    unit=Unit.ITEM,
    of=(CommitmentOpened,),
    unless=(CommitmentCancelled,),
)

COMMITMENT_CLOSURE_RATE = Rate(
    slug="commitment-closure-rate",
    title=Text(zh="办结率", en="Closure rate"),
    definition=Text(
        zh="本期交办的承诺事项中已办结的比例；分母为本期交办数",
        en="Closed, of the promises made in the period; the denominator is made in the period, not due in it",
    ),
    numerator=Count(
        slug="opened-commitments-closed",
        title=Text(zh="已办结", en="Closed"),
        definition=Text(
            zh="本期交办的事项中已办结的，不限办结时间", en="Of the promises made in the period, those closed since"
        ),
        unit=Unit.ITEM,
        of=(CommitmentClosed,),
        among=COMMITMENTS_OPENED,
    ),
    denominator=COMMITMENTS_OPENED,
)

COMMITMENTS_DUE = Count(
    slug="commitments-due",
    title=Text(zh="到期事项", en="Commitments due"),
    definition=Text(
        zh="办理期限（以最后一次计算为准）在本期内且未取消的承诺事项",
        en="Promises due within the period, as last counted, and not cancelled",
    ),
    unit=Unit.ITEM,
    of=(CommitmentOpened,),
    unless=(CommitmentCancelled,),
    dated="due",
    redated=CommitmentDeadlineMoved,
)

TIMELY_CLOSURE_RATE = Rate(
    slug="timely-closure-rate",
    title=Text(zh="按期办结率", en="Timely closure rate"),
    definition=Text(
        zh="期限在本期内的承诺事项中按期完成并经核验办结的比例；分母为本期到期数",
        en="Done on or before the due time and closed, of the promises due within the period",
    ),
    numerator=Count(
        slug="due-commitments-closed-in-time",
        title=Text(zh="按期办结", en="Closed in time"),
        definition=Text(
            zh="本期到期的事项中按期完成、未被异议推翻并已办结的",
            en="Of the promises due in the period, those done in time, not contested since, and closed",
        ),
        unit=Unit.ITEM,
        of=(CommitmentCompleted,),
        where={"in_time": (True,)},
        having=Having(of=CommitmentClosed),
        unless=(CommitmentContested,),
        among=COMMITMENTS_DUE,
    ),
    denominator=COMMITMENTS_DUE,
)

INDICATORS: tuple[Indicator, ...] = (
    SESSIONS,
    SESSIONS_BY_SCALE,
    SESSIONS_BY_LEVEL,
    MICRO_CONSULTATIONS,
    ATTENDANCES,
    CPPCC_ATTENDANCES,
    OUTCOMES_SUBMITTED,
    ADOPTION_RATE,
    COMMITMENTS_OPENED,
    COMMITMENTS_CLOSED,
    COMMITMENT_CLOSURE_RATE,
    TIMELY_CLOSURE_RATE,
)
