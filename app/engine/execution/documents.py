"""Parsed and validated documents, cached by their hash."""

import hashlib
import itertools
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import cached_property, partial
from typing import Any, Final, NamedTuple

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    Token,
)
from graphql.language.parser import Parser, nested_too_deeply_error

from app.engine.declarations.limits import LimitExceeded, Limits
from app.engine.execution.breadth_first import Selection, planned_fields
from app.engine.execution.failures import forget_frames, refuse
from app.engine.execution.limits.cost import check_cost, sizing_arguments, sizing_variables
from app.engine.execution.limits.introspection import reads_only_the_schema
from app.engine.execution.limits.shape import check_shape, introspection_node
from app.engine.execution.maintenance import has_open_roots_only
from app.engine.execution.reach import Reach, reach_of
from app.engine.execution.rules import RULES
from app.engine.execution.rules.validation import validate
from app.engine.execution.subscription_key import SubscriptionKey, subscription_key_of

MAX_BYTES: Final = 64 * 1024 * 1024
"""The maximum size of all cached documents, with their plans, costs and subscription keys."""

MAX_DOCUMENT_BYTES: Final = 2 * 1024 * 1024
"""A larger document is not cached: it would evict too many others. No document within the default limits is larger."""

MAX_KNOWN_COSTS: Final = 64
"""The maximum number of costs cached for an operation, by the sizes in its variables."""

# Measured upper bounds. A test compares them with what is allocated.
TOKEN_BYTES: Final = 640
PLANNED_FIELD_BYTES: Final = 800
COST_BYTES: Final = 300
SIZE_BYTES: Final = 40
KEY_BYTES: Final = 2000


class Plans(list[Selection | None]):
    """The plan of an operation once it is made. Null: graphql-core must execute it."""

    def __init__(self, grew: Callable[[int], None]) -> None:
        super().__init__()
        self._grew = grew

    def append(self, plan: Selection | None) -> None:
        """Stores the plan."""
        super().append(plan)
        self._grew(0 if plan is None else planned_fields(plan) * PLANNED_FIELD_BYTES)


class Operation:
    """An operation of a valid document. Its properties are computed when they are first read.

    So only the operation that is executed costs time, however many operations its document has.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        node: OperationDefinitionNode,
        fragments: dict[str, FragmentDefinitionNode],
        sizing: frozenset[str],
        grew: Callable[[int], None],
    ) -> None:
        """`sizing` are the arguments that set a number of items. `grew` is called with the size of what is cached."""
        self.node = node
        self.fragments = fragments
        self.plans = Plans(grew)
        self._schema = schema
        self._sizing = sizing
        self._grew = grew
        self._costs: dict[tuple[int | None, ...], int] = {}

    @property
    def name(self) -> str | None:
        """Its name in the document; null for an anonymous one."""
        return self.node.name.value if self.node.name else None

    @cached_property
    def key(self) -> SubscriptionKey | None:
        """The key of a subscription to a declared stream; None for any other operation."""
        key = subscription_key_of(self._schema, self.node, self.fragments)
        if key is not None:
            self._grew(KEY_BYTES + sys.getsizeof(key.document))
        return key

    @cached_property
    def reach(self) -> Reach:
        """The audiences of the data that it reads."""
        root = self._schema.get_root_type(self.node.operation)
        return reach_of(self._schema, self.node.selection_set, root, self.fragments)

    @cached_property
    def is_introspection(self) -> bool:
        """Whether it reads the schema and nothing else."""
        return reads_only_the_schema(self.node, self.fragments)

    @cached_property
    def stays_open(self) -> bool:
        """Whether it is executed for everybody, also during maintenance."""
        return has_open_roots_only(self._schema, self.node, self.fragments)

    @cached_property
    def _sized_by(self) -> list[str]:
        return sizing_variables(self.node, self.fragments, self._sizing)

    def cost(self, variables: Mapping[str, Any], limits: Limits) -> int | GraphQLError:
        """The cost, or an error that says how to reduce it. `variables` are coerced."""
        sizes = tuple(_size(variables.get(name)) for name in self._sized_by)
        if (known := self._costs.get(sizes)) is not None:
            return known
        cost = check_cost(self._schema, self.node, self.fragments, variables, limits)
        if isinstance(cost, int) and len(self._costs) < MAX_KNOWN_COSTS:
            self._costs[sizes] = cost
            self._grew(COST_BYTES + SIZE_BYTES * len(sizes))
        return cost


class Document(NamedTuple):
    """A valid document."""

    operations: tuple[Operation, ...]
    introspection: GraphQLError | None
    """The error for callers who may not introspect; None if nothing is introspected."""
    digest: str
    """The SHA-256 of its source, in hexadecimal."""

    def operation(self, name: str | None) -> Operation | GraphQLError:
        """The operation of this name, or the only one; an error if there is no such operation."""
        if name is None:
            if len(self.operations) == 1:
                return self.operations[0]
            return GraphQLError("The document has several operations: say which in `operationName`.")
        for operation in self.operations:
            if operation.name == name:
                return operation
        return GraphQLError("The document has no operation of the name in `operationName`.")


class _Kept:
    """A document and its size so far."""

    __slots__ = ("bytes", "document", "number")

    def __init__(self, document: Document, number: int, size: int) -> None:
        self.document = document
        self.number = number
        """Distinguishes two parses of one source. A reference would make a cycle, which is freed late."""
        self.bytes = size


class Documents:
    """Documents by the hash of their source. The least recently used is evicted first. Invalid ones are not cached.

    May be used from several threads.
    """

    def __init__(self, schema: GraphQLSchema, limits: Limits, *, limit_bytes: int = MAX_BYTES) -> None:
        self._schema = schema
        self._limits = limits
        self._sizing = sizing_arguments(schema)
        self._limit_bytes = limit_bytes
        self._known: OrderedDict[bytes, _Kept] = OrderedDict()
        self._bytes = 0
        self._numbers = itertools.count()
        # Held for moments only: no document is parsed under it. Reentrant, since storing one document may free others.
        self._lock = threading.RLock()

    def __len__(self) -> int:
        return len(self._known)

    @property
    def size_bytes(self) -> int:
        """The approximate size of all cached documents."""
        return self._bytes

    def find(self, source: str) -> Document | None:
        """The document, if it is cached."""
        return self._find(_digest(source))

    def get(self, source: str, *, hide_suggestions: bool) -> Document | list[GraphQLError]:
        """The document, or its errors. They suggest names of similar fields unless suggestions are hidden."""
        digest = _digest(source)
        if (known := self._find(digest)) is not None:
            return known
        tree = self._parse(source)
        if isinstance(tree, GraphQLError):
            return [tree]
        # Before validation: documents beyond these limits would make some rules slow.
        if refusal := check_shape(tree, self._limits):
            return [refusal]
        if errors := validate(self._schema, tree, RULES, max_errors=20, hide_suggestions=hide_suggestions):
            return errors
        number = next(self._numbers)
        document = self._index(tree, digest.hex(), partial(self._grow, digest, number))
        self._keep(digest, _Kept(document, number, tree.token_count * TOKEN_BYTES + 2 * sys.getsizeof(source)))
        return document

    def _parse(self, source: str) -> DocumentNode | GraphQLError:
        parser = Parser(source, max_lexical_tokens=self._limits.tokens, max_comments=self._limits.tokens)
        try:
            return parser.parse_document()
        except GraphQLSyntaxError as error:
            forget_frames([error])
            too_long = error.description.startswith("Document contains more than")
            return refuse(LimitExceeded(error.description)) if too_long else error
        except GraphQLError as error:
            forget_frames([error])
            return error
        except RecursionError:
            return nested_too_deeply_error(parser)
        finally:
            _unlink(parser)

    def _index(self, tree: DocumentNode, digest: str, grew: Callable[[int], None]) -> Document:
        fragments = {each.name.value: each for each in tree.definitions if isinstance(each, FragmentDefinitionNode)}
        operations = tuple(
            Operation(self._schema, each, fragments, self._sizing, grew)
            for each in tree.definitions
            if isinstance(each, OperationDefinitionNode)
        )
        return Document(operations, introspection_node(tree), digest)

    def _find(self, digest: bytes) -> Document | None:
        with self._lock:
            known = self._known.get(digest)
            if known is None:
                return None
            self._known.move_to_end(digest)
            return known.document

    def _keep(self, digest: bytes, kept: _Kept) -> None:
        with self._lock:
            if kept.bytes > MAX_DOCUMENT_BYTES or digest in self._known:
                return
            self._known[digest] = kept
            self._bytes += kept.bytes
            self._make_room()

    def _grow(self, digest: bytes, number: int, size: int) -> None:
        with self._lock:
            known = self._known.get(digest)
            if known is None or known.number != number:
                return
            known.bytes += size
            self._bytes += size
            if known.bytes > MAX_DOCUMENT_BYTES:
                self._forget(digest)
            self._make_room()

    def _make_room(self) -> None:
        while self._bytes > self._limit_bytes:
            self._forget(next(iter(self._known)))

    def _forget(self, digest: bytes) -> None:
        self._bytes -= self._known.pop(digest).bytes


def _digest(source: str) -> bytes:
    # A lone surrogate cannot be encoded. The lexer refuses it later.
    return hashlib.sha256(source.encode("utf-8", "surrogatepass")).digest()


def _unlink(parser: Parser) -> None:
    """Removes the cycles between the tokens of the document, so that it is freed as soon as it is not used."""
    last = parser._lexer.token
    # If parsing failed, the lexer may have read ahead.
    while last.next is not None:
        last = last.next
    token: Token | None = last
    while token is not None:
        # References forward alone make no cycle.
        before, token.prev = token.prev, None
        token = before


def _size(value: Any) -> int | None:
    """The size in a variable's value: that of a page, or the length of a list."""
    if isinstance(value, list):
        return len(value)
    return value if isinstance(value, int) else None
