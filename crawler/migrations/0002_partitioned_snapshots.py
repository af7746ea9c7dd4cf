"""Snapshots are partitioned by month from the first day; Django cannot say so, hence the SQL."""

import django.db.models.deletion
from django.db import migrations, models

CREATE = """
CREATE TABLE crawler_metricsnapshot (
    video_id bigint NOT NULL,
    observed_at timestamptz NOT NULL,
    views bigint, likes bigint, comments bigint, shares bigint, saves bigint, followers bigint,
    PRIMARY KEY (video_id, observed_at)
) PARTITION BY RANGE (observed_at);
CREATE TABLE crawler_metricsnapshot_default PARTITION OF crawler_metricsnapshot DEFAULT;
"""


class Migration(migrations.Migration):
    dependencies = [("crawler", "0001_initial")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(CREATE, "DROP TABLE crawler_metricsnapshot")],
            state_operations=[
                migrations.CreateModel(
                    name="MetricSnapshot",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "video_id", "observed_at", blank=True, editable=False, primary_key=True, serialize=False
                            ),
                        ),
                        ("observed_at", models.DateTimeField(verbose_name="observed")),
                        ("views", models.BigIntegerField(null=True, verbose_name="views")),
                        ("likes", models.BigIntegerField(null=True, verbose_name="likes")),
                        ("comments", models.BigIntegerField(null=True, verbose_name="comments")),
                        ("shares", models.BigIntegerField(null=True, verbose_name="shares")),
                        ("saves", models.BigIntegerField(null=True, verbose_name="saves")),
                        ("followers", models.BigIntegerField(null=True, verbose_name="author's followers")),
                        (
                            "video",
                            models.ForeignKey(
                                db_constraint=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="snapshots",
                                to="crawler.video",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "snapshot",
                        "verbose_name_plural": "snapshots",
                    },
                ),
            ],
        ),
    ]
