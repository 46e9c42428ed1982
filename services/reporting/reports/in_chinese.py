"""The work report in Chinese, after the pattern of a town's own (title, lead, three parts)."""

from datetime import date

from facts.deliberation.session import Form
from facts.deliberation.work_record import Lead
from facts.intake.submission import Channel
from services.reporting.indicators.satisfaction import FEWEST
from services.reporting.reports.figures import Untold
from services.reporting.reports.narrative import Narrative, Section
from services.reporting.reports.words import chinese, rate_said
from services.reporting.reports.work_report import WorkReport, tens
from vocabulary.kinds import Category
from web.messages import Language

PRINCIPLE = "有事多商量、遇事多商量、做事多商量"
METHOD = "十议七不议"


def write(report: WorkReport) -> Narrative:
    """Return title, lead and three parts; the first paragraph of each is the article's, the rest tells more."""
    return Narrative(
        title="深化基层协商议事　擦亮“有事好商量”品牌",
        subtitle=f"——{report.place}{_period(report)}协商议事工作情况报告",
        lead=_lead(report),
        sections=[
            Section("一、强化组织领导，搭建协商议事“新平台”", [_leadership(report)]),
            Section(
                "二、提升治理水平，培育协商议事“新风尚”",
                [
                    _governance(report),
                    _collection(report),
                    _sessions(report) + _follow_up(report),
                    _disputes(report),
                    _satisfaction(report),
                ],
            ),
            Section("三、广泛宣传动员，营造协商议事“新氛围”", [_publicity(report)]),
        ],
        note=f"（数据截至 {report.question.at}，每个数字都可以查到其背后的事实。）",
    )


def _lead(report: WorkReport) -> str:
    done = [
        _n("收集意见{}条", report.count("opinions-collected")),
        _n("梳理重点问题{}件", report.count("key-issues")),
        _n("开展协商议事{}次", report.count("sessions")),
        _n("化解群众矛盾纠纷{}件", report.count("disputes-resolved")),
    ]
    sum_up = "、".join(filter(None, done))
    return (
        f"{_period(report)}，{report.place}推进政协协商向基层延伸，畅通议题征集渠道，规范民主议事程序，"
        f"让“有事好商量”平台发挥作用" + (f"，{sum_up}。" if sum_up else "。")
    )


def _leadership(report: WorkReport) -> str:
    meetings = [
        _n("党委会{}次", report.count("party-committee-meetings")),
        _n("干部职工会{}次", report.count("cadre-meetings")),
        _n("领导小组会{}次", report.count("leading-group-meetings")),
    ]
    held = "、".join(filter(None, meetings))
    documents, learning = report.count("documents-issued"), report.count("learning-sessions")
    titles = "".join(f"《{title}》" for title in report.documents)
    named = f"{titles}等文件{documents}份" if titles else f"文件{documents}份"
    standing = [
        _n("政协委员工作站{}个", report.count("workstations")),
        _n("镇村协商议事委员会{}个", report.count("committees")),
    ]
    bodies = "、".join(filter(None, standing))
    neighbourhood = _n("，其中“党建+邻里”模式{}个", report.count("neighbourhood-committees"))
    return _sentences(
        f"先后召开{held}专题研究" if held else "本期未召开专题会议",
        f"制定印发{named}，明确目标任务" if documents else "未印发相关文件",
        f"组织委员和议事成员学习{learning}次" if learning else "未组织专题学习",
        end=f"截至{_day(report.last)}，共建立{bodies}{neighbourhood}，"
        "做到工作有重点、交流有阵地、协商有主体、议事有成果。"
        if bodies
        else f"截至{_day(report.last)}，尚未建立委员工作站和协商议事委员会。",
    )


def _governance(report: WorkReport) -> str:
    """The article's own paragraph, as far as there is something to tell."""
    channels = "、".join(chinese(channel) for channel, _ in report.by("opinions-collected", Channel))
    categories = "、".join(chinese(category) for category, _ in report.by("key-issues", Category))
    forms = "、".join(chinese(form) for form, _ in report.by("micro-consultations", Form))
    key, micro = report.count("key-issues"), report.count("micro-consultations")
    return _sentences(
        f"通过{channels}等方式" if channels and key else "",
        f"梳理群众关心的{categories}等重点问题{key}件" if key else "本期未梳理出重点问题",
        f"按照“{PRINCIPLE}”的议事原则和“{METHOD}”的工作方法" if key else "",
        f"通过{forms}等多种协商形式，有效开展“小微协商”{_times(micro, report)}" if micro else "未开展“小微协商”",
        _n("化解群众矛盾纠纷{}件", report.count("disputes-resolved")),
        _both_rose(report),
    )


def _both_rose(report: WorkReport) -> str:
    return "实现协商议事成果和群众满意度“双提升”" if report.comparison.both_rose else ""


def _collection(report: WorkReport) -> str:
    opinions, distinct = report.count("opinions-collected"), report.count("opinions-deduplicated")
    channels = "、".join(f"{chinese(channel)}{n}条" for channel, n in report.by("opinions-collected", Channel))
    key = report.count("key-issues")
    categories = "、".join(f"{chinese(category)}{n}件" for category, n in report.by("key-issues", Category))
    admitted, refused = report.count("issues-admitted"), report.count("issues-refused")
    screened = [_n("准予议事{}件", admitted), _n("不予议事{}件", refused)]
    return _sentences(
        f"收集意见{opinions}条（{channels}），去重后{distinct}条" if opinions else "本期未收集到意见",
        f"重点问题{key}件（{categories}）" if key else "",
        f"审题{'、'.join(filter(None, screened))}" if admitted + refused else "",
    )


def _sessions(report: WorkReport) -> str:
    sessions, micro = report.count("sessions"), report.count("micro-consultations")
    if not sessions:
        return "本期未开展协商议事。"
    detail = "、".join(f"{chinese(form)}{n}次" for form, n in report.by("sessions", Form))
    people = _n("参加{}人次", report.count("attendances")) + _n("（政协委员{}人次）", report.count("cppcc-attendances"))
    return _sentences(
        f"开展协商议事{_times(sessions, report)}（{detail}）",
        f"其中“小微协商”{_times(micro, report)}" if micro else "",
        people,
    )


def _follow_up(report: WorkReport) -> str:
    outcomes, opened = report.count("outcomes-submitted"), report.count("commitments-opened")
    return _sentences(
        f"报送协商成果{outcomes}件，采纳率{_rate(report, 'adoption-rate')}" if outcomes else "",
        f"交办事项{opened}件，办结率{_rate(report, 'commitment-closure-rate')}" if opened else "",
        _if_told(report, "timely-closure-rate", "本期到期事项按期办结率{}"),
    )


def _disputes(report: WorkReport) -> str:
    resolved, accepted = report.count("disputes-resolved"), report.count("disputes-accepted")
    return _sentences(
        "" if resolved else "本期没有化解的矛盾纠纷",
        f"受理调解案件{accepted}件，调解成功率{_rate(report, 'mediation-success-rate')}" if accepted else "",
        _if_told(report, "performance-rate", "协议履行率{}"),
    )


def _satisfaction(report: WorkReport) -> str:
    satisfaction = report.rate("satisfaction-rate")
    if not satisfaction.denominator.facts:
        return "本期没有满意度评价。"
    if satisfaction.untold is Untold.TOO_FEW:
        return f"满意度评价不足{FEWEST}份，满意率不公布。"
    return _sentences(
        f"群众满意率{_rate(report, 'satisfaction-rate')}", _if_told(report, "participation-rate", "参评率{}")
    ) + _compared(report)


def _compared(report: WorkReport) -> str:
    """How adoption and satisfaction stand beside the period before; each where both of its rates are told."""
    comparison = report.comparison
    names = {"adoption-rate": "成果采纳率", "satisfaction-rate": "群众满意率"}
    changes = [
        f"{name}由{rate_said(change.earlier, Language.ZH)}变为{rate_said(change.later, Language.ZH)}"
        for slug, name in names.items()
        if (change := comparison.changes[slug]).told
    ]
    beside = "下半年与上半年相比" if comparison.halves else "与上期相比"
    return _sentences(beside, *changes) if changes else ""


def _publicity(report: WorkReport) -> str:
    publicity = report.count("publicity")
    leads = "、".join(f"{chinese(lead)}{n}次" for lead, n in report.by("publicity", Lead))
    if not publicity:
        return "本期没有宣传活动记录。"
    return f"发挥“三个带头”作用，开展宣传活动{publicity}次（{leads}），提高群众知晓率和参与积极性。"


def _sentences(*clauses: str, end: str = "") -> str:
    """Clauses that are there, as one sentence; nothing when none is."""
    there = "，".join(filter(None, clauses))
    return (f"{there}。" if there else "") + end


def _n(template: str, value: int) -> str:
    """The clause, or nothing when there is nothing to tell."""
    return template.format(value) if value else ""


def _times(value: int, report: WorkReport) -> str:
    whole = tens(value) if report.about else None
    return f"{value}次" if whole is None else f"{whole}余次"


def _rate(report: WorkReport, slug: str) -> str:
    found = report.rate(slug)
    parts = f"（{found.numerator.value}/{found.denominator.value}）" if found.untold is None else ""
    return rate_said(found, Language.ZH) + parts


def _if_told(report: WorkReport, slug: str, clause: str) -> str:
    return "" if report.rate(slug).value is None else clause.format(_rate(report, slug))


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def _period(report: WorkReport) -> str:
    first, last = report.first, report.last
    if (first.month, first.day, last.month, last.day) == (1, 1, 12, 31) and first.year == last.year:
        return f"{first.year}年"
    return f"{_day(first)}至{_day(last)}"
