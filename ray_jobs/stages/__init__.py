"""The stages of the line, one file each: read → score → generate → filter → blend → train → evaluate."""
