"""Comparing values strictly: 1, 1.0 and True are three different things."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any


class Matching:
    """Equal to whatever satisfies the predicate."""

    def __init__(self, what: str, accepts: Callable[[Any], bool]):
        self.what = what
        self.accepts = accepts

    def __repr__(self) -> str:
        return f"<{self.what}>"


class Maybe:
    """In a dict: the key may be missing; if it is there, its value must be the expected one."""

    def __init__(self, expected: Any):
        self.expected = expected

    def __repr__(self) -> str:
        return f"<nothing, or {self.expected!r}>"


SECONDS = Matching("seconds > 0", lambda v: type(v) is float and 0 < v < 120)
TEXT = Matching("some text", lambda v: type(v) is str and v != "")
LOW_CARDINALITY = Matching("an error type", lambda v: type(v) is str and re.fullmatch(r"[A-Za-z0-9_][\w.:-]{0,79}", v))


def one_of(*values: Any) -> Matching:
    return Matching(f"one of {values}", lambda v: any(type(v) is type(x) and v == x for x in values))


def differences(actual: Any, expected: Any, at: str = "") -> list[str]:
    """Every place where the two differ, types included."""
    if isinstance(expected, Matching):
        return [] if expected.accepts(actual) else [f"{at or 'value'}: expected {expected}, got {actual!r}"]
    if type(actual) is not type(expected):
        return [f"{at or 'value'}: expected {expected!r} ({type(expected).__name__}), "
                f"got {actual!r} ({type(actual).__name__})"]
    if isinstance(expected, dict):
        found = [f"{at}{key}: missing, expected {wanted!r}" for key, wanted in expected.items()
                 if key not in actual and not isinstance(wanted, Maybe)]
        found += [f"{at}{key}: unexpected, is {actual[key]!r}" for key in actual if key not in expected]
        for key in expected:
            if key in actual:
                wanted = expected[key].expected if isinstance(expected[key], Maybe) else expected[key]
                found += differences(actual[key], wanted, f"{at}{key}")
        return found
    if isinstance(expected, list):
        if len(actual) != len(expected):
            return [f"{at or 'value'}: expected {expected!r}, got {actual!r}"]
        return [d for i, (a, e) in enumerate(zip(actual, expected)) for d in differences(a, e, f"{at}[{i}].")]
    return [] if actual == expected else [f"{at or 'value'}: expected {expected!r}, got {actual!r}"]


def assert_same(actual: Any, expected: Any) -> None:
    found = differences(actual, expected)
    assert not found, "\n".join(["differs:", *found])


def without_nulls(node: Any) -> Any:
    """Optional fields may be null or left out; both mean the same."""
    if isinstance(node, dict):
        return {key: without_nulls(item) for key, item in node.items() if item is not None}
    if isinstance(node, list):
        return [without_nulls(item) for item in node]
    return node
