"""Parsed and validated documents, kept so that a hot one is parsed and validated once."""

import hashlib
from collections import OrderedDict
from typing import Any, Final, NamedTuple

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    parse,
    specified_rules,
    validate,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from app.engine.audience import Reach, reach_of
from app.engine.breadth import Selection
from app.engine.failures import refuse
from app.engine.limits import Limits
from app.engine.limits.cost import page_size_variables
from app.engine.limits.model import LimitExceeded
from app.engine.limits.shape import check_shape, introspection_node
from app.engine.limits.text import NoNulRule
from app.engine.streams.sharing import Shape, shape_of

RULES: Final = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule, NoNulRule)

MAX_DOCUMENTS: Final = 1000
MAX_BYTES: Final = 8 * 1024 * 1024
# A syntax tree takes some hundred times the bytes of its source; keeping one giant would push out a thousand others.
MAX_DOCUMENT_BYTES: Final = 64 * 1024


class Operation(NamedTuple):
    """An operation of a valid document."""

    node: OperationDefinitionNode
    fragments: dict[str, FragmentDefinitionNode]
    page_sizes: list[str]
    """The variables that its cost depends on."""
    costs: dict[tuple[Any, ...], int]
    """Costs under the limit that were computed before, by the values of `page_sizes`."""
    plans: list[Selection | None]
    """Its plan, once there is one; null: graphql-core must answer it."""
    shape: Shape | None
    """Of a subscription to a declared stream."""
    reach: Reach


class Document(NamedTuple):
    """A valid document."""

    operations: tuple[Operation, ...]
    introspection: GraphQLError | None
    """The refusal for callers who may not introspect; None where nothing is introspected."""


class Documents:
    """Documents by the hash of their source, least recently used first to go. Invalid ones are not kept."""

    def __init__(self, schema: GraphQLSchema, limits: Limits) -> None:
        self._schema = schema
        self._limits = limits
        self._known: OrderedDict[bytes, tuple[Document, int]] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._known)

    def get(self, source: str, *, hide_suggestions: bool) -> Document | list[GraphQLError]:
        """The document, or every reason why it is none. Errors name similar fields unless suggestions are hidden."""
        # A lone surrogate cannot be encoded; it still is the lexer's to refuse.
        encoded = source.encode("utf-8", "surrogatepass")
        key = hashlib.sha256(encoded).digest()
        if (known := self._known.get(key)) is not None:
            self._known.move_to_end(key)
            return known[0]
        document = self._read(source, hide_suggestions)
        if isinstance(document, Document):
            self._keep(key, document, len(encoded))
        return document

    def _read(self, source: str, hide_suggestions: bool) -> Document | list[GraphQLError]:
        try:
            tree = parse(source, max_lexical_tokens=self._limits.tokens, max_comments=self._limits.tokens)
        except GraphQLSyntaxError as error:
            too_long = error.description.startswith("Document contains more than")
            return [refuse(LimitExceeded(error.description))] if too_long else [error]
        except GraphQLError as error:
            return [error]
        # Before validation: what these bound is also what would make some rules slow.
        if refusal := check_shape(tree, self._limits):
            return [refusal]
        if errors := validate(self._schema, tree, RULES, max_errors=20, hide_suggestions=hide_suggestions):
            return errors
        return _index(self._schema, tree)

    def _keep(self, key: bytes, document: Document, size: int) -> None:
        if size > MAX_DOCUMENT_BYTES:
            return
        self._known[key] = (document, size)
        self._bytes += size
        while len(self._known) > MAX_DOCUMENTS or self._bytes > MAX_BYTES:
            _, (_, freed) = self._known.popitem(last=False)
            self._bytes -= freed


def _index(schema: GraphQLSchema, tree: DocumentNode) -> Document:
    fragments = {each.name.value: each for each in tree.definitions if isinstance(each, FragmentDefinitionNode)}
    operations = tuple(
        Operation(
            each,
            fragments,
            page_size_variables(each, fragments),
            {},
            [],
            shape_of(schema, each, fragments),
            reach_of(schema, each.selection_set, schema.get_root_type(each.operation), fragments),
        )
        for each in tree.definitions
        if isinstance(each, OperationDefinitionNode)
    )
    return Document(operations, introspection_node(tree))
