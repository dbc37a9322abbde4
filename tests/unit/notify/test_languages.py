"""What the mails have to say in each language, and the words that a reader there would stumble over."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

import pytest

from cpor.domain.vocabulary import Edition
from cpor.words.speech import catalogue
from services.notify.preview.pages import Shown, Wanted, shown
from tests.unit.notify.html_text import html_text


@dataclass(frozen=True, slots=True)
class Words:
    """Patterns (regular expressions) of one language."""

    nothing_to_do: str
    not_seen: str
    any_time: str
    only_seven_days: str
    until_when: str
    no_payout: str
    decline: str
    where_the_reason_stands: str
    how_to_dispute: str
    new_claim: str
    proof: str
    #: In no mail at all: bad translations, words of other countries, spaces where there are none.
    never: tuple[str, ...]


WORDS: Mapping[str, Words] = {
    "de": Words(
        nothing_to_do="Sie müssen nichts tun",
        not_seen="keine Inhalte, keine E-Mails oder Dateien, keine Daten über einzelne Personen, keinerlei Verwaltungs",
        any_time="können Sie jederzeit ablehnen",
        only_seven_days="innerhalb von sieben Tagen ablehnen, danach nicht mehr",
        until_when="Freitag, 22. März 2024",
        no_payout="Das ist keine Genehmigung einer Auszahlung",
        decline="lehn",
        where_the_reason_stands="Die Gründe und alle Kommentare stehen im Antrag.*Kommentare.*Verlauf",
        how_to_dispute="Widerspruch.{0,2} und senden Sie eine geschäftliche Begründung, einen neueren",
        new_claim="neuen Antrag",
        proof="nachweis",
        never=(
            "Anspr[uü]ch", "Forderung", "Streit", "[Bb]estreiten", "Verband", "Assoziation", "Projektmappe", "Rejected",
            "Globaler", "Beeinflusste Umsatzerkennung", "erforderliche[rn]? Status", "sich abmelden", "Werktag",
            "[Vv]erweiger", "Kunde abgelehnt", r"\bdu\b|\bdein", "bitte Sie", r"[^.]\.\.(?!\.)", " [,;]",
        ),
    ),
    "pt-PT": Words(
        nothing_to_do="Não tem de fazer nada",
        not_seen="nem conteúdos, nem e-mails ou ficheiros, nem dados sobre pessoas em particular",
        any_time="pode recusar a qualquer momento",
        only_seven_days="pode recusar no prazo de sete dias; depois disso já não é possível",
        until_when="sexta-feira, 22 de março de 2024",
        no_payout="Esta não é a aprovação de um pagamento",
        decline="recus",
        where_the_reason_stands="Os motivos e todos os comentários constam do próprio pedido.*Comentários.*Histórico",
        how_to_dispute="Contestar.{0,2} e envie uma justificação comercial, uma prova de execução mais recente",
        new_claim="novo pedido",
        proof="prova",
        never=(
            "reivindica", "reclama", "declaraç", "recuperar", "compilação", "assinatura(?! do cliente)", "usuário",
            "equipe", "arquivo", "contato", "gerenci", "locatário", "registro", "registrad", r"\buso\b", "tela",
            r"\b(?:está|estão|estar)\s\w+ndo\b", r"\bvocê", "compromisso", r"[^.]\.\.(?!\.)", " [,;]",
        ),
    ),
    "ja": Words(
        nothing_to_do="お手続きは必要ありません",
        not_seen="コンテンツ、メール、ファイル、個人に関するデータ、上記以外の製品に関する情報は開示されません",
        any_time="いつでも拒否できます",
        only_seven_days="7日以内であれば拒否できます。期間を過ぎると、拒否できなくなります",
        until_when="2024年3月22日金曜日",
        no_payout="この承認は、支払いの承認ではありません",
        decline="拒否",
        where_the_reason_stands="却下の理由とすべてのコメントは.*「コメント」と「履歴」",
        how_to_dispute="「異議申し立て」を選択し、理由の説明、より新しい実行証明、またはその両方",
        new_claim="新たに申請",
        proof="証明",
        never=(
            "クレーム", "請求", "要求", "アソシエーション", "紛争", "争議", "受講者", "証明書", "前払い", "日後に",
            "貴殿", "あなた", "オプトアウト", "最終版", "拒否され", "。 ", "[,.?!]$",
        ),
    ),
    "zh-Hant": Words(
        nothing_to_do="您無須採取任何行動",
        not_seen="看不到任何內容、郵件或檔案，看不到個別使用者的資料，也看不到貴組織其他產品的任何資訊",
        any_time="隨時都可以拒絕",
        only_seven_days="可以在 7 天內拒絕，逾期則無法拒絕",
        until_when="2024年3月22日 星期五",
        no_payout="本次核准不代表核准付款",
        decline="拒絕",
        where_the_reason_stands="駁回理由與所有留言都記載於該申請中.*「留言」與「歷程記錄」",
        how_to_dispute="選取「提出異議」，然後提交書面理由、較新的執行證明，或兩者一併提交",
        new_claim="提出新申請",
        proof="證明",
        never=(
            "理賠", "索取", "宣告", "執行檔", "租使用者", "批註", "爭議", "未同意", "退出", "計劃", "動作",
            "申請記錄合作夥伴", "信息", "(?<!租)用戶", "視頻", "默認", "。 ", "[,.?!]$",
        ),
    ),
}  # fmt: skip


@cache
def mails(language: str) -> tuple[Shown, ...]:
    return tuple(shown(Wanted(languages=(language,))))


def said(language: str, name: str) -> Iterator[str]:
    """Of each mail of this name: the subject with the text, and with what the HTML says."""
    found = [each for each in mails(language) if each.preview.name == name]
    assert found, name
    for each in found:
        for body in (each.mail.text, html_text(each.mail.html)):
            yield " ".join(f"{each.mail.subject} {body}".split())


@pytest.fixture(params=WORDS)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def words(language: str) -> Words:
    return WORDS[language]


def test_every_mail_is_written_in_the_language_it_is_asked_for(language: str) -> None:
    assert [each.path for each in mails(language) if not each.is_translated] == []


@pytest.mark.parametrize("name", ["customer_requested", "customer_approved"])
@pytest.mark.rule("R47")
def test_the_customer_reads_that_nothing_has_to_be_done_and_what_is_not_seen(
    language: str, words: Words, name: str
) -> None:
    for text in said(language, name):
        assert re.search(words.nothing_to_do, text)
        assert re.search(words.not_seen, text)


@pytest.mark.parametrize("edition", Edition)
@pytest.mark.rule("R45", edition="both")
@pytest.mark.rule("R46", edition="P2020")
def test_the_customer_reads_until_when_a_no_counts(language: str, words: Words, edition: Edition) -> None:
    ours = [each for each in mails(language) if each.preview.name == "customer_approved"]
    told, untold = words.any_time, words.only_seven_days
    if edition == Edition.P2020:
        told, untold = untold, told
    for each in ours:
        if each.world.edition == edition:
            text = " ".join(each.mail.text.split())
            assert re.search(told, text)
            assert not re.search(untold, text)
            assert words.until_when in text


@pytest.mark.rule("D23")
def test_of_an_imported_association_nothing_is_said_about_a_no_that_nobody_asks_for(
    language: str, words: Words
) -> None:
    for name in ("approved-recognition", "official"):
        assert all(re.search(words.decline, text) for text in said(language, name))
    for name in ("approved-legacy", "official-legacy"):
        assert not any(re.search(words.decline, text) for text in said(language, name))


@pytest.mark.parametrize("name", ["approved-assessed", "approved-recognition", "approved-after-dispute"])
@pytest.mark.rule("R44")
def test_an_approval_is_told_apart_from_a_payout(language: str, words: Words, name: str) -> None:
    assert all(re.search(words.no_payout, text) for text in said(language, name))


@pytest.mark.rule("R37")
def test_a_rejection_tells_where_its_reason_stands_how_to_dispute_it_and_until_when(
    language: str, words: Words
) -> None:
    for text in said(language, "rejected-disputable"):
        assert re.search(words.where_the_reason_stands, text)
        assert re.search(words.how_to_dispute, text)
        assert words.until_when in text


@pytest.mark.parametrize("name", ["rejected-declined", "rejected_final-declined", "withdrawn", "window_closed"])
@pytest.mark.rule("R37", "D7")
def test_who_cannot_dispute_reads_that_a_new_claim_is_the_way(language: str, words: Words, name: str) -> None:
    for text in said(language, name):
        assert re.search(words.new_claim, text)
        assert not re.search(words.how_to_dispute, text)


@pytest.mark.rule("D8", "R51")
def test_a_partner_that_ended_its_association_reads_nothing_of_proof(language: str, words: Words) -> None:
    found = [each for each in mails(language) if each.preview.name == "disassociated"]
    for each in found:
        assert not re.search(words.proof, each.mail.text.replace(each.world.comment, ""), re.IGNORECASE)


def test_no_mail_has_a_word_that_nobody_would_use_there(language: str, words: Words) -> None:
    """Of what the templates and catalogues say, for which the least is enough: names and comments are others'."""
    for each in mails(language):
        own = re.sub(r"(?m)^> .*$", "", f"{each.mail.subject}\n{each.mail.text}")
        assert stumbled(words, own) == [], each.path


def test_no_catalogue_has_one_either(language: str, words: Words) -> None:
    """The customer's page is written from it."""
    assert [found for text in catalogue(language).values() for found in stumbled(words, text)] == []


def stumbled(words: Words, text: str) -> list[str]:
    """The lines with a word that nobody would use."""
    return [found[0] for bad in words.never for found in re.finditer(f"(?m).*{bad}.*", text)]
