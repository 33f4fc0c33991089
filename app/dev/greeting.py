"""What `make serve` says once it is ready: addresses, log-ins, where the logs are."""

from rich.console import Console

from app.dev.demo import LOGINS
from app.domains.accounts.rules.demo_credentials import ACCESS_CODES, PASSWORD
from app.settings import Settings


def greet(out: Console, settings: Settings) -> None:
    """Prints it."""
    out.print(f"\n[bold]Moneta is ready.[/bold]  {settings.origin}")
    for path, what in (
        ("/", "whether it is ready, all addresses, three calls to copy"),
        ("/ide", "GraphiQL: examples, events of subscriptions, demo log-ins"),
        ("/graphql", "POST, GET, WebSocket (graphql-transport-ws), SSE"),
        ("/dev/mail", "every mail that Moneta sent"),
        ("/health/ready", "health; /metrics for Prometheus"),
    ):
        out.print(f"  {settings.origin}{path:<15} {what}", highlight=False, soft_wrap=True)
    out.print(
        f"  log in as {', '.join(login.email for login in LOGINS)}; password {PASSWORD}",
        highlight=False,
        soft_wrap=True,
    )
    out.print(f"  register with access code {ACCESS_CODES[0]}", highlight=False, soft_wrap=True)
    out.print(f"  logs in {settings.home.resolve()}/*.log   Ctrl-C stops everything\n", highlight=False, soft_wrap=True)
