"""Leadership: the bodies of the town, the work of those who lead it, and how that is made known."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from deploy.sample.plan import Document, Learning, Meeting, Publicity
from deploy.sample.town import person_id
from deploy.sample.xiangdao import Xiangdao, office_day
from vocabulary.calendar import shipped_tables


async def set_up(xiangdao: Xiangdao) -> None:
    """On the first of January: divisions, organs, committees and the workstation."""
    await xiangdao.year.on(date(xiangdao.number, 1, 1))
    town, villages = xiangdao.town, xiangdao.villages()
    await town.register(xiangdao.plan.county, xiangdao.plan.town, villages)
    await town.establish_committee(town.code, f"{xiangdao.plan.town}协商议事委员会")
    for code, name in list(villages.items())[:-1]:
        ends = xiangdao.day(xiangdao.plan.renewal.until) if name == xiangdao.plan.renewal.village else None
        await town.establish_committee(code, f"{name}协商议事委员会", 7, ends)
    head = person_id(f"{town.code}-站长")
    station = {"division": town.code, "name": xiangdao.plan.station, "head": head}
    await town.secretary.post("deliberation", "/workstations", station)


async def meeting(xiangdao: Xiangdao, meeting: Meeting) -> None:
    await xiangdao.year.on(xiangdao.day(meeting.day))
    body = {"organ": xiangdao.town.organ, **meeting.model_dump(include={"kind", "topic", "attendees"})}
    held = await xiangdao.town.officer.post("deliberation", "/work-records/meetings", body)
    if meeting.withdrawn is not None:
        await xiangdao.year.on(office_day(xiangdao.day(meeting.day), 7))
        error = {"reason": meeting.withdrawn}
        await xiangdao.town.officer.post("deliberation", f"/work-records/{held['id']}/withdraw", error)


async def document(xiangdao: Xiangdao, document: Document) -> None:
    await xiangdao.year.on(xiangdao.day(document.day))
    body = {"organ": xiangdao.town.organ, "year": xiangdao.number, **document.model_dump(exclude={"day"})}
    await xiangdao.town.officer.post("deliberation", "/work-records/documents", body)


async def learning(xiangdao: Xiangdao, learning: Learning) -> None:
    await xiangdao.year.on(xiangdao.day(learning.day))
    members = [person_id(f"{xiangdao.town.code}-委员-{n}") for n in range(learning.attended)]
    body = {"organ": xiangdao.town.organ, "topic": learning.topic, "members": members}
    await xiangdao.town.officer.post("deliberation", "/work-records/learning", body)


async def publicity(xiangdao: Xiangdao, publicity: Publicity) -> None:
    await xiangdao.year.on(xiangdao.day(publicity.day))
    body = {"organ": xiangdao.town.organ, **publicity.model_dump(exclude={"day"})}
    await xiangdao.town.officer.post("deliberation", "/work-records/publicity", body)


async def renewal(xiangdao: Xiangdao) -> None:
    """A term runs out by itself; the next committee is established."""
    renewal = xiangdao.plan.renewal
    village = await xiangdao.at(renewal.village)
    await xiangdao.year.on(xiangdao.day(renewal.day))
    await village.establish_committee(village.village, f"{renewal.village}协商议事委员会", 7)


async def correction(xiangdao: Xiangdao) -> None:
    """The county publishes its calendar of the year, and corrects it later: open deadlines move."""
    await xiangdao.year.on(date(xiangdao.number, 1, 2))
    shipped = shipped_tables().get(xiangdao.number)
    national_day = date(xiangdao.number, 10, 1)
    off = [(span.first, span.last) for span in shipped.rest] if shipped else [(national_day, national_day)]
    published = _table(off, shipped.work if shipped else ())
    body = {"year": xiangdao.number, **published, "source": "国务院办公厅关于节假日安排的通知（样例）"}
    await xiangdao.town.registrar.post("intake", "/calendars", body)
    correction = xiangdao.plan.correction
    await xiangdao.year.on(xiangdao.day(correction.day))
    more = [*off, (xiangdao.day(correction.first), xiangdao.day(correction.last))]
    corrected = _table(more, shipped.work if shipped else ())
    body = {**corrected, "source": correction.source}
    await xiangdao.town.registrar.post("intake", f"/calendars/{xiangdao.number}/correct", body)


def _table(rest: Sequence[tuple[date, date]], work: Sequence[date]) -> dict[str, Any]:
    return {
        "rest": [{"first": first.isoformat(), "last": last.isoformat()} for first, last in rest],
        "work": [day.isoformat() for day in work],
    }
