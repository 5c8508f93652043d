"""Code 128 of digits: as data for the printer, and as bars for pictures (ISO/IEC 15417)."""

SET_C = b"{C"
SET_B = b"{B"

START_C = 105
CODE_B = 100
STOP_BARS = "1100011101011"

# ISO/IEC 15417 table 1, values 0 to 105: six widths of bars and spaces each.
WIDTHS = (
    "212222222122222221121223121322131222122213122312132212221213221312231212"
    "112232122132122231113222123122123221223211221132221231213212223112312131"
    "311222321122321221312212322112322211212123212321232121111323131123131321"
    "112313132113132311211313231113231311112133112331132131113123113321133121"
    "313121211331231131213113213311213131311123311321331121312113312311332111"
    "314111221411431111111224111422121124121421141122141221112214112412122114"
    "122411142112142211241211221114413111241112134111111242121142121241114212"
    "124112124211411212421112421211212141214121412121111143111341131141114113"
    "114311411113411311113141114131311141411131211412211214211232"
)


def escpos_data(digits: str) -> bytes:
    """The data field of GS k 73: pairs in set C as their own values (99 and 00 alike), an odd last
    digit in set B. A single digit is all set B."""
    even = len(digits) - len(digits) % 2
    pairs = bytes(int(digits[at : at + 2]) for at in range(0, even, 2))
    last = digits[even:].encode("ascii")
    return (SET_C + pairs if pairs else b"") + (SET_B + last if last else b"")


def bars(digits: str) -> str:
    """The symbol as modules: ``1`` is a bar; without quiet zones."""
    even = len(digits) - len(digits) % 2
    values = [START_C, *(int(digits[at : at + 2]) for at in range(0, even, 2))]
    if even < len(digits):
        values += [CODE_B, ord(digits[-1]) - 32]
    return symbol(values)


def symbol(values: list[int]) -> str:
    """Start, data, the check character (modulo 103) and the stop pattern, as modules."""
    check = (values[0] + sum(at * value for at, value in enumerate(values))) % 103
    return "".join(map(_modules, [*values, check])) + STOP_BARS


def _modules(value: int) -> str:
    return "".join(
        ("1" if at % 2 == 0 else "0") * int(width)
        for at, width in enumerate(WIDTHS[6 * value : 6 * value + 6])
    )
