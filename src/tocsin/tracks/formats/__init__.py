"""Formats: bytes in, reports and rejects out; one file a format, and nothing here opens a socket.

`csv`, `parquet`, `geojson`, `gpx` and `ais` read; `nmea` takes sentences apart; `columns` says which column is
which, `cells` turns cells into reports by it; `stream` opens files; `part` is what every reader yields.
"""
