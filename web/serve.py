"""Serve one of our apps: ``python -m web.serve services.intake.app:create --port 8101``. Its lines are its only log."""

import argparse

import uvicorn
from prometheus_client import disable_created_metrics

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
    uvicorn.run(
        given.app,
        factory=True,
        host=given.host,
        port=given.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=2,
    )


if __name__ == "__main__":
    main()
