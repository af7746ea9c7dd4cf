"""Thumbnails of slides become facts of the slide's bytes, and what was paused as "cover" stays paused as "asset"."""

from django.db import migrations

FORWARD = """
    UPDATE downloads_storedobject AS picture SET medium_id = thumbnail.object_id
    FROM downloads_asset slide
    JOIN downloads_asset thumbnail USING (video_id, position)
    JOIN crawler_video video ON video.id = slide.video_id AND video.kind = 'carousel'
    WHERE slide.role = 'slide' AND thumbnail.role = 'thumbnail' AND slide.object_id = picture.id
      AND thumbnail.object_id IS NOT NULL AND picture.medium_id IS NULL;
    DELETE FROM downloads_asset AS thumbnail USING downloads_asset slide, downloads_storedobject picture
    WHERE thumbnail.role = 'thumbnail' AND slide.role = 'slide'
      AND slide.video_id = thumbnail.video_id AND slide.position = thumbnail.position
      AND picture.id = slide.object_id AND picture.medium_id = thumbnail.object_id;
    UPDATE jobs_pausedkind SET kind = 'asset' WHERE kind = 'cover';
"""


class Migration(migrations.Migration):
    dependencies = [
        ("crawler", "0009_profiles_sounds_and_services"),
        ("downloads", "0004_assets_of_every_kind"),
        ("jobs", "0002_paused_kind_by_name"),
    ]

    operations = [migrations.RunSQL(FORWARD, migrations.RunSQL.noop)]
