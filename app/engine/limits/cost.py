"""What an operation costs, computed from the document and its variables before anything is executed."""

from typing import Any

from graphql import FragmentDefinitionNode, GraphQLError, GraphQLSchema, OperationDefinitionNode


def check_cost(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    fragments: dict[str, FragmentDefinitionNode],
    variables: dict[str, Any],
    limit: int,
) -> int | GraphQLError:
    """The cost of the operation, or its refusal."""
    return 0
