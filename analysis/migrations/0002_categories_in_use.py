"""Categories that were typed before there were rows for them: each becomes one, and the videos hold its slug."""

import hashlib

from django.db import migrations
from django.utils.text import slugify


def adopt(apps, schema_editor):
    category, video = apps.get_model("analysis", "Category"), apps.get_model("crawler", "Video")
    for typed in video.objects.exclude(category="").order_by("category").values_list("category", flat=True).distinct():
        # As analysis.categories.slug_of was when this was written.
        slug = slugify(typed, allow_unicode=True)[:60].strip("-") or hashlib.sha256(typed.encode()).hexdigest()[:12]
        category.objects.get_or_create(slug=slug, defaults={"name": typed})
        video.objects.filter(category=typed).update(category=slug)


class Migration(migrations.Migration):
    dependencies = [("analysis", "0001_carousel_text")]

    operations = [migrations.RunPython(adopt, migrations.RunPython.noop)]
