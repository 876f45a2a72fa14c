"""The `hornbook` command: one file a group of verbs, each verb thin over the library."""
