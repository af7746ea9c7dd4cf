"""Categories: found by any spelling, made when new, renamed and merged. `Video.category` follows, by one UPDATE each."""

import hashlib
import unicodedata

from django.db import IntegrityError, transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from analysis.analyzers.base import KnownCategory
from analysis.analyzers.topics import STARTERS
from analysis.models import LONGEST_NAME, Analysis, Category
from crawler.cleaning import clean_text
from crawler.models import Video


class NameTaken(ValueError):
    """Another category has this name; merging is what is meant."""


def slug_of(name: str) -> str:
    """What a name is in links, and by what two spellings of it are recognised as one. Letters of all scripts are kept."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    slug = slugify(folded, allow_unicode=True)[:LONGEST_NAME].strip("-_")
    return slug or hashlib.sha256(folded.encode()).hexdigest()[:12]  # a name of emoji only


def find(name: str) -> Category | None:
    """The current category that has, or had, this name or slug."""
    found: Category | None = Category.objects.filter(slug=slug_of(name)).select_related("merged_into").first()
    return found.merged_into or found if found else None


def find_or_create(name: str, *, is_from_model: bool) -> tuple[Category, bool]:
    """The category of this name, and whether it is new. Raises ValueError for a name of nothing."""
    name = clean_text(name, LONGEST_NAME, one_line=True)[0].strip()
    if not name:
        raise ValueError(_("A category needs a name."))
    if found := find(name):
        return found, False
    created: tuple[Category, bool] = Category.objects.get_or_create(
        slug=slug_of(name), defaults={"name": name, "is_from_model": is_from_model}
    )
    return created


def rename(category: Category, name: str) -> None:
    """Give it another name. Its old link and spelling go on leading to it. Raises NameTaken, ValueError."""
    name = clean_text(name, LONGEST_NAME, one_line=True)[0].strip()
    if not name:
        raise ValueError(_("A category needs a name."))
    old, new = category.slug, slug_of(name)
    with transaction.atomic():
        if new != old:
            # Its own former name may be taken again; anybody else's may not.
            Category.objects.filter(slug=new, merged_into=category).delete()
            try:
                with transaction.atomic():
                    Category.objects.filter(pk=category.pk).update(slug=new)
            except IntegrityError as error:
                raise NameTaken(_("There is a category “%(name)s” already: merge them instead.") % {"name": name}) from error
            Category.objects.create(name=category.name, slug=old, merged_into=category, is_from_model=category.is_from_model)
            Video.objects.filter(category=old).update(category=new)
        # A name that staff gave is nobody else's any more.
        Category.objects.filter(pk=category.pk).update(name=name, is_from_model=False)
    category.name, category.slug, category.is_from_model = name, new, False


def merge(categories: list[Category], into: Category) -> int:
    """Put the videos of some categories into another, whose former names theirs become; return how many videos moved."""
    others = [category for category in categories if category.pk != into.pk]
    ids = [category.pk for category in others]
    with transaction.atomic():
        # In one order always, so that two merges at once wait for each other instead of deadlocking.
        locked = {row.pk: row for row in Category.objects.filter(pk__in=[*ids, into.pk]).order_by("pk").select_for_update()}
        if locked.keys() != {*ids, into.pk} or any(row.merged_into_id for row in locked.values()):
            raise ValueError(_("One of these categories was merged or deleted meanwhile."))
        Category.objects.filter(merged_into__in=ids).update(merged_into=into)
        Category.objects.filter(pk__in=ids).update(merged_into=into)
        Analysis.objects.filter(category__in=ids).update(category=into)
        slugs = [row.slug for row in locked.values() if row.pk != into.pk]
        return int(Video.objects.filter(category__in=slugs).update(category=into.slug))


def assign(video: Video, name: str) -> None:
    """Put a video into the category of this name, made if there is none; an empty name takes it out of any."""
    video.category = find_or_create(name, is_from_model=False)[0].slug if name else ""
    Video.objects.filter(pk=video.pk).update(category=video.category)


def known() -> list[KnownCategory]:
    """All current ones, those with names that people gave first."""
    rows = Category.objects.current().order_by("is_from_model", "name", "pk")
    return [KnownCategory(slug=slug, name=name) for slug, name in rows.values_list("slug", "name")]


def seed() -> int:
    """The starters, where there never was any category; return how many."""
    if Category.objects.exists():
        return 0
    rows = [Category(slug=slug, name=name) for slug, (name, _words) in STARTERS.items()]
    return len(Category.objects.bulk_create(rows, ignore_conflicts=True))
