"""Live hints: who hears what, over real Redis; and that nobody is held up when Redis is away."""

import json
import threading
import time

import pytest
from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator
from channels.db import database_sync_to_async
from django.contrib.auth.models import AnonymousUser

from config.asgi import application
from pages import events
from tests.factories import CrawlJobFactory, DownloadJobFactory, MembershipFactory, SourceFactory

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 60


@pytest.fixture(autouse=True)
def _fresh(monkeypatch):
    monkeypatch.setattr(events, "_rest", events._Rest())


class Socket(ApplicationCommunicator):
    """The client's side of a WebSocket, in ASGI's words."""

    def __init__(self, app, path, origin=b"http://localhost"):
        path, _, query = path.partition("?")
        headers = [(b"origin", origin), (b"host", b"localhost")]
        scope = {"type": "websocket", "path": path, "query_string": query.encode(), "headers": headers, "subprotocols": []}
        super().__init__(app, scope)

    async def connect(self):
        await self.send_input({"type": "websocket.connect"})
        return (await self.receive_output(timeout=PATIENCE))["type"] == "websocket.accept"

    async def close(self):
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait(timeout=PATIENCE)


def hear(path, act, *, user=None, count=1):
    """Open a socket, do something beside it, and return what came (True: nothing did, as was expected)."""

    async def whole():
        consumer = events.EventsConsumer.as_asgi()

        async def with_user(scope, receive, send):
            scope["user"] = user or AnonymousUser()
            return await consumer(scope, receive, send)

        socket = Socket(with_user, path)
        assert await socket.connect()
        await act()
        if count:
            heard = [json.loads((await socket.receive_output(timeout=PATIENCE))["text"]) for _ in range(count)]
        else:
            heard = await socket.receive_nothing(timeout=0.3)
        await socket.close()
        return heard

    return async_to_sync(whole)()


def in_thread(work):
    async def act():
        await database_sync_to_async(work)()

    return act


def test_everybody_hears_of_new_videos():
    heard = hear("/ws/events", in_thread(lambda: events.announce(events.NEWS, seen=12)))

    assert heard == [{"event": "news", "seen": 12}]


def test_a_page_hears_of_the_videos_it_names_and_of_no_other():
    mine, other = DownloadJobFactory(), DownloadJobFactory()

    def work():
        other.cancel()
        mine.cancel()

    heard = hear(f"/ws/events?video={mine.video_id}", in_thread(work))

    assert heard == [{"event": f"video-{mine.video_id}", "state": "cancelled", "progress": 0}]


def test_a_source_is_heard_of_in_its_workspace_only():
    membership = MembershipFactory()
    job = CrawlJobFactory(source=SourceFactory(workspace=membership.workspace))
    path = f"/ws/events?source={job.source_id}"

    assert hear(path, in_thread(lambda: events.announce(f"source-{job.source_id}")), user=membership.user)
    assert hear(path, in_thread(lambda: events.announce(f"source-{job.source_id}")), count=0)
    assert hear(path, in_thread(lambda: events.announce(f"source-{job.source_id}")), user=MembershipFactory().user, count=0)


@pytest.mark.parametrize("query", ["video=x", "video=99999999999999999999", "video=-1", "source=1%00", "%ff", "video=1&" * 500])
def test_what_a_page_may_ask_for_is_bounded(query):
    assert hear(f"/ws/events?{query}", in_thread(lambda: events.announce(events.NEWS)))


def test_another_sites_page_is_not_let_in():
    async def connect(origin):
        socket = Socket(application, "/ws/events", origin)
        is_in = await socket.connect()
        if is_in:
            await socket.close()
        return is_in

    assert async_to_sync(connect)(b"http://localhost") is True
    assert async_to_sync(connect)(b"http://evil.example") is False


def test_redis_away_delays_nobody_and_is_left_alone_for_a_while(settings):
    settings.CHANNEL_LAYERS = {
        "default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": ["redis://127.0.0.1:1/0"]}}
    }
    job = DownloadJobFactory()
    may_send, could_send = threading.Event(), threading.Event()

    def keep_from_sending():
        may_send.wait(PATIENCE)
        could_send.set()

    events._voice().call_soon_threadsafe(keep_from_sending)
    job.cancel()
    events.announce("news")

    assert not could_send.is_set()  # neither waited for it
    may_send.set()
    until = time.monotonic() + PATIENCE
    while events._rest.is_over() and time.monotonic() < until:
        time.sleep(0.01)
    assert not events._rest.is_over()
