"""GraphQL over WebSocket: the `graphql-transport-ws` protocol, on the path of the HTTP endpoint."""

from app.transport.sockets.endpoint import SocketEndpoint

__all__ = ["SocketEndpoint"]
