"""What a comment may be (D26)."""

from __future__ import annotations

import pytest

from cpor.domain import commands as cmd
from cpor.domain.result import Refused
from cpor.domain.vocabulary import Code, Status
from tests.unit.domain.claims import in_status


@pytest.mark.parametrize("kind", [cmd.AddComment, cmd.AddReviewComment])
def test_a_comment_of_either_side_may_have_several_lines_and_nothing_that_is_no_text(
    kind: type[cmd.AddComment] | type[cmd.AddReviewComment],
) -> None:
    world = in_status(Status.SUBMITTED)
    assert world.must("c", kind(text="First line\n\tsecond line")).comments[-1].text == "First line\n\tsecond line"
    no = world.give("c", kind(text="A bell \a rings"))
    assert isinstance(no, Refused)
    assert [(each.field, each.code) for each in no.errors] == [("text", Code.INVALID_FIELDS)]
