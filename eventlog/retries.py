"""Retries: what was parked and is asked for again is taken in by the very consumer that parked it.

So nothing can overtake it: while a stream's facts are taken in late, its later facts are parked behind them, and the
last reference goes in the transaction that takes the last one in. Other streams wait for a piece of this work at most.

What an effect sends is sent for the late facts, in order. A fold is another matter: a row that the stream shares with
others would see the facts in another order than the source has them in. So every row that the late facts touch is
folded again from the first fact on, in the order of the source, without what stays parked. That is what a fold keeps at
all times: its rows are those of all facts taken in, in order, but for the parked ones.
"""

import time
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import aclosing, contextmanager

import structlog

from eventlog import parked
from eventlog.effect import AnyFold, Effect, Key, is_fold, says_nothing
from eventlog.facts import Stored
from eventlog.folding import Folding
from eventlog.history import History
from eventlog.parked import Place, StreamKey
from eventlog.term import Cursor, Term

LOOK = 1.0  # seconds between looks whether something is asked for
SHARE = 0.2  # seconds of this work between two live batches
PIECE = 100
START = Cursor(epoch=0, position=0, pseq=0, token=0)


class _FailedAgain(Exception):
    """The fact at ``position`` cannot be taken in yet, for what is chained to this."""

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


class Retries:
    """Those of one term."""

    def __init__(self, term: Term, effects: Sequence[Effect], history: History) -> None:
        self._term = term
        self._effects = {effect.name: effect for effect in effects}
        self._history = history
        self._at_work: AsyncGenerator[None] | None = None
        self._looked = 0.0
        self._logger = structlog.get_logger("retries").bind(consumer=term.consumer, source=term.source)

    async def go_on(self) -> None:
        """Work on what is asked for, for a share of the time; return at once when nothing is."""
        until = time.monotonic() + SHARE
        while time.monotonic() < until:
            self._at_work = self._at_work or await self._next()
            if self._at_work is None:
                return
            if await anext(self._at_work, self) is self:
                self._at_work = None

    async def close(self) -> None:
        """Leave what is not done yet to the next term."""
        if self._at_work is not None:
            await self._at_work.aclose()

    async def _next(self) -> AsyncGenerator[None] | None:
        if not any(self._term.parked.values()) or time.monotonic() < self._looked + LOOK:
            return None
        asked = await parked.next_asked(
            self._term.connection, self._term.consumer, self._term.source, list(self._effects)
        )
        if asked is None:
            self._looked = time.monotonic()
            return None
        name, stream = asked
        return self._retry(self._effects[name], stream)

    async def _retry(self, effect: Effect, stream: StreamKey) -> AsyncGenerator[None]:
        at = Place(self._term.consumer, self._term.source, effect.name)
        logger = self._logger.bind(effect=effect.name, stream=str(stream[1]))
        work = self._fold_again(effect, at, stream) if is_fold(effect) else self._do(effect, at, stream)
        try:
            async with aclosing(work):
                async for _ in work:
                    yield
        except _FailedAgain as failure:
            cause = failure.__cause__ or failure
            await parked.failed_again(self._term.connection, at, stream, failure.position, type(cause).__name__)
            logger.exception("still parked", position=failure.position, exc_info=cause)
        else:
            logger.info("taken in late")

    async def _do(self, effect: Effect, at: Place, stream: StreamKey) -> AsyncGenerator[None]:
        """Do what follows from each late fact, in order, each in a transaction with the end of its reference."""
        connection = self._term.connection
        while references := await parked.of_stream(connection, at, stream, PIECE):
            with _failing_at(references[0].position):
                facts = await self._history.referred(connection, references)
            for fact in facts:
                with _failing_at(fact.position):
                    await effect.act([fact])
                    async with connection.transaction():
                        await self._term.move(self._term.cursor)
                        await effect.write([fact], connection)
                        await parked.take_off(connection, at, stream, before=fact.position + 1)
                yield
        del self._term.parked_for(effect.name)[stream]

    async def _fold_again(self, fold: AnyFold, at: Place, stream: StreamKey) -> AsyncGenerator[None]:
        """Fold the rows that the late facts touch again, up to where the consumer stands by the end of it."""
        waiting, connection = self._term.parked_for(fold.name), self._term.connection
        late = _Late(fold, stream, waiting)
        with _failing_at(late.first):
            async for facts in self._referred(at, stream):
                late.look_at(facts)
                yield
            complete = False
            while not complete:
                late.begin()
                reached, complete = START, True
                while complete and reached.position < self._term.cursor.position:
                    until = self._term.cursor
                    async with aclosing(self._history.between(connection, reached, until, fold.names)) as past:
                        async for facts in past:
                            complete = late.take_in(facts)
                            yield
                            if not complete:
                                break
                    reached = until
            # Nothing was yielded since the last look at the cursor: these rows are those of this very position.
            async with connection.transaction():
                await self._term.move(self._term.cursor)
                await fold.save(late.rows, connection)
                await parked.take_off(connection, at, stream, before=late.held)
        if late.held is None:
            del waiting[stream]
        else:
            waiting[stream] = late.held
            raise _FailedAgain(late.held) from late.cause

    async def _referred(self, at: Place, stream: StreamKey) -> AsyncGenerator[Sequence[Stored]]:
        position = 0
        while references := await parked.of_stream(self._term.connection, at, stream, PIECE, after=position):
            position = references[-1].position
            yield await self._history.referred(self._term.connection, references)


class _Late:
    """The rows that a stream's late facts touch, folded again.

    ``held``: the position of the first late fact that fails, from which on they stay parked; None while all can be
    taken in. ``waiting``: the first parked position of each stream, this one among them.
    """

    def __init__(self, fold: AnyFold, stream: StreamKey, waiting: Mapping[StreamKey, int]) -> None:
        self.first = waiting[stream]
        self.held: int | None = None
        self.cause: Exception | None = None
        self._fold = fold
        self._stream = stream
        self._waiting = waiting
        self._keys: set[Key] = set()
        self._folding = Folding(fold, self._keys.__contains__)

    @property
    def rows(self) -> Mapping[Key, object]:
        return self._folding.rows

    def look_at(self, facts: Sequence[Stored]) -> None:
        """Learn beforehand which rows late facts touch: what is learned later costs a run over all of history."""
        for fact in facts:
            if not self._stays(fact):
                self._learn(fact)

    def begin(self) -> None:
        self._folding = Folding(self._fold, self._keys.__contains__)

    def take_in(self, facts: Sequence[Stored]) -> bool:
        """Fold facts in. False: only now is it known which rows are touched, or which late fact fails: begin again."""
        for fact in facts:
            if fact.tenant != self._stream[0] or self._stays(fact):
                continue
            if self._is_late(fact) and self._learn(fact):
                return False
            try:
                self._folding.take_in(fact)
            except Exception as error:
                if not self._is_late(fact):
                    raise  # what was taken in once fails now: that is no fault of the late ones
                self._hold(fact, error)
                return False
        return True

    def _is_late(self, fact: Stored) -> bool:
        return (fact.tenant, fact.stream) == self._stream and fact.position >= self.first

    def _stays(self, fact: Stored) -> bool:
        if self._is_late(fact):
            return self.held is not None and fact.position >= self.held
        return parked.waits(fact, self._waiting)

    def _learn(self, fact: Stored) -> bool:
        """Whether a late fact tells something new: of a row not known of so far, or that it fails."""
        try:
            touched = {key for key, _ in self._fold.touched([fact])}
        except Exception as error:
            self._hold(fact, error)
            return True
        known = touched <= self._keys
        self._keys |= touched
        return not known

    def _hold(self, fact: Stored, error: Exception) -> None:
        """From here on they stay. Raises what failed where that leaves nothing to be taken in."""
        self.held, self.cause = fact.position, error
        if fact.position == self.first:
            raise error


@contextmanager
def _failing_at(position: int) -> Generator[None]:
    try:
        yield
    except _FailedAgain:
        raise
    except Exception as error:
        # A single fact that somebody asked for: what takes too long now would hold up its source at every try.
        if says_nothing(error) and not isinstance(error, TimeoutError):
            raise
        raise _FailedAgain(position) from error
