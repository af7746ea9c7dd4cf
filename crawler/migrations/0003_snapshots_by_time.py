"""Snapshots arrive in order of time, so a block-range index finds the recent ones at next to no cost."""

from django.db import migrations

CREATE = "CREATE INDEX crawler_metricsnapshot_time ON crawler_metricsnapshot USING brin (observed_at)"


class Migration(migrations.Migration):
    dependencies = [("crawler", "0002_partitioned_snapshots")]

    operations = [migrations.RunSQL(CREATE, "DROP INDEX crawler_metricsnapshot_time")]
