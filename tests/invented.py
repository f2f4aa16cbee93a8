"""Invented identifiers with the check digits that real ones have."""


def id_card(first: str) -> str:
    """The invented first 17 digits with their GB 11643 check digit."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return first + "10X98765432"[sum(w * int(digit) for w, digit in zip(weights, first, strict=True)) % 11]


def bank_card(first: str) -> str:
    """The invented first digits with their Luhn check digit."""
    odd, even = map(int, first[-2::-2]), (int(digit) * 2 for digit in first[::-2])
    return first + str(-(sum(odd) + sum(n - 9 if n > 9 else n for n in even)) % 10)


def wrong(number: str) -> str:
    """The same number with another last digit."""
    return number[:-1] + ("3" if number[-1] != "3" else "4")


def grouped(number: str) -> str:
    return " ".join(number[at : at + 4] for at in range(0, len(number), 4))


ID = id_card("11010519900307253")
ID_X = next(number for serial in range(100, 200) if (number := id_card(f"44030619851231{serial}"))[-1] == "X")
CARD_16 = bank_card("622588012345678")
CARD_19 = bank_card("622202123456789012")
