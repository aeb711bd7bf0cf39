"""The verifier: what any party runs on a record, and remembers of it; it writes no record and trusts no keeper.

`standalone` makes one file of it. What is read is in `source`; the full check in `verify`, which calls `audit` and
`keychain`; `memory` and `evidence` find forks; `entitled` and `pack` are about payloads; `command` prints.
"""
