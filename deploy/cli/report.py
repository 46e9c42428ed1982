"""The work report of a division, as an operator's command asks for it."""

from collections.abc import Mapping
from datetime import date

from deploy.local.endpoints import Endpoints
from deploy.local.issuer import Issuer
from deploy.local.person import Person
from vocabulary.divisions import county_of

PATHS: Mapping[str, str] = {
    "text": "/reports/work.txt",
    "html": "/reports/work.html",
    "json": "/reports/work",
}
"""Where reporting gives it in each form."""


async def work_report(
    endpoints: Endpoints,
    issuer: Issuer,
    division: str,
    first: date,
    last: date,
    *,
    form: str = "text",
    lang: str,
    about: bool = False,
) -> str:
    """The report of the days from ``first`` to ``last``, in a form of PATHS. Raises Refused.

    ``lang`` is that of its words; ``about``: the number of sessions may read "30余次".
    """
    params = {"division": division, "from": first.isoformat(), "to": last.isoformat()}
    if form != "json":
        params |= {"lang": lang, "about": str(about).lower()}
    async with Person(endpoints, issuer, "operator", {"county-reporter": county_of(division)}) as reporter:
        return (await reporter.get("reporting", PATHS[form], params)).text
