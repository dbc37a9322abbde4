"""`cpor mail preview` needs no instance, says where it wrote, and refuses what there is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from cpor.ops.errors import WrongUse
from cpor.ops.mail_preview import preview_mails


def test_the_previews_are_written_where_the_command_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    preview_mails(tmp_path / "mails", "approved", "pt-pt", "p2023")
    assert f"open {tmp_path / 'mails' / 'index.html'} in a browser" in capsys.readouterr().out
    written = {file.relative_to(tmp_path / "mails").as_posix() for file in (tmp_path / "mails").rglob("*.html")}
    assert "pt-PT/approved-assessed-P2023-full.html" in written
    assert not [name for name in written if "P2020" in name or name.startswith("en/")]


@pytest.mark.parametrize(
    ("kind", "language", "edition"), [("approval", None, None), (None, "fr", None), (None, None, "P2021")]
)
def test_what_there_is_not_is_refused(
    tmp_path: Path, kind: str | None, language: str | None, edition: str | None
) -> None:
    with pytest.raises(WrongUse):
        preview_mails(tmp_path, kind, language, edition)
    assert not list(tmp_path.iterdir())
