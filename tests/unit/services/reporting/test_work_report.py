"""The article's figures give the article's sentences; changing one changes its sentence and no other."""

from collections.abc import Mapping
from datetime import date
from html import escape

import pytest

from facts.deliberation.session import Form
from facts.deliberation.work_record import Lead
from facts.intake.submission import Channel
from services.reporting.fact_store.figures import Amount
from services.reporting.fact_store.question import Positions, Question
from services.reporting.indicators import INDICATORS
from services.reporting.indicators.definition import Count, Rate, Term
from services.reporting.reports import in_chinese, in_english, page
from services.reporting.reports.comparison import Change, Comparison, compared_periods
from services.reporting.reports.figures import CountFound, Found, RateFound, Untold
from services.reporting.reports.words import WORDS
from services.reporting.reports.work_report import WorkReport, tens
from vocabulary.kinds import Category
from web.messages import Language

YEAR = Question(
    tenant="620724",
    division="620724103",
    first=date(2021, 1, 1),
    last=date(2021, 12, 31),
    at=Positions(intake=57, deliberation=30, mediation=12),
)
ARTICLE: Mapping[str, int] = {
    "party-committee-meetings": 5,
    "cadre-meetings": 2,
    "documents-issued": 1,
    "learning-sessions": 6,
    "workstations": 1,
    "committees": 25,
    "neighbourhood-committees": 25,
    "opinions-collected": 120,
    "opinions-deduplicated": 110,
    "key-issues": 54,
    "issues-admitted": 50,
    "issues-refused": 4,
    "sessions": 36,
    "micro-consultations": 33,
    "attendances": 400,
    "cppcc-attendances": 40,
    "outcomes-submitted": 30,
    "commitments-opened": 20,
    "disputes-resolved": 25,
    "disputes-accepted": 27,
    "publicity": 12,
}
BY: Mapping[str, Mapping[str, int]] = {
    "opinions-collected": {"visit": 60, "questionnaire": 40, "listening": 20},
    "key-issues": {
        "rural-construction": 14,
        "income-growth": 10,
        "livelihood": 12,
        "environment": 9,
        "conflict-mediation": 9,
    },
    "sessions": {"meeting": 20, "dialogue": 10, "written": 6},
    "micro-consultations": {"meeting": 18, "dialogue": 10, "written": 5},
    "publicity": {"leaders": 3, "cadres": 4, "party-members": 5},
}
RATES: Mapping[str, tuple[int, int]] = {
    "adoption-rate": (27, 30),
    "commitment-closure-rate": (18, 20),
    "timely-closure-rate": (17, 18),
    "mediation-success-rate": (24, 27),
    "performance-rate": (20, 24),
    "satisfaction-rate": (77, 80),
    "participation-rate": (80, 100),
}


def amount(value: int, by: Mapping[str, int] | None = None) -> Amount:
    return Amount(value=value, facts=value, by=by or {})


def figures(
    counts: Mapping[str, int], rates: Mapping[str, tuple[int, int]], by: Mapping[str, Mapping[str, int]]
) -> list[Found]:
    found: list[Found] = []
    for indicator in INDICATORS:
        match indicator:
            case Count(slug=slug):
                found.append(CountFound(indicator, amount(counts.get(slug, 0), by.get(slug))))
            case Rate(slug=slug):
                numerator, denominator = rates.get(slug, (0, 0))
                found.append(RateFound(indicator, amount(numerator), amount(denominator)))
    return found


def rate(slug: str, numerator: int, denominator: int) -> RateFound:
    found = next(found for found in figures({}, {slug: (numerator, denominator)}, {}) if found.indicator.slug == slug)
    assert isinstance(found, RateFound)
    return found


def compared(adoption: int = 27, satisfaction: int = 95, *, halves: bool = True) -> Comparison:
    """From 25 of 30 and 90 of 100 to these."""
    changes = {
        "adoption-rate": Change(rate("adoption-rate", 25, 30), rate("adoption-rate", adoption, 30)),
        "satisfaction-rate": Change(rate("satisfaction-rate", 90, 100), rate("satisfaction-rate", satisfaction, 100)),
    }
    return Comparison(halves=halves, changes=changes)


def report(
    changed: Mapping[str, int] | None = None, *, about: bool = False, comparison: Comparison | None = None
) -> WorkReport:
    return WorkReport(
        "巷道镇",
        YEAR,
        figures({**ARTICLE, **(changed or {})}, RATES, BY),
        comparison or compared(),
        about,
        documents=("推进政协协商向基层延伸工作实施方案",),
    )


def chinese(report: WorkReport) -> str:
    return in_chinese.write(report).text()


def english(report: WorkReport) -> str:
    return in_english.write(report).text()


UNTOLD = {slug: Change(rate(slug, 0, 0), rate(slug, 0, 0)) for slug in ("adoption-rate", "satisfaction-rate")}
NOTHING = WorkReport("巷道镇", YEAR, figures({}, {}, {}), Comparison(halves=True, changes=UNTOLD))

PARAGRAPH = (
    "通过入户走访、问卷调查、听取意见等方式，梳理群众关心的乡村建设、群众增收、民生保障、环境整治、矛盾调解等重点问题54件，"
    "按照“有事多商量、遇事多商量、做事多商量”的议事原则和“十议七不议”的工作方法，"
    "通过会议协商、对话协商、书面协商等多种协商形式，有效开展“小微协商”30余次，化解群众矛盾纠纷25件，"
    "实现协商议事成果和群众满意度“双提升”。"
)
"""The article's, as far as it can be told from its translation."""

CHINESE = f"""\
深化基层协商议事　擦亮“有事好商量”品牌
——巷道镇2021年协商议事工作情况报告

2021年，巷道镇推进政协协商向基层延伸，畅通议题征集渠道，规范民主议事程序，让“有事好商量”平台发挥作用，\
收集意见120条、梳理重点问题54件、开展协商议事36次、化解群众矛盾纠纷25件。

一、强化组织领导，搭建协商议事“新平台”
先后召开党委会5次、干部职工会2次专题研究，制定印发《推进政协协商向基层延伸工作实施方案》等文件1份，明确目标任务，\
组织委员和议事成员学习6次。\
截至2021年12月31日，共建立政协委员工作站1个、镇村协商议事委员会25个，其中“党建+邻里”模式25个，\
做到工作有重点、交流有阵地、协商有主体、议事有成果。

二、提升治理水平，培育协商议事“新风尚”
{PARAGRAPH}
收集意见120条（入户走访60条、问卷调查40条、听取意见20条），去重后110条，\
重点问题54件（乡村建设14件、群众增收10件、民生保障12件、环境整治9件、矛盾调解9件），审题准予议事50件、不予议事4件。
开展协商议事30余次（会议协商20次、对话协商10次、书面协商6次），其中“小微协商”30余次，参加400人次（政协委员40人次）。\
报送协商成果30件，采纳率90.0%（27/30），交办事项20件，办结率90.0%（18/20），本期到期事项按期办结率94.4%（17/18）。
受理调解案件27件，调解成功率88.9%（24/27），协议履行率83.3%（20/24）。
群众满意率96.2%（77/80），参评率80.0%（80/100）。\
下半年与上半年相比，成果采纳率由83.3%变为90.0%，群众满意率由90.0%变为95.0%。

三、广泛宣传动员，营造协商议事“新氛围”
发挥“三个带头”作用，开展宣传活动12次（领导带头3次、干部带头4次、党员带头5次），提高群众知晓率和参与积极性。

（数据截至 intake-57,deliberation-30,mediation-12，每个数字都可以查到其背后的事实。）
"""


class TestChinese:
    def test_regenerates_the_article(self) -> None:
        assert chinese(report(about=True)) == CHINESE

    def test_says_exact_numbers_unless_asked_for_about(self) -> None:
        assert "“小微协商”33次" in chinese(report())

    @pytest.mark.parametrize(
        ("slug", "sentence"),
        [
            ("party-committee-meetings", "党委会{}次"),
            ("cadre-meetings", "干部职工会{}次"),
            ("workstations", "政协委员工作站{}个"),
            ("committees", "镇村协商议事委员会{}个"),
            ("micro-consultations", "“小微协商”{}次"),
            ("documents-issued", "等文件{}份"),
        ],
    )
    def test_changes_only_where_the_figure_stands(self, slug: str, sentence: str) -> None:
        before = chinese(report())
        value = ARTICLE[slug]
        after = chinese(report({slug: value + 1}))
        assert after == before.replace(sentence.format(value), sentence.format(value + 1))
        assert after != before

    def test_says_so_where_there_is_nothing(self) -> None:
        text = chinese(NOTHING)
        for sentence in (
            "本期未召开专题会议",
            "尚未建立委员工作站和协商议事委员会",
            "本期未收集到意见",
            "本期未开展协商议事",
        ):
            assert sentence in text
        assert not any(wrong in text for wrong in ("、。", "，，", "（）", "None", "0件", "0次", "，。"))


class TestEnglish:
    def test_tells_the_same_figures(self) -> None:
        text = english(report(about=True))
        for sentence in (
            "The leadership held 5 Party committee meetings and 2 cadre and staff meetings on this work. "
            "It issued 1 document, among them “推进政协协商向基层延伸工作实施方案”.",
            "On 31 December 2021 there were 1 CPPCC member workstation and 25 deliberation committees",
            "Through household visits, questionnaires and listening sessions, 54 key issues that people care about "
            "came up, such as rural construction, income growth, livelihood security, environment and "
            "conflict mediation",
            "Through meetings, dialogues and written rounds, more than 30 micro consultations were held. "
            "25 disputes among the people were resolved. "
            "The results of deliberation and people's satisfaction both rose.",
            "120 opinions came in (household visits 60, questionnaires 40 and listening sessions 20), "
            "110 of them distinct.",
            "54 key issues came out of them (rural construction 14, income growth 10, livelihood security 12, ",
            "More than 30 sessions were held (meetings 20, dialogues 10 and written rounds 6), "
            "among them more than 30 micro consultations.",
            "From the first to the second half of the year, adoption went from 83.3% to 90.0% "
            "and satisfaction went from 90.0% to 95.0%.",
            "Satisfaction rate 96.2% (77/80). Participation rate 80.0% (80/100).",
        ):
            assert sentence in text

    def test_says_so_where_there_is_nothing(self) -> None:
        text = english(NOTHING)
        for sentence in (
            "No leadership meeting was held.",
            "No opinion came in.",
            "No dispute was resolved.",
            "No rating came in.",
        ):
            assert sentence in text
        assert not any(wrong in text for wrong in (" 0 ", "()", "None", " ,", ".."))


class TestRates:
    def test_have_a_value_to_four_decimals(self) -> None:
        found = rate("adoption-rate", 2, 3)
        assert (found.value, found.untold) == (0.6667, None)

    def test_of_nothing_are_untold(self) -> None:
        found = rate("adoption-rate", 0, 0)
        assert (found.value, found.untold) == (None, Untold.NOTHING_TO_COMPARE)

    @pytest.mark.parametrize(("ratings", "untold"), [(0, Untold.TOO_FEW), (4, Untold.TOO_FEW), (5, None)])
    def test_of_satisfaction_need_five_ratings(self, ratings: int, untold: Untold | None) -> None:
        assert rate("satisfaction-rate", ratings, ratings).untold is untold
        assert rate("participation-rate", ratings, 40).untold is untold

    def test_name_their_terms(self) -> None:
        found = rate("adoption-rate", 2, 3)
        assert (found.term(Term.NUMERATOR).value, found.term(Term.DENOMINATOR).value) == (2, 3)

    def test_that_are_too_few_are_not_told_in_words(self) -> None:
        few = WorkReport("巷道镇", YEAR, figures(ARTICLE, {**RATES, "satisfaction-rate": (4, 4)}, BY), compared())
        assert "满意度评价不足5份，满意率不公布。" in chinese(few)
        assert "Fewer than 5 ratings came in" in english(few)


class TestComparison:
    def test_claims_both_only_where_both_rose(self) -> None:
        for comparison in (compared(adoption=25), compared(satisfaction=90), compared(20, 80)):
            text = chinese(report(comparison=comparison))
            assert "双提升" not in text
            assert "下半年与上半年相比，成果采纳率由83.3%变为" in text
            assert "both rose" not in english(report(comparison=comparison))

    def test_says_nothing_of_a_rate_that_is_untold(self) -> None:
        few = Change(rate("satisfaction-rate", 4, 4), rate("satisfaction-rate", 95, 100))
        comparison = Comparison(halves=False, changes={**compared().changes, "satisfaction-rate": few})
        text = chinese(report(comparison=comparison))
        assert "与上期相比，成果采纳率由83.3%变为90.0%。" in text
        assert "双提升" not in text

    @pytest.mark.parametrize(
        ("period", "earlier", "later"),
        [
            ("2027-01-01 2027-12-31", "2027-01-01 2027-06-30", "2027-07-01 2027-12-31"),
            ("2027-07-01 2027-12-31", "2027-01-01 2027-06-30", "2027-07-01 2027-12-31"),
            ("2027-01-01 2027-03-31", "2026-10-01 2026-12-31", "2027-01-01 2027-03-31"),
            ("2028-03-01 2028-03-31", "2028-02-01 2028-02-29", "2028-03-01 2028-03-31"),
            ("2027-03-10 2027-03-16", "2027-03-03 2027-03-09", "2027-03-10 2027-03-16"),
        ],
    )
    def test_is_of_two_halves_or_with_the_period_before(self, period: str, earlier: str, later: str) -> None:
        def asked(days: str) -> Question:
            first, last = map(date.fromisoformat, days.split())
            return YEAR.model_copy(update={"first": first, "last": last})

        assert compared_periods(asked(period)) == (asked(earlier), asked(later))


class TestPage:
    def test_holds_the_words_and_every_figure(self) -> None:
        made = report()
        for language, narrative in ((Language.ZH, in_chinese.write(made)), (Language.EN, in_english.write(made))):
            html = page.write(narrative, made.figures, language)
            assert escape(narrative.sections[1].paragraphs[0]) in html
            for found in made.figures:
                title = found.indicator.title
                assert escape(title.zh if language is Language.ZH else title.en) in html

    def test_lets_no_word_become_markup(self) -> None:
        odd = WorkReport("<b>镇</b>", YEAR, report().figures, compared())
        html = page.write(in_chinese.write(odd), odd.figures, Language.ZH)
        assert "<b>" not in html
        assert "&lt;b&gt;镇" in html


@pytest.mark.parametrize("kinds", [Category, Channel, Form, Lead])
def test_every_value_a_report_names_has_words(kinds: type[Category | Channel | Form | Lead]) -> None:
    assert all(kind in WORDS for kind in kinds)


@pytest.mark.parametrize(
    ("value", "whole"), [(0, None), (9, None), (10, None), (11, 10), (30, None), (33, 30), (100, None)]
)
def test_only_more_than_full_tens_read_about(value: int, whole: int | None) -> None:
    assert tens(value) == whole
