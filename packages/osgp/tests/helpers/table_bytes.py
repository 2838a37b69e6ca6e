"""Table bytes written by hand, with the offsets that the guide prints."""


def at(size, **bytes_at):
    """Return ``size`` bytes: zeros but for what stands at an offset, ``_12="ff00"``."""
    data = bytearray(size)
    for place, digits in bytes_at.items():
        raw = bytes.fromhex(digits)
        data[int(place[1:]) : int(place[1:]) + len(raw)] = raw
    return bytes(data)


ET09_SAMPLE = at(
    36 + 519,
    _0="1400", _2="01", _3="0a", _4="0b", _5="32",
    # On 2024-03-05 06:07:08, after a power failure; off 06:00:00, for 428 s. The second record is unused.
    _6="180305060708", _12="03", _14="180305060000", _20="ac010000",
    _42="180101000001", _48="0700",  # B + 6: L1
    _64="180101000003", _56="0900",  # B + 28: events of L3's sags; B + 20: of L2's
    _82="0200",  # B + 46 is L3's last swell, so B + 46: its year 2, month 0: no date
    _90="4fc30000", _94="180102030405", _100="3cc40000",  # B + 54, 58, 64: 49.999 and 50.236 Hz
    _110="05000000", _118="07000000",  # B + 74, B + 82
    _122="05",  # B + 86: L1 and L3
    _129="0300", _145="0400",  # B + 93, B + 109
    _147="f0490200", _159="a0860100",  # B + 111, B + 123
    _171="63000000", _175="78563412", _179="1e",  # B + 135, 139, 143
    _180="02", _181="0a00",  # B + 144, 145
    _183="0a00", _185="5000", _187="0600", _195="7b00", _203="6400",  # B + 147: the voltage's; 151 L1's, 159, 167
    _323="0100", _327="0800",  # B + 147 + 2 * 70: of apparent power; L1's events 4 bytes on
    _393="7b00", _395="0100", _397="180304050607",  # A
    _503="0900", _513="1e00", _515="14", _516="180506070809", _522="0b00",  # A + 110 the last; A + 120, 122, 123, 129
    _540="01000000", _552="5802", _554="01",  # A + 147, 159, 161
)  # fmt: skip
"""ET09 (MEP guide v1.1 p. 68-77) of firmware 4.21 and a meter that keeps two outages: B = 36, A = 36 + 357."""
