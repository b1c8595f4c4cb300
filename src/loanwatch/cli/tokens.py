"""`tokens create|list|revoke`: who may ask the inference service."""

from typing import TYPE_CHECKING, Annotated

import typer

from loanwatch.cli.context import AsJson, actor_name, shared
from loanwatch.cli.listing import Listing

if TYPE_CHECKING:
    from loanwatch.predictor import Token

__all__ = ["register"]

Name = Annotated[str, typer.Argument(help="Whose token it is, such as the name of a system.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    tokens = typer.Typer(help="Access tokens of the inference service: create, list, revoke.", no_args_is_help=True)
    tokens.command("create")(create)
    tokens.command("list")(list_)
    tokens.command("revoke")(revoke)
    app.add_typer(tokens, name="tokens")


def create(
    context: typer.Context,
    name: Name,
    requests_per_minute: Annotated[
        int | None, typer.Option(min=1, max=1_000_000, help="Its rate limit.", show_default="that of the service")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a token and print it, once: only its hash is kept."""
    from loanwatch.database import migrate, open_database
    from loanwatch.predictor import issue_token

    here = shared(context)
    database = open_database(here.settings)
    migrate(database)
    with database.connect() as connection:
        text = issue_token(connection, name=name, created_by=actor_name(), requests_per_minute=requests_per_minute)
    here.show({"name": name, "token": text}, text, as_json=as_json)


def list_(
    context: typer.Context,
    all_: Annotated[bool, typer.Option("--all", help="Also those that were revoked.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the tokens by name; the tokens themselves are not known any more."""
    from loanwatch.database import migrate, open_database
    from loanwatch.predictor import list_tokens

    here = shared(context)
    database = open_database(here.settings)
    migrate(database)
    with database.connect() as connection:
        found = list_tokens(connection, valid_only=not all_)

    hidden = {"token_hash"}
    rows = [{k: v for k, v in vars(token).items() if k not in hidden} for token in found]
    here.show(rows, lambda: _listing(found) if found else "no tokens", as_json=as_json)


def revoke(context: typer.Context, name: Name, as_json: AsJson = False) -> None:
    """End a token's validity; services refuse it within two seconds."""
    from loanwatch.database import migrate, open_database
    from loanwatch.predictor import revoke_token

    here = shared(context)
    database = open_database(here.settings)
    migrate(database)
    with database.connect() as connection:
        revoke_token(connection, name=name)
    here.show({"revoked": name}, f"token {name} is revoked", as_json=as_json)


def _listing(tokens: "list[Token]") -> Listing:
    return Listing(
        headings=("name", "requests a minute", "created", "by", "revoked"),
        rows=[
            (
                token.name,
                f"{token.requests_per_minute:,}" if token.requests_per_minute else "as the service",
                f"{token.created_at:%Y-%m-%d %H:%M}",
                token.created_by,
                f"{token.revoked_at:%Y-%m-%d %H:%M}" if token.revoked_at else "",
            )
            for token in tokens
        ],
    )
