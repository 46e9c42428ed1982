"""Submissions: what bench keeps is what intake would."""

import json
from uuid import UUID

from bench.submissions import append_of, json_of, opening
from eventlog.facts import StreamId
from eventlog.log import Expect
from eventlog.sealed import Sealed
from facts.intake.submission import Channel, SubmissionReceived

KEY, COMMAND = UUID(int=1), UUID(int=2)


class TestJsonOf:
    def test_is_a_fact_of_intake(self) -> None:
        words = json.loads(json_of(KEY))["words"]["ciphertext"]
        assert SubmissionReceived.model_validate_json(json_of(KEY)) == SubmissionReceived(
            submission_id=KEY,
            channel=Channel.HOTLINE,
            words=Sealed[str](key_id=KEY, kind="submission-words", ciphertext=words),
        )

    def test_is_as_long_for_every_key_and_never_the_same(self) -> None:
        assert len(json_of(KEY)) == len(json_of(COMMAND)) == 367
        assert json_of(KEY) != json_of(COMMAND)


class TestAppends:
    def test_add_one_published_fact_to_the_stream_of_their_submission(self) -> None:
        item = append_of(KEY, COMMAND, Expect.EXISTS)
        assert (item.stream, item.expected, item.published) == (StreamId("submission", str(KEY)), Expect.EXISTS, True)
        assert (item.command_id, item.correlation, len(item.digest)) == (COMMAND, COMMAND, 32)
        [fact] = item.facts
        assert (fact.name, fact.schema, fact.json) == (SubmissionReceived.fact_name, 1, json_of(KEY))

    def test_that_open_a_stream_expect_none_and_are_commands_of_their_own(self) -> None:
        first, second = opening(KEY), opening(KEY)
        assert first.expected == Expect.NEW
        assert first.command_id != second.command_id
