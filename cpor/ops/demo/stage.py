"""Plays all stories at once: sends what they ask for, reads the topics, hands each story its answer."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sized
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from cpor.domain.vocabulary import MS_PER_DAY, Code
from cpor.ops.demo.asks import Ask, Decide, Put, Say, SayRaw, Story, Upload, Wait
from cpor.ops.errors import NotReachable
from cpor.ops.inbox import Outcome, outcome_of, to_inbox
from cpor.ops.instance import Instance
from cpor.ops.partner_client import Dropbox, PartnerClient, Receipt, read_receipt, upload
from cpor.runtime.clock import TestClock
from cpor.runtime.record import Record, TopicPartition
from cpor.runtime.topics import Topic, receipts_topic
from schemas import envelope

#: Nothing came for so long: something is wrong with the pipeline.
SILENCE_SECONDS = 60.0
#: Uploads at one time.
HANDS = 4
#: Stories that begin in one round: making their documents takes a moment, and the first answers should not wait.
ENTRANCES = 8


@dataclass(eq=False)
class Play:
    """A story being played; `name` is its row of the cast."""

    name: str
    story: Story
    waiting: Wait | None = None


@dataclass(frozen=True, slots=True)
class Surprise:
    """An answer that the story did not expect: it ends there."""

    play: str
    asked: str
    expected: str
    got: str

    def __str__(self) -> str:
        return f"{self.play}: {self.asked}: expected {self.expected}, got {self.got}"


@dataclass
class Tally:
    """What was sent; the reconciliation compares it with what the topics hold."""

    sent: Counter[str] = field(default_factory=Counter)
    receipts: int = 0
    decisions: int = 0
    outcomes: int = 0
    uploads: int = 0
    days: int = 0
    finished: int = 0


class Stage:
    """One run. `changed` is called after each round of work, for progress."""

    def __init__(
        self, instance: Instance, partners: Iterable[str], counts: Mapping[str, int], changed: Callable[[Tally], None]
    ) -> None:
        names = list(partners)
        self.instance = instance
        self.tally = Tally()
        self.surprises: list[Surprise] = []
        self._changed = changed
        self._claims = counts[Topic.CLAIM_EVENTS]
        self._clients = {name: PartnerClient(instance.transport, name, counts[Topic.INTAKE_SLOTS]) for name in names}
        self._boxes = {name: Dropbox(instance.endpoints, name) for name in names}
        self._publisher = instance.transport.publisher()
        self._reader = instance.transport.reader()
        self._reader.assign(self._sources(names))
        self._hands = ThreadPoolExecutor(HANDS, thread_name_prefix="upload")
        self._queued: dict[str, list[tuple[Play, Say | SayRaw]]] = {name: [] for name in names}
        self._receipts: dict[str, tuple[Play, Say | SayRaw]] = {}
        self._outcomes: dict[str, tuple[Play, Decide]] = {}
        self._files: dict[Future[Any], tuple[Play, Ask]] = {}
        self._waiting: list[Play] = []

    def _sources(self, partners: list[str]) -> dict[TopicPartition, int]:
        """Receipts and events from here on: an instance that is used again has older ones."""
        tps = [TopicPartition(receipts_topic(name), 0) for name in partners]
        tps += [TopicPartition(Topic.CLAIM_EVENTS, n) for n in range(self._claims)]
        return self._reader.ends(tps)

    def play(self, plays: Iterable[Play]) -> None:
        """Play all stories to their end. Raises NotReachable when the pipeline falls silent."""
        fresh = deque(plays)
        heard = time.monotonic()
        while fresh or self._busy():
            for _ in range(min(ENTRANCES, len(fresh))):
                self._go_on(fresh.popleft(), None)
            self._flush()
            if self._hear():
                heard = time.monotonic()
            elif time.monotonic() - heard > SILENCE_SECONDS:
                raise NotReachable(
                    f"nothing came for {SILENCE_SECONDS:.0f} s while {self._missing()}; see `cpor status`"
                )
            if self._waiting and not fresh and not self._pending():
                self._let_days_pass()
            self._changed(self.tally)

    def _pending(self) -> bool:
        return bool(self._receipts or self._outcomes or self._files or any(self._queued.values()))

    def _busy(self) -> bool:
        return bool(self._pending() or self._waiting)

    def _missing(self) -> str:
        told: dict[str, Sized] = {"receipts": self._receipts, "outcomes": self._outcomes, "uploads": self._files}
        return ", ".join(f"{len(each)} {name} were awaited" for name, each in told.items() if each)

    # -- asking ---------------------------------------------------------------------------------------------------

    def _go_on(self, play: Play, answer: Any) -> None:
        try:
            ask = play.story.send(answer)
        except StopIteration:
            self.tally.finished += 1
            return
        self._ask(play, ask)

    def _ask(self, play: Play, ask: Ask) -> None:
        match ask:
            case Say():
                self._clients[ask.partner_id].send(ask.claim_ref, ask.command, ask.data, message_id=ask.message_id)
                self._queued[ask.partner_id].append((play, ask))
            case SayRaw():
                self._clients[ask.partner_id].send_raw(ask.claim_ref, ask.value, list(ask.headers))
                self._queued[ask.partner_id].append((play, ask))
            case Decide():
                self._decide(play, ask)
            case Wait():
                play.waiting = ask
                self._waiting.append(play)
            case Upload() | Put():
                self._files[self._hands.submit(self._carry, ask)] = (play, ask)

    def _decide(self, play: Play, ask: Decide) -> None:
        now = self.instance.clock.now()
        message_id, output = to_inbox(ask.command, ask.claim_id, ask.tenant_id, ask.data, ask.source, now, self._claims)
        self._publisher.send(output)
        self._outcomes[message_id] = (play, ask)
        self.tally.decisions += 1

    def _carry(self, ask: Upload | Put) -> Any:
        proof = ask.proof
        if isinstance(ask, Upload):
            return upload(ask.where, proof.filename, proof.content_type, proof.content)
        box = self._boxes[ask.partner_id]
        key = box.put(proof.content, proof.content_type, ask.name) if ask.uploaded else box.key(b"", ask.name)
        return {"object_key": key, **proof.declared(), **ask.declared, **proof.said()}

    def _flush(self) -> None:
        """Only the broker knows a record's offset, which names its receipt."""
        for name, queued in self._queued.items():
            if queued:
                sent = self._clients[name].flush()
                self._receipts.update((each.receipt_id, asked) for each, asked in zip(sent, queued, strict=True))
                self.tally.sent[name] += len(sent)
                queued.clear()
        self._publisher.flush()

    # -- hearing --------------------------------------------------------------------------------------------------

    def _hear(self) -> bool:
        """Hand out the answers that have come; whether there were any."""
        before = self.tally.receipts + self.tally.outcomes + self.tally.uploads
        for record in self._reader.poll(20, 5_000):
            self._read(record)
        for future in [each for each in self._files if each.done()]:
            play, ask = self._files.pop(future)
            self._got_file(play, ask, future.result())
        return self.tally.receipts + self.tally.outcomes + self.tally.uploads > before

    def _read(self, record: Record) -> None:
        if record.topic != Topic.CLAIM_EVENTS:
            receipt = read_receipt(record.key, record.value, record.headers)
            asked = self._receipts.pop(receipt.receipt_id, None)
            if asked is not None:
                self._got_receipt(*asked, receipt)
            return
        cause = record.header(envelope.CAUSATION) or ""
        decided = self._outcomes.get(cause)
        outcome = decided and outcome_of(record, cause, decided[1].claim_id)
        if decided and outcome:
            del self._outcomes[cause]
            self._got_outcome(*decided, outcome)

    def _got_receipt(self, play: Play, ask: Say | SayRaw, receipt: Receipt) -> None:
        self.tally.receipts += 1
        named = [receipt.code, *(each["code"] for each in receipt.value["errors"])]
        asked = ask.command if isinstance(ask, Say) else "a raw record"
        self._answer(play, f"{ask.claim_ref} {asked}", ask.expect, ask.expect in named, _told(receipt), receipt)

    def _got_outcome(self, play: Play, ask: Decide, outcome: Outcome) -> None:
        self.tally.outcomes += 1
        code = Code(outcome.value["code"]) if outcome.refused else None
        got = str(outcome.value.get("detail") or outcome.event)
        self._answer(
            play, f"{ask.claim_id} {ask.command}", ask.expect or "no refusal", code == ask.expect, got, outcome
        )

    def _got_file(self, play: Play, ask: Ask, answer: Any) -> None:
        self.tally.uploads += 1
        if isinstance(ask, Upload):
            taken = 200 <= answer < 300
            self._answer(play, f"upload of {ask.proof.filename}", "HTTP 2xx", taken, f"HTTP {answer}", answer)
        else:
            self._answer(play, "put", "", True, "", answer)

    def _answer(self, play: Play, asked: str, expected: str, as_expected: bool, got: str, answer: Any) -> None:
        if as_expected:
            self._go_on(play, answer)
            return
        self.surprises.append(Surprise(play.name, asked, str(expected), got))
        play.story.close()

    # -- time -----------------------------------------------------------------------------------------------------

    def _let_days_pass(self) -> None:
        """All stories wait: a day goes by; who has waited enough goes on."""
        assert self.instance.test_clock is not None, "the demo runs on a test clock"
        clock = TestClock(self.instance.test_clock)
        clock.set(clock.now() + MS_PER_DAY)
        self.tally.days += 1
        waiting, self._waiting = self._waiting, []
        for play in waiting:
            days = play.waiting.days - 1 if play.waiting else 0
            play.waiting = Wait(days) if days else None
            if play.waiting:
                self._waiting.append(play)
            else:
                self._go_on(play, None)

    def close(self) -> None:
        self._hands.shutdown(wait=False, cancel_futures=True)
        for client in self._clients.values():
            client.close()
        self._publisher.close()
        self._reader.close()


def _told(receipt: Receipt) -> str:
    errors = "; ".join(f"{each['field']} {each['code']}" for each in receipt.value["errors"])
    return f"{receipt.code}: {receipt.value['detail']} {errors}".strip()
