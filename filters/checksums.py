"""Validators that tell a real number from one that only looks like it."""

from __future__ import annotations

import datetime
import ipaddress
import re

# Length of an IBAN by country (SWIFT IBAN registry); a country that is not listed has no IBAN.
IBAN_LENGTHS = {
    **dict.fromkeys(("NO",), 15),
    **dict.fromkeys(("BE",), 16),
    **dict.fromkeys(("DK", "FI", "FO", "GL", "NL", "SD"), 18),
    **dict.fromkeys(("MK", "SI"), 19),
    **dict.fromkeys(("AT", "BA", "EE", "KZ", "LT", "LU", "XK"), 20),
    **dict.fromkeys(("CH", "HR", "LI", "LV"), 21),
    **dict.fromkeys(("BG", "BH", "CR", "DE", "GB", "GE", "IE", "ME", "RS", "VA"), 22),
    **dict.fromkeys(("AE", "GI", "IL", "IQ", "TL"), 23),
    **dict.fromkeys(("AD", "CZ", "ES", "MD", "PK", "RO", "SA", "SE", "SK", "TN", "VG"), 24),
    **dict.fromkeys(("LY", "PT", "ST"), 25),
    **dict.fromkeys(("IS", "TR"), 26),
    **dict.fromkeys(("BI", "DJ", "FR", "GR", "IT", "MC", "MR", "SM"), 27),
    **dict.fromkeys(("AL", "AZ", "BY", "CY", "DO", "EG", "GT", "HU", "LB", "NI", "PL", "SV"), 28),
    **dict.fromkeys(("BR", "PS", "QA", "UA"), 29),
    **dict.fromkeys(("JO", "KW", "MU", "YE"), 30),
    **dict.fromkeys(("MT", "SC"), 31),
    **dict.fromkeys(("LC",), 32),
    **dict.fromkeys(("RU",), 33),
}
# First digits and lengths of card numbers by issuer (ISO/IEC 7812 ranges as the schemes publish them).
ISSUERS = (
    (re.compile("4"), (13, 16, 19)),  # Visa
    (re.compile("5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), (16,)),  # Mastercard
    (re.compile("3[47]"), (15,)),  # American Express
    (re.compile("6011|64[4-9]|65"), (16, 19)),  # Discover
    (re.compile("36|38|39|30[0-5]"), (14,)),  # Diners Club
    (re.compile("35(?:2[89]|[3-8])"), (16, 17, 18, 19)),  # JCB
    (re.compile("62"), (16, 17, 18, 19)),  # UnionPay
)
RESIDENT_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643-1999
PUBLISHED_SSNS = {"078051120", "219099999"}  # printed in advertisements, never anybody's


def luhn(text: str) -> bool:
    """Whether the digits of a card number add up, not all of them the same."""
    digits = [int(char) for char in text if char.isascii() and char.isdigit()]
    doubled = (2 * digit - 9 * (digit > 4) for digit in digits[-2::-2])
    return len(set(digits)) > 1 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def issued_card(text: str) -> bool:
    """Whether an issuer gives out card numbers that begin so, at that length."""
    number = "".join(char for char in text if char.isascii() and char.isdigit())
    return any(len(number) in lengths and begins.match(number) for begins, lengths in ISSUERS)


def iban(text: str) -> bool:
    """Whether an IBAN has its country's length and the remainder 1 modulo 97 (ISO 13616)."""
    plain = text.replace(" ", "").upper()
    if IBAN_LENGTHS.get(plain[:2]) != len(plain) or not plain.isalnum() or not plain.isascii():
        return False
    return int("".join(str(int(char, 36)) for char in plain[4:] + plain[:4])) % 97 == 1


def public_ip(text: str) -> bool:
    """Whether an address is one that anybody could reach: not private, loopback, reserved, multicast or for documentation."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return address.is_global and not address.is_multicast


def us_ssn(text: str) -> bool:
    """Whether a US social security number is in a range that was ever issued."""
    digits = text.replace("-", "")
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    issued = area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"
    return issued and digits not in PUBLISHED_SSNS


def chinese_resident_id(text: str) -> bool:
    """Whether an 18-place resident number has a province, a possible birthday and the right check character."""
    province, birthday = int(text[:2]), text[6:14]
    try:
        born = datetime.date(int(birthday[:4]), int(birthday[4:6]), int(birthday[6:]))
    except ValueError:
        return False
    total = sum(weight * int(digit) for weight, digit in zip(RESIDENT_WEIGHTS, text[:17], strict=True))
    plausible = 11 <= province <= 82 and 1900 <= born.year <= 2100
    return plausible and "10X98765432"[total % 11] == text[17].upper()


def passport(text: str) -> bool:
    """Whether a machine-readable zone adds up (ICAO 9303); a number beside the word passport has nothing to check."""
    lines = text.split()
    zone = lines[-1]
    if len(zone) != 44:
        return len(set(zone[-6:])) > 1
    return all(_icao(zone[start:end]) == zone[end] for start, end in ((0, 9), (13, 19), (21, 27)))


def _icao(field: str) -> str:
    values = (0 if char == "<" else int(char, 36) for char in field)
    return str(sum(value * (7, 3, 1)[place % 3] for place, value in enumerate(values)) % 10)
