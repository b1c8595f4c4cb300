"""`serve`: the inference service."""

from typing import Annotated

import typer

from loanwatch.cli.context import shared

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(serve)


def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port; 0 for any that is free.")] = 5100,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that share the port.")] = 1,
    tokens: Annotated[
        bool | None,
        typer.Option("--tokens/--no-tokens", help="Ask for access tokens.", show_default="beyond this machine only"),
    ] = None,
    requests_per_minute: Annotated[int, typer.Option(min=1, help="For each token without a limit of its own.")] = 6_000,
    max_body_mb: Annotated[float, typer.Option(min=0.001, max=1_024, help="Larger bodies are refused.")] = 8.0,
    max_rows: Annotated[int, typer.Option(min=1, help="Longer lists of applications are refused.")] = 10_000,
    body_timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds that headers, and then a body, may take to arrive.")
    ] = 10.0,
) -> None:
    """Serve the deployed model over HTTP until Ctrl-C; a deployment or roll-back is picked up without a restart."""
    from loanwatch.predictor import is_loopback
    from loanwatch.predictor.server import serve as run

    here = shared(context)
    needed = not is_loopback(host) if tokens is None else tokens

    def ready(address: str) -> None:
        access = "access tokens needed" if needed else "no access tokens needed"
        here.out.print(
            f"listening on {address} ({access}); documentation: {address}/docs", highlight=False, soft_wrap=True
        )

    run(
        here.settings,
        ready=ready,
        host=host,
        port=port,
        workers=workers,
        tokens=needed,
        requests_per_minute=requests_per_minute,
        max_body_bytes=int(max_body_mb * 2**20),
        max_rows=max_rows,
        body_timeout_seconds=body_timeout,
        header_timeout_seconds=body_timeout,
    )
