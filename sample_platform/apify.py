"""A stand-in for the Apify API: starts runs of one actor, lets them take their time, keeps their datasets, posts webhooks."""

import asyncio
import json
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

from sample_platform import apify_items, services
from sample_platform.answers import Json
from sample_platform.apify_runs import ACTOR_ID, OVER, READY_SECONDS, USER_ID, Run, input_error
from sample_platform.apify_webhooks import BadWebhooks, Dispatch, deliver, read
from sample_platform.faults import Fault
from sample_platform.http import Request, Response, Routes, json_response
from sample_platform.platform import Platform

TOKEN = "sample-apify-token"
PLACE = "apify"
ACTOR = "clockworks~tiktok-sound-scraper"
LARGEST_INPUT = 9 * 1024 * 1024
NO_LIMIT = 999_999_999_999
TRUTH = "true|false|1|0"
START = {
    "token": ".*",
    "timeout": r"\d{1,7}",
    "memory": "128|256|512|1024|2048|4096|8192|16384|32768",
    "maxItems": r"\d{1,9}",
    "maxTotalChargeUsd": r"\d{1,6}(\.\d+)?",
    "build": r"[\w.-]{1,50}",
    "restartOnError": TRUTH,
    "forcePermissionLevel": "LIMITED_PERMISSIONS|FULL_PERMISSIONS",
    "waitForFinish": r"[0-5]?\d|60",
    "webhooks": ".*",
}
LISTED = {"token": ".*", "offset": r"\d{1,12}", "limit": r"\d{1,12}", "desc": TRUTH, "status": "[A-Z,-]+"}
ITEMS = {
    **dict.fromkeys(("token", "signature", "view", "unwind", "flatten", "fields", "omit"), r".*"),
    **dict.fromkeys(("clean", "desc", "skipEmpty", "skipHidden"), TRUTH),
    "format": "json|jsonl",
    "offset": r"\d{1,12}",
    "limit": r"\d{1,12}",
}


class Refused(Exception):
    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status, self.kind, self.message = status, kind, message


def routes(platform: Platform, table: Routes) -> "Apify":
    api = Apify(platform)
    base = "/services/apify/v2"
    actor, run, dataset = r"(?:acts|actors)/(?P<actor>[\w.~-]+)", r"actor-runs/(?P<run>[\w-]+)", r"datasets/(?P<dataset>[\w-]+)"
    for method, path, work in (
        ("POST", f"{actor}/runs", api.start),
        ("GET", f"{actor}/runs", api.runs_of),
        ("GET", actor, api.actor),
        ("GET", run, api.run),
        ("POST", f"{run}/abort", api.abort),
        ("GET", f"{run}/dataset/items", api.items),
        ("GET", f"{dataset}/items", api.items),
        ("GET", dataset, api.dataset),
        ("GET", r"key-value-stores/(?P<store>[\w-]+)/records/INPUT", api.input),
        ("GET", "users/me", api.user),
    ):
        table.add(method, f"{base}/{path}/?", api.answerer(work))
    table.add("GET POST PUT DELETE", "/services/apify/.*", api.unknown)
    table.add("GET", "/control/apify.json", api.truth)
    return api


Work = Callable[[Request], Awaitable[Response]]


class Apify:
    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.runs: dict[str, Run] = {}
        self.tasks: set[asyncio.Task[None]] = set()

    def answerer(self, work: Work) -> Work:
        async def answer(request: Request) -> Response:
            try:
                if hindrance := await services.hindered(self.platform, request, PLACE):
                    return hindrance
                self._check_token(request)
                return services.cut(await work(request), self.platform.fault("cut_json", PLACE))
            except Refused as refused:
                return failure(refused)

        return answer

    def _check_token(self, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        given = token.strip() if scheme.lower() == "bearer" else request.query.get("token", "")
        if not given:
            raise Refused(401, "token-not-provided", "Authentication token was not provided")
        if given != TOKEN or self.platform.fault("key_refused", PLACE):
            raise Refused(401, "user-or-token-not-found", "User was not found or authentication token is not valid")

    async def unknown(self, request: Request) -> Response:
        return failure(Refused(404, "page-not-found", "We have bad news: there is no API endpoint at this URL."))

    # --- runs -----------------------------------------------------------------------------------------------------------
    async def start(self, request: Request) -> Response:
        self._actor(request)
        check(START, request)
        given = self._input(request)
        try:
            webhooks = read(request.query.get("webhooks", ""))
        except BadWebhooks as error:
            raise Refused(400, "invalid-request", str(error)) from error
        if self.platform.fault("no_credits", PLACE):
            raise Refused(402, "not-enough-usage-to-run-paid-actor", "You do not have enough credit to run this Actor.")
        answers = self.platform.tiktok_answers(request)
        run = Run(
            id=secrets.token_urlsafe(13)[:17].replace("_", "x").replace("-", "y"),
            input=given,
            options={
                "build": request.query.get("build", "latest"),
                "timeoutSecs": request.number("timeout", 3600),
                "memoryMbytes": request.number("memory", 4096),
                "maxItems": request.number("maxItems", 0) or None,
            },
            webhooks=webhooks,
            items=apify_items.rows(answers, given["musics"], given.get("resultsPerPage", 100)),
        )
        if fault := self._fault("run_slow", run):
            run.seconds = services.seconds(fault.value, 30.0)
        if (fault := self._fault("run_ends", run)) is not None:
            run.ends_as = fault.value if fault.value in OVER else "FAILED"
        self.runs[run.id] = run
        self._spawn(self._live(run))
        await self._wait(request, run)
        return json_response({"data": run.as_json()}, 201, location=f"/services/apify/v2/actor-runs/{run.id}")

    def _input(self, request: Request) -> Json:
        if len(request.body) > LARGEST_INPUT:
            raise Refused(413, "request-too-large", "The POST payload is too large (limit: 9437184 bytes).")
        if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
            raise Refused(415, "unsupported-content-type", "The Content-Type of the input must be application/json")
        given = services.as_json(request.body)
        if not isinstance(given, dict):
            raise Refused(400, "invalid-json", "The input must be a JSON object")
        if reason := input_error(given):
            raise Refused(400, "invalid-input", f"Input is not valid: {reason}")
        return given

    async def _live(self, run: Run) -> None:
        """A run's life: ready, running, and an end that its webhooks tell of."""
        self._tell(run, "CREATED")
        await asyncio.sleep(READY_SECONDS)
        if not run.abort.is_set():
            run.status, run.message = "RUNNING", "Scraping music..."
            try:
                async with asyncio.timeout(run.seconds):
                    await run.abort.wait()
            except TimeoutError:
                pass
        if run.abort.is_set():
            run.ends_as, run.status = "ABORTED", "ABORTING"
            await asyncio.sleep(0.2)
        run.finished_at = time.time()
        run.status = run.ends_as
        run.message = {
            "SUCCEEDED": f"Finished! Scraped {len(run.items)} items.",
            "FAILED": "The actor failed: TikTok did not answer after 10 tries.",
            "TIMED-OUT": "The run reached its timeout.",
            "ABORTED": "The run was aborted.",
        }[run.status]
        run.over.set()
        self._tell(run, run.status.replace("-", "_"))

    def _tell(self, run: Run, name: str) -> None:
        event = f"ACTOR.RUN.{name}"
        for webhook in run.webhooks:
            if event not in webhook.events or self._fault("webhook_lost", run):
                continue
            fault = self._fault("webhook_repeated", run)
            times = 1 if fault is None else fault.value if isinstance(fault.value, int) else 100
            dispatch = Dispatch(event, webhook.url)
            run.dispatches.append(dispatch)
            for _ in range(min(times, 1000)):
                self._spawn(deliver(webhook, dispatch, run.as_json(), time.time()))

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def run(self, request: Request) -> Response:
        check({"token": ".*", "waitForFinish": START["waitForFinish"]}, request)
        run = self._run(request)
        await self._wait(request, run)
        return json_response({"data": run.as_json()})

    async def abort(self, request: Request) -> Response:
        check({"token": ".*", "gracefully": TRUTH}, request)
        run = self._run(request)
        if run.status not in OVER:
            run.abort.set()
            run.status = "ABORTING"
        return json_response({"data": run.as_json()})

    async def runs_of(self, request: Request) -> Response:
        self._actor(request)
        check(LISTED, request)
        wanted = set(request.query.get("status", "").split(",")) - {""}
        found = [run.as_json() for run in self.runs.values() if not wanted or run.status in wanted]
        if request.query.get("desc") in {"true", "1"}:
            found.reverse()
        first, limit = request.number("offset", 0), min(request.number("limit", 1000), 1000)
        page = found[first : first + limit]
        facts = {"total": len(found), "count": len(page), "offset": first, "limit": limit, "desc": "desc" in request.query}
        return json_response({"data": {**facts, "items": page}})

    async def _wait(self, request: Request, run: Run) -> None:
        try:
            async with asyncio.timeout(request.number("waitForFinish", 0, most=60)):
                await run.over.wait()
        except TimeoutError:
            pass

    def _actor(self, request: Request) -> None:
        if request.params["actor"] not in {ACTOR, ACTOR_ID}:
            raise Refused(404, "record-not-found", "Actor was not found")

    def _run(self, request: Request) -> Run:
        key, dataset = request.params.get("run"), request.params.get("dataset")
        found = next((run for run in self.runs.values() if key == run.id or dataset == run.dataset), None)
        if found is None:
            raise Refused(404, "record-not-found", f"{'Actor run' if key else 'Dataset'} was not found")
        return found

    def _fault(self, names: str, run: Run) -> Fault | None:
        return self.platform.fault(names, PLACE, topics=run.sounds)

    # --- datasets -------------------------------------------------------------------------------------------------------
    async def items(self, request: Request) -> Response:
        check(ITEMS, request)
        run = self._run(request)
        rows = self._visible(run)
        is_desc = asked(request, "desc")
        first, limit = request.number("offset", 0), request.number("limit", NO_LIMIT) if "limit" in request.query else NO_LIMIT
        page = (rows[::-1] if is_desc else rows)[first : first + limit]
        if asked(request, "clean") or asked(request, "skipHidden"):
            page = [{name: value for name, value in row.items() if not name.startswith("#")} for row in page]
        if asked(request, "clean") or asked(request, "skipEmpty"):
            page = [row for row in page if row]
        for name in ("fields", "omit"):
            if names := request.query.get(name):
                page = [{key: row[key] for key in row if (key in names.split(",")) == (name == "fields")} for row in page]
        facts = {"total": len(rows), "offset": first, "count": len(page), "limit": limit, "desc": str(is_desc).lower()}
        headers = {f"x-apify-pagination-{name}": str(value) for name, value in facts.items()}
        if request.query.get("format") == "jsonl":
            lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in page)
            return Response(lines.encode("utf-8", "replace"), 200, headers, "application/x-ndjson; charset=utf-8")
        return json_response(page, 200, **headers)

    def _visible(self, run: Run) -> list[Json]:
        """Writing and counting are not one: for some seconds after the end the last rows are missing from both."""
        rows = run.pushed()
        fault = self._fault("total_lags", run)
        if fault and run.finished_at and time.time() - run.finished_at < services.seconds(fault.value, 4.0):
            return rows[: max(0, len(rows) - 7)]
        return rows

    async def dataset(self, request: Request) -> Response:
        run = self._run(request)
        facts = {"id": run.dataset, "name": None, "userId": USER_ID, "itemCount": len(self._visible(run)), "actRunId": run.id}
        return json_response({"data": facts})

    async def input(self, request: Request) -> Response:
        found = next((run for run in self.runs.values() if run.store == request.params["store"]), None)
        if found is None:
            raise Refused(404, "record-not-found", "Key-value store was not found")
        return json_response(found.input)

    # --- the account ----------------------------------------------------------------------------------------------------
    async def actor(self, request: Request) -> Response:
        self._actor(request)
        owner, _, name = ACTOR.partition("~")
        return json_response({"data": {"id": ACTOR_ID, "name": name, "username": owner, "isPublic": True}})

    async def user(self, request: Request) -> Response:
        return json_response({"data": {"id": USER_ID, "username": "sample", "plan": {"id": "STARTER"}}})

    async def truth(self, request: Request) -> Response:
        """What ran and was posted, and how much of it still goes on, for tests. It has no counterpart at the real service."""
        runs = [
            {
                "id": run.id,
                "status": run.status,
                "input": run.input,
                "items": len(run.items),
                "dispatches": [vars(dispatch) for dispatch in run.dispatches],
            }
            for run in self.runs.values()
        ]
        return json_response({"runs": runs, "underway": len(self.tasks)})


def failure(refused: Refused) -> Response:
    return json_response({"error": {"type": refused.kind, "message": refused.message}}, refused.status)


def asked(request: Request, name: str) -> bool:
    return request.query.get(name) in {"true", "1"}


def check(allowed: dict[str, str], request: Request) -> None:
    for name, value in request.query.items():
        pattern = allowed.get(name)
        if pattern is None:
            raise Refused(400, "invalid-parameter", f'Unknown query parameter "{name}"')
        if not re.fullmatch(pattern, value):
            raise Refused(400, "invalid-value", f'Invalid value of the query parameter "{name}"')
