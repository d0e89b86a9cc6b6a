"""Reads DiscordChatExporter files as domain messages: ids, times and references. Message text is never kept."""
