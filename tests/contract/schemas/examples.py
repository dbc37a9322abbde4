"""The golden examples, as tests use them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from schemas.files import CORPUS, file_of
from schemas.registry import MESSAGES, MessageSpec


@dataclass(frozen=True)
class Example:
    spec: MessageSpec
    key: str
    headers: dict[str, str]
    value: dict[str, Any]

    @property
    def bytes(self) -> bytes:
        return json.dumps(self.value, ensure_ascii=False).encode()


def example(name: str) -> Example:
    content = json.loads(file_of(CORPUS, name).read_text(encoding="utf-8"))
    return Example(MESSAGES[name], content["key"], content["headers"], content["value"])


NAMES = sorted(MESSAGES)
