"""A customer who follows the link of the newest mail and presses a button, as a browser sends it."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import urljoin

import urllib3

from cpor.ops.instance import Instance
from cpor.ops.mailbox import read_mails
from schemas.consent import Answer
from schemas.mail import MailKind

PATIENCE = 60.0
TO_CUSTOMERS = (MailKind.CUSTOMER_REQUESTED, MailKind.CUSTOMER_APPROVED)
_LINK = re.compile(r"https?://\S+token=\S+")
_FIELD = re.compile(r'name="(token|form|lang)" value="([^"]*)"')
_HEARD = re.compile(r'<section class="notice (\w+)".*?<h2 id="heard">(.*?)</h2>', re.DOTALL)


@dataclass
class Visitor:
    """The customer of one claim, without scripts, styles or cookies."""

    instance: Instance
    claim_id: str
    http: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(timeout=30))

    def link(self) -> str:
        mine = [each for each in read_mails(self.instance) if each.message["X-CPOR-Claim"] == self.claim_id]
        newest = [each for each in mine if str(each.message["X-CPOR-Kind"]) in TO_CUSTOMERS][-1]
        (link,) = _LINK.findall(newest.body())
        return str(link)

    def answers(self, answer: Answer) -> str:
        """What the page says once the answer has been judged."""
        link = self.link()
        fields = {**dict(_FIELD.findall(self._opened(link))), "answer": answer.value}
        where = urljoin(link, "answer")
        said = self.http.request("POST", where, fields=fields, encode_multipart=False, redirect=False)
        assert said.status == 303, said.data
        return self._heard(urljoin(where, said.headers["Location"]))

    def _opened(self, link: str) -> str:
        page = self.http.request("GET", link)
        assert page.status == 200, page.data
        return page.data.decode()

    def _heard(self, link: str) -> str:
        deadline = time.monotonic() + PATIENCE
        while True:
            found = _HEARD.search(self._opened(link))
            if found and found[1] != "processing":
                return unescape(found[2])
            assert time.monotonic() < deadline, f"nobody judged the answer about {self.claim_id}"
