"""The demonstration: invented matters of one real town, a handful of them through every stage."""

from datetime import date, timedelta

from deploy.local.endpoints import Endpoints
from deploy.local.issuer import Issuer
from deploy.sample.town import Town
from vocabulary.calendar import SHANGHAI

TOWN = "620724103"
VILLAGES = {"620724103701": "东渠村", "620724103702": "柳树村", "620724103703": "北滩村"}


async def play(endpoints: Endpoints, issuer: Issuer) -> None:
    """Play every scene once, through the services' APIs."""
    async with Town(endpoints, issuer, TOWN, "620724103701") as town:
        await town.register("高台县", "巷道镇", VILLAGES)
        await organise(town)
        await a_road_is_promised_and_built(town)
        await a_canal_dispute_is_deliberated(town)
        await neighbours_settle(town)
        await a_party_refuses_mediation(town)
        await an_agreement_is_broken(town)
        await what_is_not_deliberated(town)
        await town.rest()


async def organise(town: Town) -> None:
    """Committees, the workstation, and the work around them."""
    await town.establish_committee(TOWN, "巷道镇协商议事委员会")
    for code, name in VILLAGES.items():
        await town.establish_committee(code, f"{name}协商议事委员会", size=7)
    station = {"division": TOWN, "name": "巷道镇政协委员工作站", "head": str(town.member(2))}
    await town.secretary.post("deliberation", "/workstations", station)
    records = "/work-records"
    for kind, topic in (("party-committee", "研究政协协商向基层延伸工作"), ("cadre-staff", "部署协商议事工作")):
        meeting = {"organ": town.organ, "kind": kind, "topic": topic, "attendees": 11}
        await town.officer.post("deliberation", f"{records}/meetings", meeting)
    document = {"organ": town.organ, "number": 12, "year": in_days(town, 0).year, "enacts": "协商议事工作规则"}
    await town.officer.post(
        "deliberation", f"{records}/documents", document | {"title": "推进政协协商向基层延伸工作实施方案"}
    )
    learning = {"organ": town.organ, "topic": "政协工作会议精神", "members": [str(town.member(n)) for n in range(5)]}
    await town.officer.post("deliberation", f"{records}/learning", learning)
    for lead, channel in (("leaders", "微信公众号"), ("cadres", "村组微信群"), ("party-members", "固定活动日")):
        told = {"organ": town.organ, "lead": lead, "channel": channel, "title": "有事好商量"}
        await town.officer.post("deliberation", f"{records}/publicity", told)


async def a_road_is_promised_and_built(town: Town) -> None:
    """Two residents speak of one road; it is deliberated, promised, built, verified and rated."""
    first = await town.receive("三社到村部的路雨后泥泞，老人孩子出行不便。", name="周大山", phone="13800000001")
    second = await town.receive("去村部的路该修了。", "wechat", name="孙小梅")
    await town.clerk.post("intake", f"/submissions/{second}/merge", {"into": first})
    issue = await town.raise_issue("三社至村部道路硬化", "rural-construction", [first])
    await town.approve(issue, "D05")
    deliberation = await town.route(issue, "deliberation")
    await town.convener.post("deliberation", f"/deliberations/{deliberation}/open")
    said = {"三社住户": "希望赶在秋收前修好。", "沿路农户": "同意让出半米地埂。"}
    session = await town.hold_session(deliberation, said)
    [road] = await town.adopt(deliberation, session, "道路硬化一点二公里。", {"铺设混凝土路面": in_days(town, 30)})
    await town.keep(road, "已完工，附验收照片编号。")
    await town.rest()
    await town.rate(deliberation, ["very-satisfied"] * 3 + ["satisfied"] * 2 + ["dissatisfied"], 8)
    await town.answer(issue)


async def a_canal_dispute_is_deliberated(town: Town) -> None:
    """A dispute with two sides is settled at the table, in a dialogue by the canal."""
    said = await town.receive("上游截水，下游浇不上地。", "listening", name="高长河")
    issue = await town.raise_issue("东渠轮灌次序", "conflict-mediation", [said], "land-forest-water")
    await town.approve(issue, "D09")
    deliberation = await town.route(issue, "deliberation")
    await town.convener.post("deliberation", f"/deliberations/{deliberation}/open")
    session = await town.hold_session(deliberation, {"上游农户": "愿意错峰。", "下游农户": "同意轮灌。"}, "dialogue")
    [rota] = await town.adopt(deliberation, session, "按日轮灌。", {"张贴轮灌表": in_days(town, 7)})
    await town.keep(rota, "轮灌表已张贴。")
    await town.answer(issue)


async def neighbours_settle(town: Town) -> None:
    """An issue goes to mediation; the neighbours agree and keep their word."""
    said = await town.receive("邻居家的树遮了我家的光。", "grid", name="钱有福")
    issue = await town.raise_issue("宅旁树木遮光", "conflict-mediation", [said], "neighbour")
    await town.approve(issue, "D09")
    case = await town.route(issue, "mediation")
    await town.begin_mediation(case, "钱有福", "郑守田")
    await town.agree(case, "十日内移栽两棵杨树，费用各半。", in_days(town, 10))
    await town.mediator.post("mediation", f"/cases/{case}/performance", {})
    await town.mediator.post("mediation", f"/cases/{case}/close")
    await town.answer(issue)


async def a_party_refuses_mediation(town: Town) -> None:
    """One clear refusal ends mediation; the department answers instead."""
    said = await town.receive("地界被占了半米。", "petition", name="冯土生")
    issue = await town.raise_issue("承包地地界", "conflict-mediation", [said], "land-forest-water")
    await town.approve(issue, "D09")
    case = await town.route(issue, "mediation")
    _, neighbour = await town.seat_parties(case, "冯土生", "何有田")
    await town.consent(case, neighbour, given=False)
    await town.rest()
    await town.route(issue, "department")
    await town.clerk.post("intake", f"/issues/{issue}/reply", {"reply": "已现场丈量并埋设界桩。"})
    await town.answer(issue)


async def an_agreement_is_broken(town: Town) -> None:
    """Settled, then broken: the settlement is taken back."""
    case = await town.open_case("拖欠工钱八百元。", "labour")
    await town.begin_mediation(case, "许长工", "贾老板")
    await town.agree(case, "五日内付清。", in_days(town, 5))
    await town.mediator.post("mediation", f"/cases/{case}/breach")


async def what_is_not_deliberated(town: Town) -> None:
    """Refused with a code and a way out; withdrawn; and one that waits."""
    in_court = await town.raise_issue("已起诉的合同纠纷", "conflict-mediation", dispute="contract")
    refusal = {"clause": "X03", "redirect": "县人民法院", "remedy": "等待判决，不服可上诉"}
    await town.clerk.post("intake", f"/issues/{in_court}/refuse", refusal)
    said = await town.receive("村口路灯不亮。", "hotline")
    lamp = await town.raise_issue("村口路灯", "livelihood", [said])
    await town.clerk.post("intake", f"/issues/{lamp}/withdraw", {"reason": "已自行修好"})
    waiting = await town.receive("想学电商卖红枣。", "questionnaire", name="段枣花")
    await town.raise_issue("红枣电商培训", "income-growth", [waiting])


def in_days(town: Town, n: int) -> date:
    """A day some days from now."""
    return town.pace.now().astimezone(SHANGHAI).date() + timedelta(days=n)
