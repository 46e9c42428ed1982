"""What people said, and the issues it was screened into."""

from facts.intake.issue import (
    IssueAdmitted,
    IssueClassified,
    IssueClosed,
    IssueRefused,
    IssueRegistered,
    IssueWithdrawn,
)
from facts.intake.submission import SubmissionMerged, SubmissionReceived, SubmissionWithdrawn
from services.reporting.indicators.definition import By, Count, Having, Indicator, Rate, Text, Unit

OPINIONS_COLLECTED = Count(
    slug="opinions-collected",
    title=Text(zh="收集意见", en="Opinions collected"),
    definition=Text(
        zh="本期收到的意见诉求，含重复和撤回的，按渠道",
        en="Submissions received in the period, repeated and withdrawn ones included, by channel",
    ),
    unit=Unit.ENTRY,
    of=(SubmissionReceived,),
    by=By(path="channel"),
)

OPINIONS_DEDUPLICATED = Count(
    slug="opinions-deduplicated",
    title=Text(zh="去重后意见", en="Opinions, deduplicated"),
    definition=Text(
        zh="本期收到、未并入他条也未撤回的意见诉求，按渠道",
        en="Submissions received in the period and neither merged into another nor withdrawn, by channel",
    ),
    unit=Unit.ENTRY,
    of=(SubmissionReceived,),
    unless=(SubmissionMerged, SubmissionWithdrawn),
    by=By(path="channel"),
)

OPINIONS_WITHDRAWN = Count(
    slug="opinions-withdrawn",
    title=Text(zh="撤回意见", en="Opinions withdrawn"),
    definition=Text(zh="本期撤回的意见诉求", en="Submissions withdrawn in the period"),
    unit=Unit.ENTRY,
    of=(SubmissionWithdrawn,),
)

ISSUES_REGISTERED = Count(
    slug="issues-registered",
    title=Text(zh="登记问题", en="Issues registered"),
    definition=Text(zh="本期登记且未撤回的问题", en="Issues registered in the period and not withdrawn"),
    unit=Unit.ITEM,
    of=(IssueRegistered,),
    unless=(IssueWithdrawn,),
)

KEY_ISSUES = Count(
    slug="key-issues",
    title=Text(zh="重点问题", en="Key issues"),
    definition=Text(
        zh="本期登记、最近一次分类为重点且未撤回的问题，按最近一次分类的类别",
        en="Issues registered in the period, last classified as key and not withdrawn, by their last category",
    ),
    unit=Unit.ITEM,
    of=(IssueRegistered,),
    having=Having(of=IssueClassified, where={"classification.key": (True,)}),
    unless=(IssueWithdrawn,),
    by=By(path="classification.category", of=IssueClassified),
)

ISSUES_ADMITTED = Count(
    slug="issues-admitted",
    title=Text(zh="准予议事", en="Issues admitted"),
    definition=Text(
        zh="本期审题通过的问题，按“十议”条款", en="Issues admitted in the period, by the clause of inclusion"
    ),
    unit=Unit.ITEM,
    of=(IssueAdmitted,),
    by=By(path="clause"),
)

ISSUES_REFUSED = Count(
    slug="issues-refused",
    title=Text(zh="不予议事", en="Issues refused"),
    definition=Text(
        zh="本期审题未通过的问题，按“七不议”条款", en="Issues refused in the period, by the clause of exclusion"
    ),
    unit=Unit.ITEM,
    of=(IssueRefused,),
    by=By(path="clause"),
)

ISSUES_ACCEPTED = Count(
    slug="issues-accepted",
    title=Text(zh="受理问题", en="Issues accepted"),
    definition=Text(zh="本期审题通过且未撤回的问题", en="Issues admitted in the period and not withdrawn"),
    unit=Unit.ITEM,
    of=(IssueAdmitted,),
    unless=(IssueWithdrawn,),
)

ISSUE_CLOSURE_RATE = Rate(
    slug="issue-closure-rate",
    title=Text(zh="问题办结率", en="Issue closure rate"),
    definition=Text(
        zh="本期受理（审题通过且未撤回）的问题中已办结的比例；分母为本期受理数",
        en="Closed, of the issues admitted in the period and not withdrawn; the denominator is admitted in the period",
    ),
    numerator=Count(
        slug="issues-closed",
        title=Text(zh="已办结", en="Closed"),
        definition=Text(
            zh="本期受理的问题中已办结的，不限办结时间", en="Of the issues admitted in the period, those closed since"
        ),
        unit=Unit.ITEM,
        of=(IssueClosed,),
        among=ISSUES_ACCEPTED,
    ),
    denominator=ISSUES_ACCEPTED,
)

INDICATORS: tuple[Indicator, ...] = (
    OPINIONS_COLLECTED,
    OPINIONS_DEDUPLICATED,
    OPINIONS_WITHDRAWN,
    ISSUES_REGISTERED,
    KEY_ISSUES,
    ISSUES_ADMITTED,
    ISSUES_REFUSED,
    ISSUE_CLOSURE_RATE,
)
