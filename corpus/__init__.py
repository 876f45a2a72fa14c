"""What flows through Hornbook, and where it rests.

Documents, rejections and manifests; the store with its commit protocol; readers of foreign files; the card, the
report and the Hub. Nothing here knows a stage: `card` and `report` render the facts that stages leave in manifests.
"""
