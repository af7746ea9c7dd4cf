"""MEDIA_STORAGE, read: one URL becomes one entry of Django's STORAGES. Imports no SDK, so settings may call it."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

FORMS = "file:PATH, s3://BUCKET[/PREFIX]?endpoint=…&region=… or azure://CONTAINER[/PREFIX]?account=…"


def storage_settings(url: str, *, base: Path) -> dict[str, Any]:
    """`file:` paths are relative to `base`. Credentials come by the SDKs' own variables. Raises ImproperlyConfigured."""
    parts = urlsplit(url)
    try:
        read = {"file": _file, "s3": _s3, "azure": _azure}[parts.scheme]
    except KeyError:
        raise ImproperlyConfigured(f"MEDIA_STORAGE must be {FORMS}; not {url!r}.") from None
    return read(parts, base)


def link_origins(url: str, public_url: str = "") -> list[str]:
    """Where direct links to the media point, for the pages' Content-Security-Policy; none when all go by the app."""
    if public_url:
        return [_origin(public_url)]
    parts = urlsplit(url)
    if parts.scheme == "s3":
        options = _s3(parts, Path())["OPTIONS"]
        if options["endpoint_url"]:
            return [_origin(options["endpoint_url"])]
        return [f"https://{options['bucket_name']}.s3.{options['region_name'] or 'us-east-1'}.amazonaws.com"]
    if parts.scheme == "azure":
        return _azure_origins(_azure(parts, Path())["OPTIONS"])
    return []


def _azure_origins(options: Mapping[str, str]) -> list[str]:
    told = dict(part.split("=", 1) for part in options.get("connection_string", "").split(";") if "=" in part)
    if endpoint := told.get("BlobEndpoint"):
        return [_origin(endpoint)]
    if account := told.get("AccountName") or options.get("account_name"):
        scheme, suffix = told.get("DefaultEndpointsProtocol", "https"), told.get("EndpointSuffix", "core.windows.net")
        return [f"{scheme}://{account}.blob.{suffix}"]
    return []


def _file(parts: SplitResult, base: Path) -> dict[str, Any]:
    if parts.netloc or not parts.path:
        raise ImproperlyConfigured(f"MEDIA_STORAGE names no folder: {parts.geturl()!r}. Write file:var/media.")
    folder = base / unquote(parts.path)
    return {"BACKEND": "downloads.stores.local.LocalStore", "OPTIONS": {"location": str(folder)}}


def _s3(parts: SplitResult, base: Path) -> dict[str, Any]:
    query = _query(parts, {"endpoint", "region", "addressing"})
    if not parts.netloc:
        raise ImproperlyConfigured("MEDIA_STORAGE names no bucket. Write s3://bucket?endpoint=https://…&region=auto.")
    endpoint = query.get("endpoint", "").rstrip("/")
    if endpoint and urlsplit(endpoint).scheme not in ("http", "https"):
        raise ImproperlyConfigured(f"The endpoint of MEDIA_STORAGE must begin with https://, not be {endpoint!r}.")
    region = query.get("region") or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    return {
        "BACKEND": "downloads.stores.s3.S3Store",
        "OPTIONS": {
            "bucket_name": parts.netloc,
            "location": parts.path.strip("/"),
            "endpoint_url": endpoint or None,
            # S3-compatible services take any region, but a signature needs one.
            "region_name": region or ("auto" if endpoint else None),
            "addressing_style": query.get("addressing", "path" if endpoint else "auto"),
        },
    }


def _azure(parts: SplitResult, base: Path) -> dict[str, Any]:
    query = _query(parts, {"account"})
    if not parts.netloc:
        raise ImproperlyConfigured("MEDIA_STORAGE names no container. Write azure://container?account=name.")
    options = {
        "azure_container": parts.netloc,
        "location": parts.path.strip("/"),
        "connection_string": os.environ.get("AZURE_STORAGE_CONNECTION_STRING"),
        "account_name": query.get("account") or os.environ.get("AZURE_STORAGE_ACCOUNT"),
        "account_key": os.environ.get("AZURE_STORAGE_KEY"),
        "sas_token": os.environ.get("AZURE_STORAGE_SAS_TOKEN"),
    }
    return {
        "BACKEND": "downloads.stores.azure.AzureStore",
        "OPTIONS": {name: value for name, value in options.items() if value is not None},
    }


def _query(parts: SplitResult, known: set[str]) -> dict[str, str]:
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if unknown := sorted(set(query) - known):
        raise ImproperlyConfigured(f"MEDIA_STORAGE does not know {', '.join(unknown)}; it knows {', '.join(sorted(known))}.")
    return query


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
