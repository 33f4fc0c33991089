"""Limits of input: text that cannot be stored, and variables with too many or too deeply nested values."""

import re
from typing import Any, Final

from graphql import GraphQLError, StringValueNode, ValidationRule

from app.engine.declarations.limits import LimitExceeded
from app.engine.execution.failures import refuse

MAX_NESTING: Final = 32
"""The maximum depth of lists and objects in a variable."""

MAX_VALUES: Final = 10_000
"""The maximum number of values and field names in the variables. Each is coerced, and each may be invalid."""

# Postgres has no NUL in text, and UTF-8 no lone surrogate.
_UNUSABLE = re.compile("[\0\ud800-\udfff]")
_MESSAGE = "Text may not contain NUL or a lone surrogate."


class NoNulRule(ValidationRule):
    """Refuses string literals that cannot be stored."""

    def enter_string_value(self, node: StringValueNode, *_: Any) -> None:
        """Reports the literal."""
        if _UNUSABLE.search(node.value):
            self.report_error(GraphQLError(_MESSAGE, node))


def check_variables(variables: dict[str, Any]) -> GraphQLError | None:
    """The error for text that cannot be stored, or for values that are too many or nested too deeply."""
    values = 0
    level: list[Any] = [variables]
    # One level more for the object of variables itself, which is not nesting, and one for the innermost values.
    for _ in range(MAX_NESTING + 2):
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                below.extend(value)
                below.extend(value.values())
            elif isinstance(value, list):
                below.extend(value)
            elif isinstance(value, str) and _UNUSABLE.search(value):
                return GraphQLError(_MESSAGE)
        if not below:
            return None
        values += len(below)
        if values > MAX_VALUES:
            return refuse(LimitExceeded(f"Variables hold more than {MAX_VALUES:,} values."))
        level = below
    return GraphQLError(f"Variables are nested more than {MAX_NESTING} deep.")
