"""What a report calls things: the values that figures are broken down by, units, and rates, told or not."""

from collections.abc import Mapping
from enum import StrEnum

from facts.deliberation.outcome import OutcomeKind
from facts.deliberation.session import Form, Scale
from facts.deliberation.work_record import Lead
from facts.intake.submission import Channel
from services.reporting.indicators.definition import Text, Unit
from services.reporting.reports.figures import RateFound, Untold
from vocabulary.divisions import Level
from vocabulary.kinds import Category, DisputeSource, DisputeType
from web.messages import Language

WORDS: Mapping[StrEnum, Text] = {
    Channel.VISIT: Text(zh="入户走访", en="household visits"),
    Channel.QUESTIONNAIRE: Text(zh="问卷调查", en="questionnaires"),
    Channel.LISTENING: Text(zh="听取意见", en="listening sessions"),
    Channel.HOTLINE: Text(zh="热线电话", en="the hotline"),
    Channel.WECHAT: Text(zh="微信", en="WeChat"),
    Channel.CPPCC_MEMBER: Text(zh="委员反映", en="CPPCC members"),
    Channel.PETITION: Text(zh="信访", en="petitions"),
    Channel.GRID: Text(zh="网格上报", en="grid workers"),
    Channel.WEB: Text(zh="网站", en="the web"),
    Channel.OTHER_SYSTEM: Text(zh="其他平台转来", en="other platforms"),
    Category.RURAL_CONSTRUCTION: Text(zh="乡村建设", en="rural construction"),
    Category.INCOME_GROWTH: Text(zh="群众增收", en="income growth"),
    Category.LIVELIHOOD: Text(zh="民生保障", en="livelihood security"),
    Category.ENVIRONMENT: Text(zh="环境整治", en="environment"),
    Category.CONFLICT_MEDIATION: Text(zh="矛盾调解", en="conflict mediation"),
    Form.MEETING: Text(zh="会议协商", en="meetings"),
    Form.DIALOGUE: Text(zh="对话协商", en="dialogues"),
    Form.WRITTEN: Text(zh="书面协商", en="written rounds"),
    Lead.LEADERS: Text(zh="领导带头", en="leaders"),
    Lead.CADRES: Text(zh="干部带头", en="cadres"),
    Lead.PARTY_MEMBERS: Text(zh="党员带头", en="Party members"),
}

UNITS: Mapping[Unit, Text] = {
    Unit.ITEM: Text(zh="件", en="items"),
    Unit.TIME: Text(zh="次", en="times"),
    Unit.BODY: Text(zh="个", en="bodies"),
    Unit.PERSON: Text(zh="人次", en="attendances"),
    Unit.ENTRY: Text(zh="条", en="entries"),
    Unit.DOCUMENT: Text(zh="份", en="documents"),
}
"""The measure word of what is counted."""

UNTOLD: Mapping[Untold, Text] = {
    Untold.NOTHING_TO_COMPARE: Text(zh="暂无", en="none yet"),
    Untold.TOO_FEW: Text(zh="不公布", en="not told"),
}
"""What stands for a rate that has no value."""

BY_FIGURE: Mapping[str, Mapping[str, Text]] = {
    "sessions-by-scale": {
        Scale.MICRO: Text(zh="小微协商", en="micro"),
        Scale.REGULAR: Text(zh="一般协商", en="regular"),
    },
    "sessions-by-level": {
        Level.VILLAGE: Text(zh="村级", en="village"),
        Level.TOWN: Text(zh="镇级", en="town"),
        Level.COUNTY: Text(zh="县级", en="county"),
    },
    "outcomes-submitted": {
        OutcomeKind.OPINION: Text(zh="意见", en="opinions"),
        OutcomeKind.SUGGESTION: Text(zh="建议", en="suggestions"),
        OutcomeKind.AGREEMENT: Text(zh="协议", en="agreements"),
        OutcomeKind.REFERRAL: Text(zh="转办", en="referrals"),
    },
    "disputes-resolved": {
        DisputeSource.APPLIED: Text(zh="申请调解", en="applied for"),
        DisputeSource.INITIATED: Text(zh="主动调解", en="taken up"),
        DisputeSource.ROUTED: Text(zh="议题转入", en="routed issues"),
        DisputeSource.COURT: Text(zh="法院移送", en="from court"),
        DisputeSource.POLICE: Text(zh="公安移送", en="from the police"),
        DisputeSource.PETITION: Text(zh="信访转入", en="from petitions"),
    },
    "disputes-accepted": {
        DisputeType.MARRIAGE_FAMILY: Text(zh="婚姻家庭", en="marriage and family"),
        DisputeType.NEIGHBOUR: Text(zh="邻里", en="neighbours"),
        DisputeType.HOMESTEAD_HOUSE: Text(zh="宅基地房屋", en="homestead and house"),
        DisputeType.CONTRACT: Text(zh="合同", en="contract"),
        DisputeType.PRODUCTION: Text(zh="生产经营", en="production"),
        DisputeType.DAMAGE: Text(zh="损害赔偿", en="damage"),
        DisputeType.LABOUR: Text(zh="劳动争议", en="labour"),
        DisputeType.VILLAGE_AFFAIRS: Text(zh="村务", en="village affairs"),
        DisputeType.LAND_FOREST_WATER: Text(zh="山林土地水利", en="land, forest and water"),
        DisputeType.EXPROPRIATION: Text(zh="征地拆迁", en="expropriation"),
        DisputeType.ENVIRONMENT: Text(zh="环境污染", en="environment"),
        DisputeType.TRAFFIC: Text(zh="道路交通", en="traffic"),
        DisputeType.MEDICAL: Text(zh="医疗", en="medical"),
        DisputeType.PROPERTY_MANAGEMENT: Text(zh="物业", en="property management"),
        DisputeType.CONSUMER: Text(zh="消费", en="consumer"),
        DisputeType.OTHER: Text(zh="其他", en="other"),
    },
}
"""Values that are called so in one figure only: another one may give the same value another name."""


def named(slug: str, value: str, language: Language) -> str:
    """What a value of a figure's breakdown is called; a clause or another code is called by itself."""
    text = BY_FIGURE.get(slug, {}).get(value) or _ANYWHERE.get(value)
    return value if text is None else said(text, language)


_ANYWHERE = {kind.value: text for kind, text in WORDS.items()}


def chinese(kind: StrEnum) -> str:
    return WORDS[kind].zh


def english(kind: StrEnum) -> str:
    return WORDS[kind].en


def said(text: Text, language: Language) -> str:
    return text.zh if language is Language.ZH else text.en


def rate_said(found: RateFound, language: Language) -> str:
    """As a percentage, or by the word for why it is not told."""
    return f"{found.value:.1%}" if found.untold is None else said(UNTOLD[found.untold], language)
