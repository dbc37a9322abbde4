"""The page over HTTP: `GET /` shows a claim and changes nothing, `POST /answer` puts an answer on the log."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import structlog
from flask import Flask, Response, g, make_response, redirect, render_template, request
from jinja2 import StrictUndefined
from werkzeug.exceptions import HTTPException

from cpor.domain.vocabulary import Instant
from cpor.runtime.clock import Clock
from cpor.words import Speech, speak
from schemas.consent import Answer
from services.consent.answers import Effect, Unchanged
from services.consent.page.answering import Log, NotWritten, doubts_of, evidence_of, output_of, response_of
from services.consent.page.guard import USUAL, Limiter, Rates, protect, source
from services.consent.page.knowledge import Knowledge, Known
from services.consent.page.languages import NAMES, language_of
from services.consent.page.shown import shown
from services.consent.page.standing import Heard, is_live, standing_of
from services.consent.tokens import About, Tokens

log = structlog.get_logger("cpor.consent.page")

#: How long a question may wait for the view, and an answer for its judgement, seconds.
VIEW_SECONDS = 5.0
JUDGED_SECONDS = 2.0
READY_SECONDS = 2.0
LARGEST_BODY = 8 * 1024


class Trouble(StrEnum):
    """Why there is no claim to show; each is a part of `trouble.html`."""

    WRONG_LINK = "wrong_link"
    OLD_LINK = "old_link"
    TOO_OFTEN = "too_often"
    UNAVAILABLE = "unavailable"
    NOT_RECORDED = "not_recorded"
    BAD_FORM = "bad_form"
    NO_PAGE = "no_page"


_STATUS: Mapping[Trouble, HTTPStatus] = {
    Trouble.WRONG_LINK: HTTPStatus.NOT_FOUND,
    Trouble.OLD_LINK: HTTPStatus.GONE,
    Trouble.TOO_OFTEN: HTTPStatus.TOO_MANY_REQUESTS,
    Trouble.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    Trouble.NOT_RECORDED: HTTPStatus.SERVICE_UNAVAILABLE,
    Trouble.BAD_FORM: HTTPStatus.BAD_REQUEST,
    Trouble.NO_PAGE: HTTPStatus.NOT_FOUND,
}


class Refusal(Exception):
    """The request ends here; `retry` in seconds."""

    def __init__(self, trouble: Trouble, retry: int | None = None) -> None:
        self.trouble, self.retry = trouble, retry
        super().__init__(trouble)


@dataclass(frozen=True, slots=True)
class Site:
    """What the page is made of. `contact`: where people reach us by mail, empty where nobody said. `judged_seconds`:
    how long a page waits for an answer that is on the log to be judged.
    """

    knowledge: Knowledge
    tokens: Tokens
    answers: Log
    clock: Clock
    partitions: int
    contact: str = ""
    https: bool = False
    rates: Rates = USUAL
    judged_seconds: float = JUDGED_SECONDS


@dataclass(frozen=True, slots=True)
class Opened:
    """A link that leads to a claim, at one moment."""

    token: str
    about: About
    known: Known
    now: int


def app_of(site: Site) -> Flask:
    """A WSGI application."""
    app = Flask("services.consent.page", static_url_path="/static")
    app.config.update(MAX_CONTENT_LENGTH=LARGEST_BODY, MAX_FORM_MEMORY_SIZE=LARGEST_BODY, MAX_FORM_PARTS=20)
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 3600
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    page = Page(site)
    app.add_url_rule("/", "claim", page.claim, methods=["GET"])
    app.add_url_rule("/answer", "answer", page.answer, methods=["POST"])
    app.add_url_rule("/healthz", "healthz", lambda: text("ok"), methods=["GET"])
    app.add_url_rule("/readyz", "readyz", page.ready, methods=["GET"])
    app.register_error_handler(Refusal, page.refused)
    app.register_error_handler(HTTPException, page.not_served)
    app.register_error_handler(Exception, page.failed)
    protect(app, https=site.https)
    return app


class Page:
    """The views of one site."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._limiter = Limiter(site.rates)

    # -- requests -------------------------------------------------------------------------------------------------

    def claim(self) -> Response:
        """Changes nothing, however often it is asked for."""
        opened = self._open(request.args.get("token", ""), "address", "link")
        speech = self._speech(opened.known)
        where = standing_of(opened.known, opened.about, opened.now)
        g.outcome = where.heard.value
        form = self._site.tokens.make_form(opened.token, Instant(opened.now))
        facts = shown(opened.known, where, speech)
        return self._rendered("claim.html", speech, opened.token, HTTPStatus.OK, claim=facts, form=form)

    def answer(self) -> Response:
        """Puts the answer on the log, and then leads back to the page, so that a reload does nothing."""
        opened = self._open(request.form.get("token", ""), "answers_of_address", "answers_of_link")
        try:
            answer = Answer(request.form.get("answer", ""))
        except ValueError:
            raise Refusal(Trouble.BAD_FORM) from None
        would = standing_of(opened.known, opened.about, opened.now).would(answer)
        if would.effect != Effect.IGNORED or would.reason in (Unchanged.TOO_LATE, Unchanged.TOO_MANY):
            self._record(opened, answer)
            self._await_verdict(opened)
        else:
            g.outcome = "unchanged"
        back = {"token": opened.token} | {name: request.form[name] for name in ("lang",) if request.form.get(name)}
        moved = redirect(f"./?{urlencode(back)}", HTTPStatus.SEE_OTHER)
        return make_response(moved)

    def ready(self) -> Response:
        """Kafka answers, and the view has read all there is."""
        if self._site.knowledge.caught_up(READY_SECONDS):
            return text("ready")
        return text("Kafka does not answer, or the view has not caught up", HTTPStatus.SERVICE_UNAVAILABLE)

    # -- steps ----------------------------------------------------------------------------------------------------

    def _open(self, token: str, address_rate: str, link_rate: str) -> Opened:
        """The claim that a link leads to. Raises Refusal."""
        asker = source(request.remote_addr)
        self._limit(address_rate, asker)
        about = self._site.tokens.read(token)
        if about is None:
            self._limit("wrong_links", asker)
            raise Refusal(Trouble.WRONG_LINK)
        self._limit(link_rate, about.request)
        if not self._site.knowledge.caught_up(VIEW_SECONDS):
            raise Refusal(Trouble.UNAVAILABLE, 30)
        known, now = self._site.knowledge.of(about.claim_id, about.request), self._site.clock.now()
        if known is None or not is_live(known, about, now):
            raise Refusal(Trouble.OLD_LINK)
        return Opened(token, about, known, now)

    def _limit(self, kind: str, key: str) -> None:
        seconds = self._limiter.wait(kind, key)
        if seconds is not None:
            raise Refusal(Trouble.TOO_OFTEN, seconds)

    def _record(self, opened: Opened, answer: Answer) -> None:
        """Raises Refusal where the log did not take it."""
        notice, now = opened.known.notice, opened.now
        opened_at = self._site.tokens.read_form(opened.token, request.form.get("form", ""))
        doubts = doubts_of(notice, opened_at, now)
        agent, language = request.headers.get("User-Agent", ""), self._speech(opened.known).language
        evidence = evidence_of(opened.about, notice, opened_at, now, agent, language)
        said = response_of(opened.about, answer, doubts, evidence)
        try:
            self._site.answers.write(output_of(opened.about, said, now, self._site.partitions))
        except NotWritten as fault:
            log.error("an answer was not written", claim=opened.about.claim_id, cause=str(fault))
            raise Refusal(Trouble.NOT_RECORDED, 30) from fault
        g.outcome = "held" if doubts else "recorded"

    def _await_verdict(self, opened: Opened) -> None:
        """For a moment: the page then tells what came of it instead of that it is being looked at."""
        deadline = time.monotonic() + self._site.judged_seconds
        while time.monotonic() < deadline:
            if not self._site.knowledge.caught_up(deadline - time.monotonic()):
                return
            known = self._site.knowledge.of(opened.about.claim_id, opened.about.request)
            if known is None or standing_of(known, opened.about, opened.now).heard is not Heard.PROCESSING:
                return
            time.sleep(0.05)

    # -- what is sent back ----------------------------------------------------------------------------------------

    def refused(self, refusal: Refusal) -> Response:
        g.outcome = refusal.trouble.value
        made = self._trouble(refusal.trouble)
        if refusal.retry is not None:
            made.headers["Retry-After"] = str(refusal.retry)
        return made

    def not_served(self, fault: HTTPException) -> Response:
        """Another path, another method, too large a body: nothing that a link or a button of ours leads to."""
        trouble = Trouble.NO_PAGE if fault.code == HTTPStatus.NOT_FOUND else Trouble.BAD_FORM
        made = self._trouble(trouble, fault.code)
        if fault.code == HTTPStatus.METHOD_NOT_ALLOWED:
            made.headers["Allow"] = dict(fault.get_headers()).get("Allow", "GET")
        return made

    def failed(self, fault: Exception) -> Response:
        """The view's file while it starts over, or a fault of ours: in the log with its cause, not on the page."""
        passing = isinstance(fault, sqlite3.OperationalError)
        log.error("a request failed", cause=repr(fault)[:300], exc_info=None if passing else fault)
        status = HTTPStatus.SERVICE_UNAVAILABLE if passing else HTTPStatus.INTERNAL_SERVER_ERROR
        return self._trouble(Trouble.UNAVAILABLE, status)

    def _trouble(self, trouble: Trouble, status: int | None = None) -> Response:
        token = (request.args if request.method != "POST" else {}).get("token", "")
        return self._rendered("trouble.html", self._speech(), token, status or _STATUS[trouble], trouble=trouble.value)

    def _rendered(self, template: str, speech: Speech, token: str, status: int, **facts: Any) -> Response:
        """`token` stands in the links to the other languages."""
        tongues = [
            (tag, name, f"./?{urlencode({'token': token, 'lang': tag} if token else {'lang': tag})}")
            for tag, name in NAMES.items()
        ]
        common = {"say": speech.say, "speech": speech, "tongues": tongues, "token": token}
        made = make_response(render_template(template, contact=self._site.contact, **common, **facts), status)
        made.headers["Content-Language"] = speech.language
        made.headers["Vary"] = "Accept-Language"
        return made

    def _speech(self, known: Known | None = None) -> Speech:
        asked = request.args.get("lang") or _field("lang")
        wanted = () if known is None else (known.contact_language, known.customer_language)
        return speak(language_of(asked, *wanted, *request.accept_languages.values()))


def _field(name: str) -> str:
    """Of the form that was sent; empty where its body is none, or too large to be read."""
    try:
        return request.form.get(name, "")
    except HTTPException:
        return ""


def text(content: str, status: int = HTTPStatus.OK) -> Response:
    made = make_response(f"{content}\n", status)
    made.headers["Content-Type"] = "text/plain; charset=utf-8"
    return made
