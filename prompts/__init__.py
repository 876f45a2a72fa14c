"""What we ask: domains, forms and templates, all of them data files. Adding one needs no Python."""
