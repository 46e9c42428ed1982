"""Access: who was shown a case's sealed names and words. The envelope says who and when."""

from uuid import UUID

from eventlog.facts import Fact


class SealedCaseRead(Fact, name="sealed-case-read"):
    case_id: UUID
