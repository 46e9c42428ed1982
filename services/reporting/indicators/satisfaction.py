"""How those concerned rate what became of it. Too few ratings are not told: they would tell who rated how."""

from facts.deliberation.survey import Rating, RatingRecorded, SurveyOpened
from services.reporting.indicators.definition import Count, Enough, Indicator, Rate, Term, Text, Unit

FEWEST = 5
"""Below so many ratings no rate of them is told."""

RATINGS = Count(
    slug="ratings",
    title=Text(zh="有效评价", en="Ratings"),
    definition=Text(zh="本期收到的有效评价", en="Ratings given in the period"),
    unit=Unit.PERSON,
    of=(RatingRecorded,),
)

SATISFACTION_RATE = Rate(
    slug="satisfaction-rate",
    title=Text(zh="群众满意率", en="Satisfaction rate"),
    definition=Text(
        zh=f"本期评价中非常满意、满意、基本满意的比例；不足{FEWEST}份不公布",
        en=f"From very to basically satisfied, of the ratings given in the period; not told below {FEWEST} ratings",
    ),
    numerator=Count(
        slug="ratings-satisfied",
        title=Text(zh="满意", en="Satisfied"),
        definition=Text(
            zh="本期非常满意、满意、基本满意的评价",
            en="Ratings from very satisfied to basically satisfied in the period",
        ),
        unit=Unit.PERSON,
        of=(RatingRecorded,),
        where={"rating": (Rating.VERY_SATISFIED, Rating.SATISFIED, Rating.BASICALLY_SATISFIED)},
    ),
    denominator=RATINGS,
    enough=Enough(term=Term.DENOMINATOR, facts=FEWEST),
)

ELIGIBLE = Count(
    slug="eligible-raters",
    title=Text(zh="应参评", en="Eligible"),
    definition=Text(zh="本期发起的测评中有权参评的人次", en="Those who may rate in the surveys opened in the period"),
    unit=Unit.PERSON,
    of=(SurveyOpened,),
    adding="eligible",
)

PARTICIPATION_RATE = Rate(
    slug="participation-rate",
    title=Text(zh="参评率", en="Participation rate"),
    definition=Text(
        zh=f"本期发起的测评中已参评的比例；分母为应参评人次；不足{FEWEST}份不公布",
        en=f"Rated, of those eligible in the surveys opened in the period; not told below {FEWEST} ratings",
    ),
    numerator=Count(
        slug="eligible-rated",
        title=Text(zh="已参评", en="Rated"),
        definition=Text(
            zh="本期发起的测评中收到的评价，不限时间", en="Ratings given in the surveys opened in the period"
        ),
        unit=Unit.PERSON,
        of=(RatingRecorded,),
        among=ELIGIBLE,
    ),
    denominator=ELIGIBLE,
    enough=Enough(term=Term.NUMERATOR, facts=FEWEST),
)

INDICATORS: tuple[Indicator, ...] = (SATISFACTION_RATE, PARTICIPATION_RATE)
