"""Fits the student: tokenizer, packing, model, schedule, training, evaluation, export."""
