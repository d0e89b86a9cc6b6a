"""The record: following channels, catching up, reading history, importing exports, filling known gaps."""
