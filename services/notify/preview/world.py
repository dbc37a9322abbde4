"""Who the previews are about: one claim, its partner and its customer, in each language's own names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, NamedTuple

from cpor.domain import ids
from cpor.domain.model import ClaimForm, CustomerContact, PartnerContact, RunningClock
from cpor.domain.policy import policy
from cpor.domain.reference import Customer, Partner, User
from cpor.domain.vocabulary import (
    Clock,
    Edition,
    Engagement,
    LocationId,
    PartnerId,
    PartnerRole,
    PartnerStatus,
    SolutionArea,
    Status,
    SubscriptionId,
    TenantId,
    UserId,
    UserRole,
    parse_instant,
)
from services.notify.claim import ClaimRow
from services.notify.drafts import Settings, Told

AT = parse_instant("2024-03-04T08:00:00Z")
DUE = parse_instant("2024-03-22T23:00:00Z")
ZONE = "Europe/Berlin"
TENANT = TenantId("3f0e1d7a-5b1c-4c7e-9a51-0d7d1a2b3c4d")
SUBSCRIPTION = SubscriptionId("7c9e6679-7425-40de-944b-e07fc1f90ae7")
PARTNER = PartnerId("P-1001")
CLAIM_REF = "2024-modern-work-0017"
CLAIM = ids.claim_id(PARTNER, CLAIM_REF)
#: As many as a long list has.
MANY = 12
OPERATIONS = "operations@cpor.example"
PAGE = "https://consent.example/answer"


class Size(StrEnum):
    """Everything that may stand in a mail, long; or the least."""

    FULL = "full"
    MINIMAL = "minimal"


class People(NamedTuple):
    """Names as they are in a language's countries, and a comment."""

    contact: str
    customer: str
    partner_contact: str
    partner: str
    claim: str
    comment: str
    zone: str


PEOPLE: Mapping[str, People] = {
    "en": People(
        "Dr. Alexandra Featherstonehaugh-Montgomery",
        "Contoso Pharmaceuticals Research & Development Holdings plc",
        "Christopher Okonkwo-Williamson",
        "Northwind Traders International Consulting and Cloud Services Ltd",
        "Modern workplace roll-out for all research sites in the United Kingdom and Ireland, phase 2",
        "The statement of work names Teams only.\n\n"
        "Please add a page that describes the Intune roll-out,\nwith the customer's signature.",
        "America/New_York",
    ),
    "de": People(
        "Dr. Anneliese von Hohenstein-Wittgenstein",
        "Süddeutsche Arzneimittelforschungs- und Entwicklungsgesellschaft mbH & Co. KG",
        "Karl-Friedrich Müller-Lüdenscheidt",
        "Nordwind Unternehmensberatung und Cloud-Dienstleistungen GmbH",
        "Einführung des modernen Arbeitsplatzes an allen Forschungsstandorten, zweiter Abschnitt",
        "Die Leistungsbeschreibung nennt nur Teams.\n\n"
        "Bitte ergänzen Sie eine Seite zur Einführung von Intune,\nmit der Unterschrift des Kunden.",
        "America/New_York",
    ),
    "ja": People(
        "長谷川 佳奈子",
        "株式会社コントソ製薬研究開発ホールディングス東日本統括本部",
        "小笠原 健太郎",
        "ノースウィンド・クラウドコンサルティング株式会社 東京オフィス",
        "全研究拠点へのモダンワークプレイス展開プロジェクト(第二期)",
        "作業範囲記述書には Teams のみが記載されています。\n\n"
        "Intune の展開について説明したページを、お客様の署名を添えて\n追加してください。",
        "Asia/Tokyo",
    ),
    "pt-PT": People(
        "Eng.ª Maria da Conceição Vasconcelos de Albuquerque",
        "Contoso Farmacêutica – Investigação e Desenvolvimento, Sociedade Unipessoal, Lda.",
        "João Sebastião Gonçalves Magalhães",
        "Vento Norte – Consultoria Informática e Serviços na Nuvem, S.A.",
        "Implementação do local de trabalho moderno em todos os centros de investigação, segunda fase",
        "A descrição dos trabalhos refere apenas o Teams.\n\n"
        "Acrescente uma página que descreva a implementação do Intune,\ncom a assinatura do cliente.",
        "Europe/Lisbon",
    ),
    "zh-Hant": People(
        "歐陽 佳蓉",
        "康托索製藥研究開發控股股份有限公司臺北營運總部",
        "司徒 建宏",
        "北風雲端顧問服務股份有限公司 臺灣分公司",
        "全研究據點現代化工作環境導入專案(第二階段)",
        "工作說明書僅提及 Teams。\n\n請補上一頁說明 Intune 導入內容,\n並附客戶簽名。",
        "Asia/Taipei",
    ),
}


@dataclass(frozen=True, slots=True)
class World:
    """What a preview is made from."""

    language: str
    edition: Edition
    size: Size

    @property
    def full(self) -> bool:
        return self.size is Size.FULL

    @property
    def people(self) -> People:
        return PEOPLE[self.language]

    @property
    def comment(self) -> str:
        return self.people.comment if self.full else self.people.comment.partition("\n")[0]

    @property
    def comment_or_none(self) -> str | None:
        """Where a comment may be left out."""
        return self.comment if self.full else None

    def row(self, status: Status, *clocks: Clock, **changes: Any) -> ClaimRow:
        """A Modern Work claim, with these clocks running."""
        people, language = self.people, self.language
        made = ClaimRow(
            CLAIM, CLAIM_REF, PARTNER, self.edition, status, 4, self._form(), ZONE,
            CustomerContact(people.contact, "CIO", "cio@contoso.example", language),
            PartnerContact(people.partner_contact, "claims@northwind.example", language),
            clocks=tuple(self._running(each) for each in clocks),
        )  # fmt: skip
        return replace(made, **changes)

    def _running(self, clock: Clock) -> RunningClock:
        """With as many days as the edition gives it; all end on one day."""
        budget = policy(self.edition).clocks[clock].text
        return RunningClock(clock, 4, AT, budget, "DE-BY/holidays-0.108", DUE)

    def sold(self, status: Status, *clocks: Clock, **changes: Any) -> ClaimRow:
        """A Business Applications claim, by subscription."""
        catalogue = tuple(policy(self.edition).catalogue[SolutionArea.BUSINESS_APPLICATIONS])
        form = replace(
            self._form(), solution_area=SolutionArea.BUSINESS_APPLICATIONS, subscription_id=SUBSCRIPTION,
            partner_role=PartnerRole.INFLUENCED_REVENUE, engagement=Engagement.BUSINESS_APPLICATIONS_REVENUE,
            workloads=catalogue[:MANY] if self.full else ("sales",),
        )  # fmt: skip
        return self.row(status, *clocks, **({"form": form} | changes))

    def _form(self) -> ClaimForm:
        catalogue = tuple(policy(self.edition).catalogue[SolutionArea.MODERN_WORK_SECURITY])
        return ClaimForm(
            self.people.claim if self.full else "Teams", LocationId("4711001"), TENANT,
            SolutionArea.MODERN_WORK_SECURITY, PartnerRole.USE_OR_CONSUME, Engagement.MODERN_WORK_SECURITY_USAGE,
            catalogue[:MANY] if self.full else ("teams",),
        )  # fmt: skip

    def told(self, row: ClaimRow, before: Status | None = None) -> Told:
        """The least is a claim whose partner and customer are in no directory, where no page for answers runs."""
        earlier = None if before is None else replace(row, status=before)
        if not self.full:
            return Told(row, earlier, None, None, Settings(1, "", OPERATIONS))
        return Told(row, earlier, self._partner(), self._customer(), Settings(1, PAGE, OPERATIONS))

    def _partner(self) -> Partner:
        people = self.people
        copied = User(
            UserId("u-copy"), people.partner_contact, "copy@northwind.example", UserRole.INCENTIVES_ADMIN,
            self.language, copy_on_mail=True,
        )  # fmt: skip
        return Partner(
            PARTNER, people.partner, PartnerStatus.ACTIVE, "DE", timezone=people.zone, language=self.language,
            users=(copied,),
        )  # fmt: skip

    def _customer(self) -> Customer:
        return Customer(TENANT, self.people.customer, timezone=self.people.zone, language=self.language)
