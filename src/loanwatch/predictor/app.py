"""The FastAPI application: everything but predictions, and the description of all."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from jinja2 import Environment
from pydantic import BaseModel

from loanwatch import __version__
from loanwatch.contract import Contract
from loanwatch.predictor.metrics import Metrics
from loanwatch.predictor.openapi import example_application, predict_operation, schemas
from loanwatch.predictor.spool import Spool
from loanwatch.predictor.watch import Watcher
from loanwatch.web.handlers import add_problem_handlers, request_id_of
from loanwatch.web.problem import Problem

__all__ = ["inner_app"]


class Ping(BaseModel):
    """The service answers."""

    status: str
    datetime: datetime


class Live(BaseModel):
    """The process is there."""

    live: bool


class Health(BaseModel):
    """Whether applications can be decided."""

    live: bool
    ready: bool
    model: str | None
    model_version: int | None
    reason: str | None
    """Why not."""
    spool_bytes: int
    """Decisions of this worker that the database does not have yet."""


_NOT_READY: dict[int | str, dict[str, Any]] = {
    503: {
        "description": "No model is in use",
        "content": {
            "application/json": {
                "schema": {"allOf": [{"$ref": f"#/components/schemas/{name}"} for name in ("Error", "Health")]}
            }
        },
    }
}


def inner_app(
    contract: Contract, *, watcher: Watcher, spool: Spool, metrics: Metrics, max_rows: int, tokens: bool
) -> FastAPI:
    """Return the application that answers beside `POST /predict`."""
    app = FastAPI(
        title=f"loanwatch: {contract.title}",
        version=__version__,
        description="Decides on applications with the model that is deployed.",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # the address in the answer would be the client's own word for us
    )
    add_problem_handlers(app, nowhere="there is nothing at this address: /docs tells what there is")
    _add_health(app, watcher, spool)

    @app.get("/metrics", summary="Figures for Prometheus", response_class=Response)
    def figures() -> Response:
        return Response(metrics.exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")

    @app.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        return HTMLResponse(_page(app.openapi(), example_application(contract)))

    app.openapi = _described(app.openapi, contract, max_rows=max_rows, tokens=tokens)  # type: ignore[method-assign]
    return app


def _add_health(app: FastAPI, watcher: Watcher, spool: Spool) -> None:
    @app.get("/ping", summary="Is anybody there?")
    def ping() -> Ping:
        return Ping(status="ok", datetime=datetime.now(UTC))

    @app.get("/health/live", summary="Is the process alive?")
    def live() -> Live:
        return Live(live=True)

    @app.get("/health", summary="Is the service live and ready?", response_model=Health, responses=_NOT_READY)
    @app.get("/health/ready", summary="Can it decide?", response_model=Health, responses=_NOT_READY)
    def health(request: Request) -> Response:
        scorer = watcher.scorer
        health = Health(
            live=True,
            ready=scorer is not None,
            model=scorer.version.name if scorer else None,
            model_version=scorer.version.version if scorer else None,
            reason=None if scorer else watcher.reason,
            spool_bytes=spool.untaken,
        )
        if scorer is not None:
            return JSONResponse(health.model_dump())
        problem = Problem(503, "not_ready", watcher.reason)
        return JSONResponse({**problem.to_dict(request_id_of(request)), **health.model_dump()}, status_code=503)


def _described(
    generated: Callable[[], dict[str, Any]], contract: Contract, *, max_rows: int, tokens: bool
) -> Callable[[], dict[str, Any]]:
    @cache
    def described() -> dict[str, Any]:
        document = generated()
        document["paths"]["/predict"] = {"post": predict_operation(contract, tokens=tokens)}
        components = document.setdefault("components", {})
        components.setdefault("schemas", {}).update(schemas(contract, max_rows=max_rows))
        if tokens:
            components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
            document["paths"]["/metrics"]["get"]["security"] = [{"token": []}]
        return document

    return described


def _page(document: dict[str, Any], example: dict[str, Any]) -> str:
    """Return the description as one page that needs no network and runs no script."""
    source = (resources.files("loanwatch.predictor") / "docs.html").read_text(encoding="utf-8")
    return Environment(autoescape=True).from_string(source).render(document=document, example=example)
