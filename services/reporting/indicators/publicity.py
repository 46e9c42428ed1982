"""Publicity: 广泛宣传动员."""

from facts.deliberation.work_record import PublicityRecorded
from services.reporting.indicators.definition import By, Count, Indicator, Text, Unit

PUBLICITY = Count(
    slug="publicity",
    title=Text(zh="宣传活动", en="Publicity"),
    definition=Text(zh="本期记录的宣传活动，按“三个带头”", en="Publicity recorded in the period, by who took the lead"),
    unit=Unit.TIME,
    of=(PublicityRecorded,),
    by=By(path="lead"),
)

INDICATORS: tuple[Indicator, ...] = (PUBLICITY,)
