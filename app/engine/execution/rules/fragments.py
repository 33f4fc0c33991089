"""Properties of fragments, computed once for each and combined where it is spread."""

from collections.abc import Callable
from typing import TypeVar

from graphql import DocumentNode, FragmentDefinitionNode, SelectionSetNode

from app.engine.execution.limits.shape import leaves_first, spreads_in

T = TypeVar("T")


def fragments_of(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    """The fragments of a document by name."""
    return {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}


def masks_of(document: DocumentNode, own: Callable[[FragmentDefinitionNode], int]) -> dict[str, int]:
    """The bits of each fragment and of all that it spreads, at any depth."""
    fragments = fragments_of(document)
    masks: dict[str, int] = {}
    for name in leaves_first(fragments):
        masks[name] = own(fragments[name]) | spread_mask(fragments[name].selection_set, masks)
    return masks


def spread_mask(selections: SelectionSetNode, masks: dict[str, int]) -> int:
    """The bits of all fragments that are spread below."""
    mask = 0
    for name in spreads_in(selections):
        mask |= masks.get(name, 0)
    return mask
