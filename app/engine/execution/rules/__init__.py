"""The rules of validation: those of graphql-core, some of them replaced by rules that are linear in the document.

graphql-core compares overlapping fields in pairs, and visits a fragment once for each operation that spreads it. Our
rules report the same errors for every document. A test compares them on random documents.
"""

from typing import Final

from graphql import (
    ASTValidationRule,
    NoUndefinedVariablesRule,
    NoUnusedVariablesRule,
    OverlappingFieldsCanBeMergedRule,
    SingleFieldSubscriptionsRule,
    VariablesInAllowedPositionRule,
    specified_rules,
)
from graphql.validation import (
    DeferStreamDirectiveLabel,
    DeferStreamDirectiveOnRootField,
    DeferStreamDirectiveOnValidOperationsRule,
    StreamDirectiveOnListField,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from app.engine.execution.limits.text import NoNulRule
from app.engine.execution.rules.merging import FieldsCanMergeRule
from app.engine.execution.rules.subscriptions import OneRootFieldRule
from app.engine.execution.rules.variables import VariablesRule

REPLACED: Final[dict[type[ASTValidationRule], type[ASTValidationRule]]] = {
    OverlappingFieldsCanBeMergedRule: FieldsCanMergeRule,
    SingleFieldSubscriptionsRule: OneRootFieldRule,
    NoUndefinedVariablesRule: VariablesRule,
    NoUnusedVariablesRule: VariablesRule,
    VariablesInAllowedPositionRule: VariablesRule,
}

# The schema has neither directive, so that using one is refused as unknown.
WITHOUT_DIRECTIVE: Final = {
    DeferStreamDirectiveLabel,
    DeferStreamDirectiveOnRootField,
    DeferStreamDirectiveOnValidOperationsRule,
    StreamDirectiveOnListField,
}

RULES: Final[tuple[type[ASTValidationRule], ...]] = (
    *dict.fromkeys(REPLACED.get(rule, rule) for rule in specified_rules if rule not in WITHOUT_DIRECTIVE),
    MaybeNullValidationRule,
    OneOfInputValidationRule,
    NoNulRule,
)
