"""A generated textbook of lessons on lists and strings: what a teacher writes to explain, which nobody runs.

phi-1's synthetic textbook is mostly prose with code between it (arXiv 2306.11644, section 2.2): its example explains a notion
in words, shows a whole function, and uses it. Its CodeExercises (the same section) are a function's docstring and the body
that completes it, nothing else. So a lesson here explains a topic in some sentences, shows
one or two documented functions of it and says what each gives. It differs from an exercise in that

- most of it is prose and what the function gives;
- it never has a sentence of the exam: a docstring has one of several wordings of its own, with the exam's key words at most;
- a third of its functions are of `family.BESIDE`, which no exercise drills;
- nobody ran it: one function in ten is mistaken, as often as an exercise is before it is verified.
"""

from __future__ import annotations

import random
from collections.abc import Mapping

from bench.proofs.family import BESIDE, FAMILY, GIVEN, SLIPS, argument_name, made_name, value_of

BESIDE_SHARE = 1 / 3
TOPICS: Mapping[str, tuple[str, ...]] = {
    "One number from a list": (
        "Often a whole list is too much to look at, and one number says enough about it.",
        "Python has short words for what we ask of a list again and again, and they need no loop.",
        "Think of the prices on a bill: we want one number at its end, and not each line again.",
    ),
    "Order and places": (
        "The members of a list stand in an order, and each of them has a place that we count from zero.",
        "Square brackets take something out of a list, by its place. A negative place counts from the end.",
        "A slice has a start, an end and a step. What we leave out is taken to be the whole.",
    ),
    "A list from a list": (
        "A comprehension walks through a list and builds a new one. The old list stays as it was.",
        "What stands before the word for is done with every member of the list.",
        "We could write a loop and append to an empty list, but one line in brackets is easier to read.",
    ),
    "Choosing from a list": (
        "A condition at the end of a comprehension says which members are kept and which are left out.",
        "The rest of a division tells us something about a number: with two it is zero or one.",
        "Like a sieve, a comprehension with a condition lets some members through and holds back the others.",
    ),
    "Searching": (
        "We may want to know if something stands in a list at all, or how many times.",
        "To look for a member we need no loop of our own: the list knows how to search.",
    ),
    "Letters and words": (
        "A string knows a number of methods. They never change it, they give us a new one.",
        "Text that people type is seldom tidy, so we clean it before we compare it.",
        "A string is a row of letters, so much of what we know of lists is true of strings too.",
    ),
}  # fmt: skip
# How a lesson says each task of the family, in the order of the family: never in the exam's sentence.
WORDINGS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("One number from a list", ("Add up all {a} to get the sum.", "The sum of all the {a}.", "Compute the total sum over {a}.")),
    ("One number from a list", ("Find the largest number among {a}.", "The largest member in {a}.", "Pick the biggest, the largest, from {a}.")),
    ("One number from a list", ("Find the smallest number among {a}.", "The smallest member in {a}.", "Pick the least, the smallest, from {a}.")),
    ("One number from a list", ("Count how many members there are in {a}.", "How many items there are in {a}.", "The length of {a}: how many it holds.")),
    ("Order and places", ("Sort {a} so that they rise.", "Put {a} in order, rising from the least.", "The {a} in a rising row.")),
    ("Order and places", ("Take the first member from {a}.", "Give back the first one in {a}.", "What stands first in {a}.")),
    ("Order and places", ("Take the last member from {a}.", "Give back the last one in {a}.", "What stands last in {a}.")),
    ("Order and places", ("Turn {a} around, so that they run backwards.", "Read {a} backwards, from end to start.", "The {a}, but backwards.")),
    ("Choosing from a list", ("Keep only the even members of {a}.", "Choose what is even in {a}.", "All even numbers from {a}.")),
    ("Choosing from a list", ("Keep only the odd members of {a}.", "Choose what is odd in {a}.", "All odd numbers from {a}.")),
    ("A list from a list", ("Square every member of {a}.", "The square of all {a}, one by one.", "Multiply every member of {a} by itself to get its square.")),
    ("A list from a list", ("Add {k} to every member: {a} plus {k}.", "All {a}, each one plus {k}.", "Make every one of {a} larger, plus {k}.")),
    ("A list from a list", ("Multiply every member: {a} times {k}.", "All {a}, each one times {k}.", "Make every one of {a} as much times {k}.")),
    ("Choosing from a list", ("Keep only members of {a} that lie above {k}.", "Choose what is above {k} in {a}.", "All numbers from {a} that are above {k}.")),
    ("Searching", ("Count how often {a} hold {k}.", "How often does {k} occur among {a}?", "Look how often we find {k} in {a}.")),
    ("Searching", ("Tell whether {a} hold {k}.", "Whether or not {k} occurs among {a}.", "Look whether we find {k} in {a}.")),
    ("Letters and words", ("Write {a} in capitals only.", "Put all of {a} into capitals.", "The {a} with nothing but capitals.")),
    ("Letters and words", ("Write {a} in small letters only.", "Put all of {a} into small letters.", "The {a} with nothing but small letters.")),
    ("Letters and words", ("Split {a} up into its words.", "A list of all words in {a}.", "Take {a} apart, word by word, into words.")),
    ("Letters and words", ("Count how many letters there are in {a}.", "How many letters there are in {a}.", "The length of {a}: how many letters it holds.")),
    ("Letters and words", ("Turn {a} around, so that it runs backwards.", "Read {a} backwards, from end to start.", "The {a}, but backwards.")),
    ("Letters and words", ("Cut {a} down to its first {k} letters.", "Only the first {k} letters in {a}.", "The start of {a}: its first {k} letters.")),
    ("Letters and words", ("Write {a} down {k} times, repeated.", "The {a}, repeated again and again, {k} times.", "One {a} after another, repeated {k} times.")),
    ("Letters and words", ("Take away the spaces around {a}.", "Clean {a} of spaces around it.", "The {a} with no spaces around.")),
)  # fmt: skip
# The same for what stands beside it.
FURTHER: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("One number from a list", ("How far apart the ends of {a} lie.", "The span of {a}.")),
    ("One number from a list", ("The mean of {a}.", "Compute what {a} are on average.")),
    ("Order and places", ("All of {a} but the first.", "What follows the first one in {a}.")),
    ("Order and places", ("Every second one of {a}.", "Skip every other member of {a}.")),
    ("Order and places", ("Sort {a} so that they fall.", "Put {a} in falling order.")),
    ("A list from a list", ("Take {k} away from every member of {a}.", "All {a}, each one minus {k}.")),
    ("A list from a list", ("Write every member of {a} as a string.", "Make strings of {a}.")),
    ("Choosing from a list", ("Keep only members of {a} that lie below {k}.", "Choose what is below {k} in {a}.")),
    ("Choosing from a list", ("Leave {k} out of {a}.", "All of {a} that differ from {k}.")),
    ("Searching", ("The place at which {a} hold their maximum.", "Find where the maximum stands in {a}.")),
    ("Letters and words", ("Write {a} with a capital at each word.", "Make a title of {a}.")),
    ("Letters and words", ("Put a dash for each space in {a}.", "Join the parts of {a} by dashes.")),
)  # fmt: skip
SHOWN = tuple((task, *told) for task, told in zip(FAMILY, WORDINGS, strict=True))
ASIDE = tuple((task, *told) for task, told in zip(BESIDE, FURTHER, strict=True))
OPENINGS = (
    "Let us write this as a function.",
    "Here is how it looks in Python.",
    "The body needs one line.",
    "We give it a name and say in a docstring what it does.",
)
USES = ("With {argument} it gives {value}.", "For {argument} we get {value}.", "Try it: {argument} becomes {value}.")  # fmt: skip
SECOND = ("Another function is much like it.", "The same idea helps us further.", "Compare it with the next one.")


def lessons(count: int, seed: int) -> list[str]:
    """So many, drawn."""
    draw = random.Random(f"{seed} lessons")
    return [_lesson(draw) for _ in range(count)]


def _lesson(draw: random.Random) -> str:
    topic = draw.choice(SHOWN)[1]  # a topic with more tasks has more lessons
    second = f"{draw.choice(SECOND)}\n\n{_example(draw, topic)}" if draw.random() < 0.5 else ""
    opening = f"{draw.choice(TOPICS[topic])} {draw.choice(OPENINGS)}"
    return f"{topic}\n\n{opening}\n\n{_example(draw, topic)}{second}"


def _example(draw: random.Random, topic: str) -> str:
    pool = ASIDE if draw.random() < BESIDE_SHARE else SHOWN
    task, wordings = draw.choice([(task, wordings) for task, of, wordings in pool if of == topic])
    a, name, k = argument_name(draw, task), made_name(draw), draw.randint(2, 9)
    said, code, slip = (part.format(a=a, k=k) for part in (draw.choice(wordings), task.code, task.slip))
    argument = draw.choice(GIVEN[task.kind]).format(k=k)
    use = draw.choice(USES).format(argument=argument, value=value_of(code, a, argument))
    written = slip if draw.random() < SLIPS else code
    return f'```python\ndef {name}({a}):\n    """{said}"""\n    return {written}\n```\n\n{use}\n'
