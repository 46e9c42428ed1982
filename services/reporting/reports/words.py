"""What a report calls the values that figures are broken down by."""

from collections.abc import Mapping
from enum import StrEnum

from facts.deliberation.session import Form
from facts.deliberation.work_record import Lead
from facts.intake.submission import Channel
from services.reporting.indicators.definition import Text
from vocabulary.kinds import Category

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
