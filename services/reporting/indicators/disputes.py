"""Disputes: taken up, agreed, performed; and those that were resolved, by whichever way."""

from facts.deliberation.deliberation import DisputeResolved as ResolvedByDeliberation
from facts.mediation.case import (
    AgreementPerformed,
    AgreementReached,
    CaseAccepted,
    DisputeResolutionRevoked,
)
from facts.mediation.case import DisputeResolved as ResolvedByMediation
from services.reporting.indicators.definition import By, Count, Indicator, Rate, Text, Unit

DISPUTES_RESOLVED = Count(
    slug="disputes-resolved",
    title=Text(zh="化解矛盾纠纷", en="Disputes resolved"),
    definition=Text(
        zh="本期调解达成协议或纠纷类议题协商一致的事项，按来源；一事一计，取最近一次化解；违约而未补正的扣除",
        en=(
            "Matters settled in the period by mediation or, for dispute-type topics, by deliberation, by source; "
            "a matter once, where it was last settled; less those broken and not made good"
        ),
    ),
    unit=Unit.ITEM,
    of=(ResolvedByMediation, ResolvedByDeliberation),
    unless=(DisputeResolutionRevoked,),
    once_a_matter=True,
    by=By(path="source"),
)

DISPUTES_ACCEPTED = Count(
    slug="disputes-accepted",
    title=Text(zh="受理纠纷", en="Disputes accepted"),
    definition=Text(
        zh="本期受理的调解案件，按纠纷类型", en="Mediation cases accepted in the period, by type of dispute"
    ),
    unit=Unit.ITEM,
    of=(CaseAccepted,),
    by=By(path="dispute"),
)

MEDIATION_SUCCESS_RATE = Rate(
    slug="mediation-success-rate",
    title=Text(zh="调解成功率", en="Mediation success rate"),
    definition=Text(
        zh="本期受理的调解案件中达成协议的比例；分母为本期受理数",
        en="Agreed, of the cases accepted in the period; the denominator is accepted in the period",
    ),
    numerator=Count(
        slug="cases-agreed",
        title=Text(zh="达成协议", en="Agreed"),
        definition=Text(
            zh="本期受理的案件中达成协议的，不限时间", en="Of the cases accepted in the period, those agreed since"
        ),
        unit=Unit.ITEM,
        of=(AgreementReached,),
        among=DISPUTES_ACCEPTED,
    ),
    denominator=DISPUTES_ACCEPTED,
)

AGREEMENTS_DUE = Count(
    slug="agreements-due",
    title=Text(zh="应履行协议", en="Agreements due"),
    definition=Text(zh="履行日期在本期内的调解协议", en="Agreements to be performed by a day within the period"),
    unit=Unit.ITEM,
    of=(AgreementReached,),
    dated="perform_by",
)

PERFORMANCE_RATE = Rate(
    slug="performance-rate",
    title=Text(zh="协议履行率", en="Performance rate"),
    definition=Text(
        zh="履行日期在本期内的调解协议中已履行的比例；分母为本期应履行数",
        en="Performed, of the agreements to be performed by a day within the period",
    ),
    numerator=Count(
        slug="due-agreements-performed",
        title=Text(zh="已履行", en="Performed"),
        definition=Text(
            zh="本期应履行的协议中已履行的，不限时间", en="Of the agreements due in the period, those performed"
        ),
        unit=Unit.ITEM,
        of=(AgreementPerformed,),
        among=AGREEMENTS_DUE,
    ),
    denominator=AGREEMENTS_DUE,
)

INDICATORS: tuple[Indicator, ...] = (
    DISPUTES_RESOLVED,
    DISPUTES_ACCEPTED,
    MEDIATION_SUCCESS_RATE,
    PERFORMANCE_RATE,
)
