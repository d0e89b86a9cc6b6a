"""The record: which messages were counted, and which stretches of each channel they came from.

Recording: `Recorder` derives facts from a stretch and writes them in one transaction; `pages` reads a span of history
as stretches, `HistoryContext` fetches what a rule needs beyond one. `Importer` records export files: `Evidence` merges
their messages into what is known, `judge_again` judges what may have changed.

Following: `Follower` is the entry point for live events. It holds `Channels` (which are visible, in which session),
`Intake` (receives live messages into the bounded `Buffer`), `LiveWriter` (records them), `CatchUp` (fetches what was
missed), `Gaps` (what could not be fetched) and `Deletions`.

History: `HistoryReader` runs jobs that read back in time; `ThreadArchives` says how far archives have to be searched.
"""
