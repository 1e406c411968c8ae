-- What lists count and rank by, so that they read no row of those they do not show.
CREATE INDEX instrument_kind ON instrument (state, category_code, region_code, share_mode, organization_id, id);
