"""The errors of Discord's REST API, and collecting what is wrong with a request body."""

from __future__ import annotations

from typing import Any

MESSAGES: dict[int, tuple[int, str]] = {
    0: (401, "401: Unauthorized"),
    10002: (404, "Unknown Application"),
    10003: (404, "Unknown Channel"),
    10004: (404, "Unknown Guild"),
    10007: (404, "Unknown Member"),
    10008: (404, "Unknown Message"),
    10011: (404, "Unknown Role"),
    10013: (404, "Unknown User"),
    10014: (404, "Unknown Emoji"),
    10015: (404, "Unknown Webhook"),
    10062: (404, "Unknown interaction"),
    10063: (404, "Unknown application command"),
    30033: (400, "Maximum number of thread participants has been reached"),
    40060: (400, "Interaction has already been acknowledged."),
    50001: (403, "Missing Access"),
    50003: (403, "Cannot execute action on a DM channel"),
    50005: (403, "Cannot edit a message authored by another user"),
    50006: (400, "Cannot send an empty message"),
    50007: (403, "Cannot send messages to this user"),
    50008: (400, "Cannot send messages in a non-text channel"),
    50013: (403, "Missing Permissions"),
    50016: (
        400,
        "Provided too few or too many messages to delete. Must provide at least 2 and at most 100 messages.",
    ),
    50024: (403, "Cannot execute action on this channel type"),
    50027: (401, "Invalid Webhook Token"),
    50034: (400, "A message provided was too old to bulk delete"),
    50035: (400, "Invalid Form Body"),
    50083: (400, "Thread is archived"),
    50109: (400, "The request body contains invalid JSON."),
    160004: (400, "A thread has already been created for this message"),
}


class ApiError(Exception):
    """An answer Discord gives instead of a result; `code` is Discord's JSON error code."""

    def __init__(self, code: int, errors: dict[str, Any] | None = None) -> None:
        self.status, self.message = MESSAGES[code]
        self.code = code
        self.errors = errors
        super().__init__(f"{self.status} {code}: {self.message} {errors or ''}")

    def body(self) -> dict[str, Any]:
        """Return the JSON body of the answer."""
        body: dict[str, Any] = {"message": self.message, "code": self.code}
        if self.errors:
            body["errors"] = self.errors
        return body


class Problems:
    """Collects what is wrong with a request body, in Discord's nested shape.

    It raises only in `raise_if_any`: call that after the whole body was checked.
    """

    def __init__(self) -> None:
        self._tree: dict[str, Any] = {}

    def add(self, path: tuple[str | int, ...], code: str, message: str) -> None:
        """Note one error at a path of keys and list positions."""
        node = self._tree
        for key in path:
            node = node.setdefault(str(key), {})
        node.setdefault("_errors", []).append({"code": code, "message": message})

    def longest(self, path: tuple[str | int, ...], value: object, limit: int) -> None:
        """Note an error if a text is longer than `limit`."""
        if isinstance(value, str) and len(value) > limit:
            self.add(path, "BASE_TYPE_MAX_LENGTH", f"Must be {limit} or fewer in length.")

    def between(self, path: tuple[str | int, ...], value: object, low: int, high: int) -> None:
        """Note an error if a text or a list is missing or not between two lengths."""
        if value is None:
            self.add(path, "BASE_TYPE_REQUIRED", "This field is required")
        elif isinstance(value, str | list) and not low <= len(value) <= high:
            self.add(path, "BASE_TYPE_BAD_LENGTH", f"Must be between {low} and {high} in length.")

    def raise_if_any(self) -> None:
        """Raise 50035 with everything noted so far.

        Raises:
            ApiError: If at least one error was noted.
        """
        if self._tree:
            raise ApiError(50035, self._wrapped(self._tree))

    def _wrapped(self, node: dict[str, Any]) -> dict[str, Any]:
        if "_errors" in node:
            return {"_errors": [{"code": error["code"], "message": error["message"]} for error in node["_errors"]]}
        return {key: self._wrapped(child) for key, child in node.items()}
