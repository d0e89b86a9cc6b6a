"""A decision becomes words, an embed, buttons or a picture. Nothing here reads a clock, waits or sends."""
