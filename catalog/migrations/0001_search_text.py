"""Search inside unsegmented Chinese without pg_trgm: a GIN index over the short character sequences ("grams") of a title.

A gram is up to three code points packed into one bigint (21 bits each), so grams of different length never meet.
"""

import django.db.models.deletion
from django.db import migrations, models

FUNCTIONS = r"""
-- How titles and queries are compared: without case, full width or ligatures.
CREATE FUNCTION catalog_fold(raw text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
RETURN lower(normalize(left(raw, 2000), NFKC));

-- Wide: ideographs, kana, hangul, emoji and all others that say much with one character. 11904 is U+2E80.
CREATE FUNCTION catalog_grams(folded text) RETURNS bigint[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
BEGIN ATOMIC
    SELECT coalesce(array_agg(DISTINCT gram), '{}')
    FROM (
        SELECT c1, lead(c1) OVER (ORDER BY place) AS c2, lead(c1, 2) OVER (ORDER BY place) AS c3
        FROM (
            SELECT ascii(letter)::bigint AS c1, place
            FROM unnest(string_to_array(folded, NULL)) WITH ORDINALITY AS letters (letter, place)
        ) AS codes
    ) AS windows,
    LATERAL (VALUES
        (CASE WHEN c1 >= 11904 THEN c1 END),
        (CASE WHEN c1 > 32 AND c2 > 32 THEN (c1 << 21) | c2 END),
        (CASE WHEN c1 BETWEEN 33 AND 11903 AND c2 BETWEEN 33 AND 11903 AND c3 BETWEEN 33 AND 11903
              THEN (c1 << 42) | (c2 << 21) | c3 END)
    ) AS grams (gram)
    WHERE gram IS NOT NULL;
END;

-- The fewest and rarest grams that every text with this term in it has. None for one narrow letter.
CREATE FUNCTION catalog_term_grams(folded text) RETURNS bigint[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
BEGIN ATOMIC
    SELECT coalesce(array_agg(gram), '{}') FROM unnest(catalog_grams(folded)) AS grams (gram)
    WHERE CASE
        WHEN char_length(folded) <= 2 THEN gram >> (21 * (char_length(folded) - 1)) > 0
        ELSE gram >> 42 > 0 OR (gram >> 21 > 0 AND (gram >> 21 >= 11904 OR gram & 2097151 >= 11904))
    END;
END;
"""

DROP_FUNCTIONS = """
DROP FUNCTION catalog_term_grams(text);
DROP FUNCTION catalog_grams(text);
DROP FUNCTION catalog_fold(text);
"""

TABLE = """
CREATE TABLE catalog_searchtext (
    video_id bigint PRIMARY KEY REFERENCES crawler_video ON DELETE CASCADE,
    text text NOT NULL
);
INSERT INTO catalog_searchtext SELECT id, catalog_fold(title) FROM crawler_video;
CREATE INDEX catalog_searchtext_grams ON catalog_searchtext USING gin (catalog_grams(text));
"""

TRIGGERS = """
CREATE FUNCTION catalog_keep_search_text() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO catalog_searchtext VALUES (NEW.id, catalog_fold(NEW.title))
    ON CONFLICT (video_id) DO UPDATE SET text = excluded.text;
    RETURN NULL;
END
$$;
CREATE TRIGGER catalog_new_title AFTER INSERT ON crawler_video
    FOR EACH ROW EXECUTE FUNCTION catalog_keep_search_text();
CREATE TRIGGER catalog_other_title AFTER UPDATE OF title ON crawler_video
    FOR EACH ROW WHEN (OLD.title IS DISTINCT FROM NEW.title) EXECUTE FUNCTION catalog_keep_search_text();
"""

DROP_TRIGGERS = """
DROP TRIGGER catalog_other_title ON crawler_video;
DROP TRIGGER catalog_new_title ON crawler_video;
DROP FUNCTION catalog_keep_search_text();
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [("crawler", "0004_feed_orders_without_nulls")]

    operations = [
        migrations.RunSQL(FUNCTIONS, DROP_FUNCTIONS),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(TABLE, "DROP TABLE catalog_searchtext")],
            state_operations=[
                migrations.CreateModel(
                    name="SearchText",
                    fields=[
                        (
                            "video",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                primary_key=True,
                                related_name="+",
                                serialize=False,
                                to="crawler.video",
                            ),
                        ),
                        ("text", models.TextField(verbose_name="text")),
                    ],
                    options={"verbose_name": "search text", "verbose_name_plural": "search texts"},
                ),
            ],
        ),
        migrations.RunSQL(TRIGGERS, DROP_TRIGGERS),
    ]
