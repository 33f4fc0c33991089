"""Parsed and validated documents, kept so that a hot one is parsed and validated once."""

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
from app.engine.execution.limits.shape import check_shape, introspection_node
from app.engine.execution.reach import Reach, reach_of
from app.engine.execution.rules import RULES
from app.engine.execution.rules.validation import validate
from app.engine.execution.subscription_key import SubscriptionKey, subscription_key_of

MAX_BYTES: Final = 64 * 1024 * 1024
"""What all documents that are kept may take, with all that is found out about them."""

MAX_DOCUMENT_BYTES: Final = 2 * 1024 * 1024
"""A larger one is not kept: it would push out too many others. No document of the default limits is larger."""

MAX_KNOWN_COSTS: Final = 64
"""Costs of one operation that are remembered, by the sizes that its variables ask for."""

# Measured, an upper bound of each; a test compares them with what is allocated.
TOKEN_BYTES: Final = 640
PLANNED_FIELD_BYTES: Final = 800
COST_BYTES: Final = 300
SIZE_BYTES: Final = 40
KEY_BYTES: Final = 2000


class Plans(list[Selection | None]):
    """The plan of an operation, once there is one; null: graphql-core must answer it."""

    def __init__(self, grew: Callable[[int], None]) -> None:
        super().__init__()
        self._grew = grew

    def append(self, plan: Selection | None) -> None:
        """Keeps it."""
        super().append(plan)
        self._grew(0 if plan is None else planned_fields(plan) * PLANNED_FIELD_BYTES)


class Operation:
    """An operation of a valid document. What is known of it is found out when it is first asked for.

    So a document of many operations costs no more than the one of them that is executed.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        node: OperationDefinitionNode,
        fragments: dict[str, FragmentDefinitionNode],
        sizing: frozenset[str],
        grew: Callable[[int], None],
    ) -> None:
        """`sizing` arguments say how many items there will be. `grew` receives the bytes of what is kept later."""
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
        """Of a subscription to a declared stream."""
        key = subscription_key_of(self._schema, self.node, self.fragments)
        if key is not None:
            self._grew(KEY_BYTES + sys.getsizeof(key.document))
        return key

    @cached_property
    def reach(self) -> Reach:
        """Whose data it reads."""
        root = self._schema.get_root_type(self.node.operation)
        return reach_of(self._schema, self.node.selection_set, root, self.fragments)

    @cached_property
    def _sized_by(self) -> list[str]:
        return sizing_variables(self.node, self.fragments, self._sizing)

    def cost(self, variables: Mapping[str, Any], limits: Limits) -> int | GraphQLError:
        """What it costs, or the refusal that says how to fit. `variables` are coerced."""
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
    """The refusal for callers who may not introspect; None where nothing is introspected."""
    digest: str
    """The SHA-256 of its source, in hexadecimal."""


class _Kept:
    """A document and what it takes, as far as is known."""

    __slots__ = ("bytes", "document", "number")

    def __init__(self, document: Document, number: int, size: int) -> None:
        self.document = document
        self.number = number
        """Tells two parses of one source apart. A reference would make a circle, which is freed late."""
        self.bytes = size


class Documents:
    """Documents by the hash of their source, least recently used first to go. Invalid ones are not kept.

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
        # Held for moments only: no document is read under it. What a thread keeps may begin with what another frees.
        self._lock = threading.RLock()

    def __len__(self) -> int:
        return len(self._known)

    @property
    def size_bytes(self) -> int:
        """What is kept takes about so much."""
        return self._bytes

    def find(self, source: str) -> Document | None:
        """The document, if it is kept."""
        return self._find(_digest(source))

    def get(self, source: str, *, hide_suggestions: bool) -> Document | list[GraphQLError]:
        """The document, or every reason why it is none. Errors name similar fields unless suggestions are hidden."""
        digest = _digest(source)
        if (known := self._find(digest)) is not None:
            return known
        tree = self._parse(source)
        if isinstance(tree, GraphQLError):
            return [tree]
        # Before validation: what these bound is also what would make some rules slow.
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
    # A lone surrogate cannot be encoded; it still is the lexer's to refuse.
    return hashlib.sha256(source.encode("utf-8", "surrogatepass")).digest()


def _unlink(parser: Parser) -> None:
    """Lets the document be freed as soon as nobody has it: its tokens point at one another, in both directions."""
    last = parser._lexer.token
    # Where parsing failed there may be some that were looked at ahead.
    while last.next is not None:
        last = last.next
    token: Token | None = last
    while token is not None:
        # Those before keep pointing forward, which makes no circle.
        before, token.prev = token.prev, None
        token = before


def _size(value: Any) -> int | None:
    """What of a variable's value counts: a page's size, or how many are listed."""
    if isinstance(value, list):
        return len(value)
    return value if isinstance(value, int) else None
