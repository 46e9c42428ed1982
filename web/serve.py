"""Serve one of our apps: ``python -m web.serve services.intake.app:create --port 8101``. Its lines are its only log."""

import argparse
import gc

import uvicorn
from prometheus_client import disable_created_metrics
from starlette.types import ASGIApp
from uvicorn.importer import import_from_string

from web.logging import configure


def main() -> None:
    """Run until SIGTERM, then finish what is under way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("app", help="the app's factory, module:function")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    configure(given.app.split(".")[1])
    # They would double what is told at every look, and when the process began is told anyway.
    disable_created_metrics()  # type: ignore[no-untyped-call]  # the package leaves its type out

    def settled() -> ASGIApp:
        app: ASGIApp = import_from_string(given.app)()
        settle()
        return app

    uvicorn.run(
        settled,
        factory=True,
        host=given.host,
        port=given.port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nobody here asks where a request came from
        timeout_graceful_shutdown=2,
    )


def settle() -> None:
    """Have the garbage collector leave alone what is there for good, and look at the rest less often.

    Classes, schemas and routes are hundreds of thousands of objects, none of them garbage ever; a request makes some
    hundreds that are gone with it. Left as it is, the collector takes a fifth of a request's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)


if __name__ == "__main__":
    main()
