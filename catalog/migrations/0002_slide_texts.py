"""What stands on a carousel's slides is searched as its title is. Kept by the database itself, so that no writer can forget it."""

from django.db import migrations

FUNCTIONS = r"""
-- Slides as they are searched: a word that a line break splits in the middle is whole again where words have no spaces. A line
-- break stands between two slides, and between title and slides, so that no word is found across them.
CREATE FUNCTION catalog_slides_text(wanted bigint) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE STRICT
RETURN (
    SELECT left(string_agg(
        catalog_fold(regexp_replace(s.text, '([\u2E80-\u9FFF\uAC00-\uD7AF\uF900-\uFAFF\uFF00-\uFFEF])\s+(?=[\u2E80-\u9FFF\uAC00-\uD7AF\uF900-\uFAFF\uFF00-\uFFEF])', '\1', 'g')),
        E'\n' ORDER BY s.position), 20000)
    FROM analysis_slidetext s WHERE s.video_id = wanted AND s.text <> ''
);

CREATE OR REPLACE FUNCTION catalog_keep_search_text() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- A video that is new has no slides yet: nothing is looked up for it.
    INSERT INTO catalog_searchtext
    VALUES (NEW.id, CASE WHEN TG_OP = 'INSERT' THEN catalog_fold(NEW.title)
                         ELSE concat_ws(E'\n', catalog_fold(NEW.title), catalog_slides_text(NEW.id)) END)
    ON CONFLICT (video_id) DO UPDATE SET text = excluded.text;
    RETURN NULL;
END
$$;

CREATE FUNCTION catalog_keep_slides_text() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE catalog_searchtext t SET text = concat_ws(E'\n', catalog_fold(v.title), catalog_slides_text(v.id))
    FROM crawler_video v
    WHERE t.video_id = v.id AND v.id IN (SELECT video_id FROM changed)
      AND t.text IS DISTINCT FROM concat_ws(E'\n', catalog_fold(v.title), catalog_slides_text(v.id));
    RETURN NULL;
END
$$;
"""

TRIGGERS = """
CREATE TRIGGER catalog_new_slides AFTER INSERT ON analysis_slidetext
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION catalog_keep_slides_text();
CREATE TRIGGER catalog_other_slides AFTER UPDATE ON analysis_slidetext
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION catalog_keep_slides_text();
CREATE TRIGGER catalog_no_slides AFTER DELETE ON analysis_slidetext
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION catalog_keep_slides_text();
"""

FILL = r"""
UPDATE catalog_searchtext t SET text = concat_ws(E'\n', catalog_fold(v.title), catalog_slides_text(v.id))
FROM crawler_video v WHERE t.video_id = v.id AND EXISTS (SELECT FROM analysis_slidetext s WHERE s.video_id = v.id);
"""

BACK = """
DROP TRIGGER catalog_no_slides ON analysis_slidetext;
DROP TRIGGER catalog_other_slides ON analysis_slidetext;
DROP TRIGGER catalog_new_slides ON analysis_slidetext;
DROP FUNCTION catalog_keep_slides_text();
CREATE OR REPLACE FUNCTION catalog_keep_search_text() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO catalog_searchtext VALUES (NEW.id, catalog_fold(NEW.title))
    ON CONFLICT (video_id) DO UPDATE SET text = excluded.text;
    RETURN NULL;
END
$$;
DROP FUNCTION catalog_slides_text(bigint);
UPDATE catalog_searchtext t SET text = catalog_fold(v.title)
FROM crawler_video v WHERE t.video_id = v.id AND EXISTS (SELECT FROM analysis_slidetext s WHERE s.video_id = v.id);
"""


class Migration(migrations.Migration):
    dependencies = [("catalog", "0001_search_text"), ("analysis", "0003_engine_as_asked")]

    operations = [migrations.RunSQL(FUNCTIONS + TRIGGERS + FILL, BACK)]
