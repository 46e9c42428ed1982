"""Access: every read of sealed content is a fact, and a private one."""

from uuid import UUID

from eventlog.testing import Scenario
from facts.mediation.access import SealedCaseRead
from services.mediation.domain.access import RecordRead, access

CASE = UUID(int=1)


def test_each_read_is_recorded() -> None:
    read = SealedCaseRead(case_id=CASE)
    never_read = Scenario(access)
    never_read.when(RecordRead(case_id=CASE)).then(read)
    never_read.given(read).when(RecordRead(case_id=CASE)).then(read)


def test_it_never_leaves_the_service() -> None:
    assert not access.published
