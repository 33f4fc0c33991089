"""The rules that a document is validated by: graphql-core's, but linear in the document where those are not.

graphql-core compares overlapping fields in pairs, and looks at the fragments of a document once for each operation
that reaches them. Ours say the same of every document; a test compares them over random ones.
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
