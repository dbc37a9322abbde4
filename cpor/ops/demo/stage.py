"""Plays all stories at once: sends what they ask for, reads the topics, hands each story its answer."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sized
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from cpor.domain.vocabulary import MS_PER_DAY, Code
from cpor.ops.clock import step_to, test_clock
from cpor.ops.demo.act import OPERATOR
from cpor.ops.demo.asks import Ask, Decide, Put, Refer, Respond, Result, Say, SayRaw, Story, Until, Upload, Wait
from cpor.ops.demo.outside import Effects, Links, spoken
from cpor.ops.directory import to_output
from cpor.ops.errors import NotReachable
from cpor.ops.inbox import Outcome, audited, outcome_of, to_inbox
from cpor.ops.instance import Instance
from cpor.ops.partner_client import Dropbox, PartnerClient, Receipt, read_receipt, upload
from cpor.ops.rest import resting
from cpor.runtime.record import Record, TopicPartition
from cpor.runtime.topics import Topic, receipts_topic
from schemas import envelope
from schemas.mail import BOUNCED, DELIVERED, SUPERSEDED

#: Nothing came for so long: something is wrong with the pipeline.
SILENCE_SECONDS = 60.0
#: Uploads at one time.
HANDS = 4
#: What is due within so long is due at once: midnight comes six times a day, once for each country.
TOGETHER_MS = 12 * 3_600_000
#: Stories that begin in one round: making their documents takes a moment, and the first answers should not wait.
ENTRANCES = 8


@dataclass(eq=False)
class Play:
    """A story being played; `name` is its row of the cast."""

    name: str
    story: Story


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
    #: Answers of customers and results of incentive systems, and how many of them came to something.
    told: int = 0
    heard: int = 0
    uploads: int = 0
    mails_written: int = 0
    #: Mails that were delivered, or for good not.
    mails: int = 0
    days: int = 0
    finished: int = 0

    @property
    def answers(self) -> int:
        """Everything a story has heard."""
        return self.receipts + self.outcomes + self.heard + self.uploads


class Stage:
    """One run. `changed` is called after each round of work, for progress; what is due within `together` ms of what is
    due first happens at once with it.
    """

    def __init__(
        self,
        instance: Instance,
        partners: Iterable[str],
        counts: Mapping[str, int],
        changed: Callable[[Tally], None],
        together: int = TOGETHER_MS,
    ) -> None:
        names = list(partners)
        self.instance = instance
        self.tally = Tally()
        self.surprises: list[Surprise] = []
        self._changed = changed
        self._together = together
        self._claims = counts[Topic.CLAIM_EVENTS]
        self._clients = {name: PartnerClient(instance.transport, name, counts[Topic.INTAKE_SLOTS]) for name in names}
        self._boxes = {name: Dropbox(instance.endpoints, name) for name in names}
        self._publisher = instance.transport.publisher()
        self._reader = instance.transport.reader()
        self._heard = self._sources(names)
        self._reader.assign(self._heard)
        self._held = ExitStack()
        self._rest = self._held.enter_context(resting(instance))
        self._hands = ThreadPoolExecutor(HANDS, thread_name_prefix="upload")
        self._queued: dict[str, list[tuple[Play, Say | SayRaw]]] = {name: [] for name in names}
        self._receipts: dict[str, tuple[Play, Say | SayRaw]] = {}
        self._outcomes: dict[str, tuple[Play, Decide]] = {}
        self._told: dict[str, tuple[Play, Respond | Result, Effects]] = {}
        self._links = Links()
        self._began = instance.clock.now()
        self._files: dict[Future[Any], tuple[Play, Ask]] = {}
        #: Stories, and the instants at which they go on.
        self._waiting: list[tuple[int, Play]] = []

    def _sources(self, partners: list[str]) -> dict[TopicPartition, int]:
        """Receipts and events from here on: an instance that is used again has older ones."""
        tps = [TopicPartition(receipts_topic(name), 0) for name in partners]
        heard = (Topic.CLAIM_EVENTS, Topic.CONSENT_EVENTS, Topic.MAIL, Topic.DELIVERIES)
        tps += [TopicPartition(topic, n) for topic in heard for n in range(self._claims)]
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
                heard = time.monotonic()
            self._changed(self.tally)
        self._rest.wait(self.instance.clock.now())

    def _pending(self) -> bool:
        return bool(self._missing() or any(self._queued.values()))

    def _busy(self) -> bool:
        return bool(self._pending() or self._waiting)

    def _missing(self) -> str:
        told: dict[str, Sized] = {
            "receipts": self._receipts,
            "outcomes": self._outcomes,
            "effects of what was told": self._told,
            "uploads": self._files,
        }
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
            case Respond() | Result():
                self._tell(play, ask)
            case Refer():
                self._publisher.send(to_output(ask.subscription, self._claims, self.instance.clock.now(), OPERATOR))
                self._go_on(play, None)
            case Wait():
                self._waiting.append((self._began + (self.tally.days + ask.days) * MS_PER_DAY, play))
            case Until():
                self._waiting.append((ask.instant, play))
            case Upload() | Put():
                self._files[self._hands.submit(self._carry, ask)] = (play, ask)

    def _decide(self, play: Play, ask: Decide) -> None:
        now = self.instance.clock.now()
        message_id, output = to_inbox(ask.command, ask.claim_id, ask.tenant_id, ask.data, ask.source, now, self._claims)
        entries = audited(ask.command, ask.claim_id, ask.tenant_id, ask.data["actor"], message_id, now)
        for each in (*entries, output):
            self._publisher.send(each)
        self._outcomes[message_id] = (play, ask)
        self.tally.decisions += 1

    def _tell(self, play: Play, ask: Respond | Result) -> None:
        said = spoken(ask, self._links, self.instance.clock.now(), self._claims)
        for output in said.outputs:
            self._publisher.send(output)
        self._told[said.message_id] = (play, ask, Effects(said.message_id, ask))
        self.tally.told += 1

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
        before = self.tally.answers
        for record in self._reader.poll(20, 5_000):
            self._read(record)
        for future in [each for each in self._files if each.done()]:
            play, ask = self._files.pop(future)
            self._got_file(play, ask, future.result())
        return self.tally.answers > before

    def _hear_all(self) -> None:
        """Everything that there is by now."""
        ends = self._reader.ends(list(self._heard))
        while any(self._reader.position(tp) < end for tp, end in ends.items()):
            self._hear()

    def _read(self, record: Record) -> None:
        if record.topic == Topic.CLAIM_EVENTS:
            self._read_event(record)
        elif record.topic == Topic.CONSENT_EVENTS:
            self._links.see(record)
            self._read_effect(record)
        elif record.topic == Topic.MAIL:
            self.tally.mails_written += 1
        elif record.topic == Topic.DELIVERIES:
            self.tally.mails += record.header(envelope.TYPE) in (DELIVERED, BOUNCED, SUPERSEDED)
        else:
            receipt = read_receipt(record.key, record.value, record.headers)
            asked = self._receipts.pop(receipt.receipt_id, None)
            if asked is not None:
                self._got_receipt(*asked, receipt)

    def _read_event(self, record: Record) -> None:
        self._read_effect(record)
        cause = record.header(envelope.CAUSATION) or ""
        decided = self._outcomes.get(cause)
        outcome = decided and outcome_of(record, cause, decided[1].claim_id)
        if decided and outcome:
            del self._outcomes[cause]
            self._got_outcome(*decided, outcome)

    def _read_effect(self, record: Record) -> None:
        """Of what a customer or an incentive system told."""
        message = record.header(envelope.CORRELATION) or ""
        if message not in self._told:
            return
        play, ask, effects = self._told[message]
        came = effects.hear(record)
        if came is not None:
            del self._told[message]
            self.tally.heard += 1
            what = ask.answer if isinstance(ask, Respond) else ask.command
            self._answer(play, f"{ask.claim_id} {what}", ask.expect, came == ask.expect, came, came)

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
        """All stories wait: time goes by until the first of them goes on; everything that is due then has happened."""
        target = min(instant for instant, _ in self._waiting)
        self._pass_to(target)
        waiting, self._waiting = self._waiting, []
        for instant, play in waiting:
            if instant > target:
                self._waiting.append((instant, play))
            else:
                self._go_on(play, None)

    def _pass_to(self, target: int) -> None:
        def told(now: int, steps: int) -> None:
            self._hear_all()
            self.tally.days = (now - self._began) // MS_PER_DAY
            self._changed(self.tally)

        step_to(self._rest, test_clock(self.instance), target, told, together=self._together)

    def close(self) -> None:
        self._held.close()
        self._hands.shutdown(wait=False, cancel_futures=True)
        for client in self._clients.values():
            client.close()
        self._publisher.close()
        self._reader.close()


def _told(receipt: Receipt) -> str:
    errors = "; ".join(f"{each['field']} {each['code']}" for each in receipt.value["errors"])
    return f"{receipt.code}: {receipt.value['detail']} {errors}".strip()
