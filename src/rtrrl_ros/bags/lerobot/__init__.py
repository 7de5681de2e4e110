"""Recordings as a LeRobotDataset, version 3.0: Parquet tables and video.

The format is huggingface/lerobot's, written from its description: `layout` names the files,
`features` what is in a row, `tables` and `video` write them, `dataset` puts them together.
"""
