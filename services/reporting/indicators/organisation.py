"""The leading bodies' work, and the bodies that deliberate: 强化组织领导."""

from facts.deliberation.committee import CommitteeDissolved, CommitteeEstablished, Programme
from facts.deliberation.work_record import (
    DocumentIssued,
    LeadershipMeetingHeld,
    LearningSessionHeld,
    MeetingKind,
    WorkRecordWithdrawn,
)
from facts.deliberation.workstation import WorkstationClosed, WorkstationEstablished
from services.reporting.indicators.definition import At, Count, Indicator, Text, Unit

PARTY_COMMITTEE_MEETINGS = Count(
    slug="party-committee-meetings",
    title=Text(zh="党委会", en="Party committee meetings"),
    definition=Text(
        zh="本期召开且未撤销记录的、专题研究协商工作的党委会",
        en="Party committee meetings on this work in the period, no record withdrawn",
    ),
    unit=Unit.TIME,
    of=(LeadershipMeetingHeld,),
    unless=(WorkRecordWithdrawn,),
    where={"kind": (MeetingKind.PARTY_COMMITTEE,)},
)

CADRE_MEETINGS = Count(
    slug="cadre-meetings",
    title=Text(zh="干部职工会", en="Cadre and staff meetings"),
    definition=Text(
        zh="本期召开且未撤销记录的、专题研究协商工作的干部职工会",
        en="Cadre and staff meetings on this work in the period, no record withdrawn",
    ),
    unit=Unit.TIME,
    of=(LeadershipMeetingHeld,),
    unless=(WorkRecordWithdrawn,),
    where={"kind": (MeetingKind.CADRE_STAFF,)},
)

LEADING_GROUP_MEETINGS = Count(
    slug="leading-group-meetings",
    title=Text(zh="领导小组会", en="Leading group meetings"),
    definition=Text(
        zh="本期召开且未撤销记录的协商工作领导小组会",
        en="Meetings of the leading group in the period, no record withdrawn",
    ),
    unit=Unit.TIME,
    of=(LeadershipMeetingHeld,),
    unless=(WorkRecordWithdrawn,),
    where={"kind": (MeetingKind.LEADING_GROUP,)},
)

DOCUMENTS_ISSUED = Count(
    slug="documents-issued",
    title=Text(zh="印发文件", en="Documents issued"),
    definition=Text(
        zh="本期印发且未撤销记录的协商工作文件", en="Documents on this work issued in the period, no record withdrawn"
    ),
    unit=Unit.DOCUMENT,
    of=(DocumentIssued,),
    unless=(WorkRecordWithdrawn,),
)

LEARNING_SESSIONS = Count(
    slug="learning-sessions",
    title=Text(zh="委员学习", en="Learning sessions"),
    definition=Text(
        zh="本期组织且未撤销记录的委员和议事成员学习",
        en="Learning sessions of members held in the period, no record withdrawn",
    ),
    unit=Unit.TIME,
    of=(LearningSessionHeld,),
    unless=(WorkRecordWithdrawn,),
)

WORKSTATIONS = Count(
    slug="workstations",
    title=Text(zh="政协委员工作站", en="CPPCC member workstations"),
    definition=Text(
        zh="期末已建立且未撤销的委员工作站", en="Workstations established and not closed at the period's end"
    ),
    unit=Unit.BODY,
    of=(WorkstationEstablished,),
    unless=(WorkstationClosed,),
    at=At.PERIOD_END,
)

COMMITTEES = Count(
    slug="committees",
    title=Text(zh="协商议事委员会", en="Deliberation committees"),
    definition=Text(
        zh="期末已建立且未撤销的镇村协商议事委员会",
        en="Deliberation committees established and not dissolved at the period's end",
    ),
    unit=Unit.BODY,
    of=(CommitteeEstablished,),
    unless=(CommitteeDissolved,),
    at=At.PERIOD_END,
)

NEIGHBOURHOOD_COMMITTEES = Count(
    slug="neighbourhood-committees",
    title=Text(zh="“党建+邻里”议事委员会", en="Party building + neighbourhood committees"),
    definition=Text(
        zh="期末已建立且未撤销、按“党建+邻里”模式运行的协商议事委员会",
        en="Committees run as party building + neighbourhood, established and not dissolved at the period's end",
    ),
    unit=Unit.BODY,
    of=(CommitteeEstablished,),
    where={"programme": (Programme.PARTY_BUILDING_NEIGHBOURHOOD,)},
    unless=(CommitteeDissolved,),
    at=At.PERIOD_END,
)

INDICATORS: tuple[Indicator, ...] = (
    PARTY_COMMITTEE_MEETINGS,
    CADRE_MEETINGS,
    LEADING_GROUP_MEETINGS,
    DOCUMENTS_ISSUED,
    LEARNING_SESSIONS,
    WORKSTATIONS,
    COMMITTEES,
    NEIGHBOURHOOD_COMMITTEES,
)
