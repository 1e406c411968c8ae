"""sums.py polars|duckdb FILE: sums the year's confirmed records by instrument, using unit, evidence and statutory; prints the groups."""
import sys

tool, file = sys.argv[1:]
KEYS = ["instrument_id", "organization_id", "evidence", "statutory"]
SUMS = ["prepare_minutes", "run_minutes", "post_minutes", "samples"]
FIRST, LAST = "2025-01-01 00:00:00", "2026-01-01 00:00:00"

if tool == "polars":
    import polars

    rows = polars.scan_csv(file)
    in_year = (polars.col("ended_at") > FIRST) & (polars.col("ended_at") <= LAST)
    sums = [polars.col(name).sum() for name in SUMS] + [polars.len().alias("records")]
    print(rows.filter(in_year & (polars.col("state") == "confirmed")).group_by(KEYS).agg(sums).collect().height)
else:
    import duckdb

    sums = ", ".join(f"sum({name})" for name in SUMS)
    text = (
        f"SELECT {', '.join(KEYS)}, count(*), {sums} FROM '{file}' WHERE state = 'confirmed' "
        f"AND ended_at > TIMESTAMP '{FIRST}' AND ended_at <= TIMESTAMP '{LAST}' GROUP BY {', '.join(KEYS)}"
    )
    print(len(duckdb.sql(text).fetchall()))
