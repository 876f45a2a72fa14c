"""Score, store, decide: what teaches is kept, everything else is kept too, with the reason why not."""
