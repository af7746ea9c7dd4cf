"""`python -m sample_platform --port P --cdn-port C --data-dir D`: serve the site until SIGTERM or Ctrl-C."""

import argparse
import asyncio
import contextlib
import logging
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import uvicorn

from sample_platform import apify, cdn, control, gemini, scrapecreators, site, tiktok_pages
from sample_platform.http import Routes
from sample_platform.platform import Platform

logger = logging.getLogger("sample_platform")


class Server(uvicorn.Server):
    """One of two listeners in a process: signals are handled once, for both."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="sample_platform", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, required=True, help="the site's own pages and JSON")
    parser.add_argument("--cdn-port", type=int, help="the media host; the next port unless given")
    parser.add_argument("--data-dir", type=Path, required=True, help="where what it makes is kept")
    parser.add_argument("--videos", type=int, default=360, help="entries in the world (default 360)")
    parser.add_argument("--seed", type=int, default=7, help="another seed is another world")
    parser.add_argument("--media-seconds", type=int, default=3600, help="how long a link to a clip lives")
    parser.add_argument("--warm-clips", type=int, default=16, help="clips made ahead; others when first asked for")
    parser.add_argument("--lazy", action="store_true", help="make nothing ahead")
    return parser.parse_args()


def listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        sys.exit(f"Sample platform: cannot listen on {host}:{port}: {error.strerror}. Is something else using it?")
    return listener


async def serve(options: argparse.Namespace) -> None:
    cdn_port = options.cdn_port or options.port + 1
    sockets = [listen(options.host, options.port), listen(options.host, cdn_port)]
    platform = Platform.open(
        options.data_dir,
        seed=options.seed,
        size=options.videos,
        web_port=options.port,
        cdn_port=cdn_port,
        media_seconds=options.media_seconds,
    )
    web = site.routes(platform)
    control.add_routes(web, platform)
    tiktok_pages.routes(platform, web)
    scrapecreators.routes(platform, web)
    apify.routes(platform, web)
    gemini.routes(platform, web)
    servers = [server(web), server(cdn.routes(platform))]

    def stop() -> None:
        for each in servers:
            each.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    published = len(platform.published())
    logger.info("Sample platform: %d videos at http://localhost:%d", published, options.port)
    logger.info("Sample platform: switches at http://localhost:%d/control", options.port)
    ahead = None if options.lazy else asyncio.create_task(platform.studio.prepare(options.warm_clips))
    try:
        await asyncio.gather(*(each.serve([own]) for each, own in zip(servers, sockets, strict=True)))
    finally:
        if ahead:
            ahead.cancel()
        platform.studio.stop()
        platform.save()
        logger.info("Sample platform: stopped")


def server(routes: Routes) -> Server:
    return Server(
        uvicorn.Config(
            routes,
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=2,
        )
    )


def is_news(record: logging.LogRecord) -> bool:
    """An answer that is cut off is a fault on demand here, and no error of ours."""
    return "without completing response" not in record.getMessage()


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    logging.getLogger("uvicorn.error").addFilter(is_news)
    asyncio.run(serve(arguments()))


if __name__ == "__main__":
    main()
