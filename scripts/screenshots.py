"""Pictures of a running sample instance for the README: `make screenshots`, or with --all every page, width and theme.

Needs `make run` in another terminal, and ADMIN_PASSWORD as it was started with.
"""

import argparse
import os
import shutil
import sys
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, sync_playwright

ARGUMENTS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
Theme = Literal["light", "dark"]
SIZES = {"wide": (1280, 900), "phone": (390, 844)}
README = ("feed", "video", "carousel", "profile", "sound", "surging", "quality", "sources", "admin")


def browser_path() -> str | None:
    """As the product finds it: CHROMIUM_PATH, the system's, else Playwright's own."""
    given = os.environ.get("CHROMIUM_PATH")
    return given or next((path for name in ("chromium", "google-chrome") if (path := shutil.which(name))), None)


def sign_in(page: Page, site: str, password: str) -> None:
    page.goto(f"{site}/accounts/login/")
    page.fill("input[name=login]", "admin")
    page.fill("input[name=password]", password)
    page.click("main button[type=submit]")
    page.wait_for_url(f"{site}/")


def link_in(page: Page, site: str, path: str, selector: str) -> str | None:
    """The path that the first such link on a page leads to."""
    page.goto(f"{site}{path}")
    found = page.locator(selector).first
    return urlsplit(found.get_attribute("href") or "").path if found.count() else None


def paths(page: Page, site: str) -> dict[str, str]:
    """Every page, with an example where it is about something."""
    category = link_in(page, site, "/categories/", ".category a")  # its carousels have been read
    found: dict[str, str | None] = {
        "feed": "/",
        "surging": "/surging/",
        "trends": "/trends/?period=7d",
        "quality": "/ranking/quality/",
        "feed-filtered": "/?kind=carousel&hashtag=nothing",
        "video": link_in(page, site, "/?surging=true&download_status=ready", "[data-card] .card-link")
        or link_in(page, site, "/?download_status=ready", "[data-card] .card-link")
        or link_in(page, site, "/", "[data-card] .card-link"),
        "category": category,
        "carousel": link_in(page, site, f"{category or '/'}?kind=carousel", "[data-card] .card-link"),
        "profile": link_in(page, site, "/sources/?kind=profile", ".source-row .row-title a"),
        "sound": link_in(page, site, "/sounds/", ".source-row .row-title a"),
        "sounds": "/sounds/",
        "sound-new": "/sounds/new/",
        "categories": "/categories/",
        "author": link_in(page, site, "/", ".card-by a"),
        "sources": "/sources/",
        "source": link_in(page, site, "/sources/", ".source-row .row-title a"),
        "source-new": "/sources/new/",
        "import": "/import/",
        "downloads": "/downloads/",
        "account": "/account/",
        "password": "/accounts/password/change/",
        "missing": "/nothing-here/",
        "admin": "/admin/",
    }
    return {name: path for name, path in found.items() if path}


def shoot(browser: Browser, options: argparse.Namespace, size: str, theme: Theme) -> list[Path]:
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=theme,
        device_scale_factor=1.5 if options.all else 1,
        reduced_motion="reduce",
        locale="en",
    )
    page = context.new_page()
    made = []
    try:
        page.goto(f"{options.site}/accounts/login/")
        if options.all:
            made.append(take(page, options.out / f"sign-in-{size}-{theme}.png", whole=False))
        sign_in(page, options.site, options.password)
        for name, path in paths(page, options.site).items():
            if options.all or name in README:
                page.goto(f"{options.site}{path}")
                page.wait_for_load_state("networkidle")
                suffix = "" if size == "wide" and theme == "light" and not options.all else f"-{size}-{theme}"
                made.append(take(page, options.out / f"{name}{suffix}.png", whole=options.all))
    finally:
        context.close()
    return made


def take(page: Page, path: Path, *, whole: bool) -> Path:
    page.screenshot(path=path, full_page=whole)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--site", default=os.environ.get("SITE_URL") or f"http://localhost:{os.environ.get('PORT', '8000')}")
    parser.add_argument("--password", default=os.environ.get("ADMIN_PASSWORD", ""), help="the admin's; else ADMIN_PASSWORD")
    parser.add_argument("--out", type=Path, default=Path("docs/screenshots"))
    parser.add_argument("--all", action="store_true", help="every page, both widths, light and dark, in full length")
    options = parser.parse_args()
    if not options.password:
        parser.error("give the admin's password, by --password or ADMIN_PASSWORD")
    options.out.mkdir(parents=True, exist_ok=True)
    variants: list[tuple[str, Theme]] = (
        [(size, theme) for size in SIZES for theme in ("light", "dark")]
        if options.all
        else [("wide", "light"), ("phone", "dark")]
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=ARGUMENTS)
        for size, theme in variants:
            for path in shoot(browser, options, size, theme):
                sys.stdout.write(f"{path}\n")
        browser.close()


if __name__ == "__main__":
    main()
