"""Where the messages' files lie, and the JSON Schema that stands in each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from schemas.registry import MessageSpec

HERE = Path(__file__).parent
JSON = HERE / "json"
CORPUS = HERE / "corpus"
RELEASED = HERE / "released"


def file_of(folder: Path, name: str) -> Path:
    return folder / f"{name}.json"


def json_schema(spec: MessageSpec) -> dict[str, Any]:
    """JSON Schema 2020-12 of a message's value."""
    made = spec.model.model_json_schema(mode="validation")
    return {"$schema": GenerateJsonSchema.schema_dialect, "title": spec.name, **_described(spec), **_without(made)}


def _described(spec: MessageSpec) -> dict[str, str]:
    return {"description": f"{spec.description} Topics: {', '.join(spec.topics)}."}


def _without(made: dict[str, Any]) -> dict[str, Any]:
    """As readers take it: unknown fields are allowed, and an absent field has no default that it could not hold."""
    kept = {name: value for name, value in made.items() if name not in ("title", "description")}
    for part in (kept, *kept.get("$defs", {}).values()):
        if part.get("additionalProperties") is False:
            del part["additionalProperties"]
        for field in part.get("properties", {}).values():
            if "default" in field and field["default"] is None and "anyOf" not in field:
                del field["default"]
    return kept
