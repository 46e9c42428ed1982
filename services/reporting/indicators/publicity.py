"""Publicity: 广泛宣传动员."""

from facts.deliberation.work_record import PublicityRecorded, WorkRecordWithdrawn
from services.reporting.indicators.definition import By, Count, Indicator, Text, Unit

PUBLICITY = Count(
    slug="publicity",
    title=Text(zh="宣传活动", en="Publicity"),
    definition=Text(
        zh="本期开展且未撤销记录的宣传活动，按“三个带头”",
        en="Publicity of the period, no record withdrawn, by who took the lead",
    ),
    unit=Unit.TIME,
    of=(PublicityRecorded,),
    unless=(WorkRecordWithdrawn,),
    by=By(path="lead"),
)

INDICATORS: tuple[Indicator, ...] = (PUBLICITY,)
