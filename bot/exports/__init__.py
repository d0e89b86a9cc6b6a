"""DiscordChatExporter files become domain messages: ids, times and links. Message text is never kept."""
