"""What messages are built from: letters, forms, buttons of lists, colours, links, files."""
