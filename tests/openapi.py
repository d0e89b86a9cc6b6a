"""Checks REST exchanges against Discord's own description of its API, where `../shared` has it.

The description does not know everything. Corrected here: ids in requests may be integers; a message
reference may be a forward; the codes of nested errors are words; a forum post may be created with nested
fields; a media channel is a kind of channel. What it cannot say (2,000 characters for bots, five action rows,
the gateway) is enforced by the sandbox itself.
"""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from referencing import Registry
from referencing.jsonschema import DRAFT202012

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.sandbox import Exchange, Sandbox
    from bot.sandbox.rest.routing import Route

DESCRIPTION = Path(__file__).resolve().parents[2] / "shared" / "discord" / "openapi.json"
ALSO_ASKED = {("POST", "/channels/{channel_id}/threads"): {"use_nested_fields"}}
ROOTS = {"request": "urn:discord:request", "response": "urn:discord:response"}


class BrokenExchangeError(AssertionError):
    """A request or an answer that Discord's description does not allow."""


class Description:
    """Discord's API description; `check` judges one exchange."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.checked = 0
        self.seen: set[tuple[str, str, int]] = set()
        self._paths: dict[str, Any] = document["paths"]
        answers = copy.deepcopy(document)
        schemas = answers["components"]["schemas"]
        schemas["ChannelTypes"]["oneOf"].append({"title": "GUILD_MEDIA", "const": 16})
        schemas["MessageReferenceType"] = {"type": "integer", "enum": [0, 1]}
        detail = {"type": "object", "required": ["code", "message"], "properties": {"code": {"type": "string"}}}
        schemas["InnerErrors"]["properties"]["_errors"]["items"] = detail
        requests = copy.deepcopy(answers)
        requests["components"]["schemas"]["SnowflakeType"] = {
            "anyOf": [
                {"type": "integer", "minimum": 0},
                {"type": "string", "pattern": "^(0|[1-9][0-9]*)$"},
            ]
        }
        resources = [
            (ROOTS[name], DRAFT202012.create_resource(contents))
            for name, contents in (("request", requests), ("response", answers))
        ]
        self._registry: Registry[Any] = Registry().with_resources(resources)
        self._validators: dict[str, Draft202012Validator] = {}

    def check(self, exchange: Exchange) -> None:
        """Raise BrokenExchangeError when a request or its answer is not as described."""
        name = f"{exchange.method} {exchange.template}"
        operation = self._paths.get(exchange.template, {}).get(exchange.method.lower())
        if operation is None:
            raise BrokenExchangeError(f"{name} is not in Discord's description")
        pointer = f"#/paths/{_escaped(exchange.template)}/{exchange.method.lower()}"
        self.checked += 1
        self.seen.add((exchange.method, exchange.template, exchange.status))
        if exchange.status < 400:
            also = ALSO_ASKED.get((exchange.method, exchange.template), set())
            query = {key: text for key, text in exchange.query.items() if key not in also}
            self._check_query(name, operation, query)
            body = operation.get("requestBody")
            if exchange.request is not None:
                if body is None:
                    raise BrokenExchangeError(f"{name} takes no body")
                at = f"{pointer}/requestBody/content/application~1json/schema"
                self._check(f"the request of {name}", ROOTS["request"] + at, exchange.request)
            elif body is not None and body.get("required"):
                raise BrokenExchangeError(f"{name} needs a body")
        self._check_answer(name, operation, pointer, exchange)

    def describes(self, route: Route) -> bool:
        """Whether Discord has this route."""
        return route.method.lower() in self._paths.get(route.template, {})

    def _check_query(self, name: str, operation: dict[str, Any], query: Mapping[str, str]) -> None:
        known = {item["name"]: item for item in operation.get("parameters", []) if item["in"] == "query"}
        for key, text in query.items():
            if key not in known:
                raise BrokenExchangeError(f"{name} has no query parameter {key}")
            schema = known[key]["schema"]
            value: object = text
            if schema.get("type") == "integer" and text.lstrip("-").isdigit():
                value = int(text)
            elif schema.get("type") == "boolean" and text.lower() in {"0", "1", "true", "false"}:
                value = text.lower() in {"1", "true"}
            if "$ref" in schema:
                schema = {"$ref": ROOTS["request"] + schema["$ref"]}
            error = best_match(Draft202012Validator(schema, registry=self._registry).iter_errors(value))
            if error is not None:
                raise BrokenExchangeError(f"{name}?{key}={text}: {error.message}")
        missing = [key for key, item in known.items() if item.get("required") and key not in query]
        if missing:
            raise BrokenExchangeError(f"{name} needs the query parameters {missing}")

    def _check_answer(self, name: str, operation: dict[str, Any], pointer: str, exchange: Exchange) -> None:
        status = str(exchange.status)
        answers = operation["responses"]
        if exchange.status >= 500:
            return
        key = status if status in answers else f"{status[0]}XX"
        if key not in answers:
            raise BrokenExchangeError(f"{name} never answers {status}, only {sorted(answers)}")
        described = answers[key]
        if "$ref" in described:
            at = f"{described['$ref']}/content/application~1json/schema"
        elif described.get("content"):
            at = f"{pointer}/responses/{key}/content/application~1json/schema"
        else:
            if exchange.response is not None:
                raise BrokenExchangeError(f"{name} answers {status} without a body")
            return
        self._check(f"the answer {status} to {name}", ROOTS["response"] + at, exchange.response)

    def _check(self, what: str, reference: str, value: object) -> None:
        validator = self._validators.get(reference)
        if validator is None:
            validator = Draft202012Validator({"$ref": reference}, registry=self._registry)
            self._validators[reference] = validator
        error = best_match(validator.iter_errors(value))
        if error is not None:
            place = "/".join(str(part) for part in error.absolute_path) or "the whole"
            raise BrokenExchangeError(f"{what}, at {place}: {error.message[:400]}")


def _escaped(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D")


@cache
def description() -> Description | None:
    """Return Discord's description, or None where `../shared` does not have it."""
    if not DESCRIPTION.exists():
        return None
    return Description(json.loads(DESCRIPTION.read_text(encoding="utf-8")))


def watch(sandbox: Sandbox) -> bool:
    """Check every exchange of a sandbox from now on; return whether that was possible.

    A broken exchange ends up in `sandbox.failures`, so that closing the sandbox raises.
    """
    known = description()
    if known is None:
        return False
    sandbox.observe(known.check)
    return True


def required() -> Description:
    """Return Discord's description, or skip the calling test, saying so, where it is absent."""
    known = description()
    if known is None:
        pytest.skip(f"Discord's API description is not at {DESCRIPTION}")
    return known
