from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("ranking", "0006_classic_counts")]

    operations = [
        # Room on every page for the next state of some rows: then their index need not be written.
        migrations.RunSQL(
            "ALTER TABLE ranking_counterstate SET (fillfactor = 85)", "ALTER TABLE ranking_counterstate RESET (fillfactor)"
        ),
    ]
