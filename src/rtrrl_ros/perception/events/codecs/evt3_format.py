"""EVT 3.0, the native format of Prophesee sensors: 16-bit words, four bits of type, twelve of data.

Source: Prophesee, "EVT 3.0 Format", https://docs.prophesee.ai/stable/data/encoding_formats/evt3.html

| type | word | data |
|---|---|---|
| 0 | ADDR_Y | bit 11: which camera; 10-0: row of the events that follow |
| 2 | ADDR_X | bit 11: polarity; 10-0: column: one event |
| 3 | VECT_BASE_X | bit 11: polarity; 10-0: column of the first element of the vector that follows |
| 4 | VECT_12 | one bit per element, the lowest first: events at base ... base + 11; base += 12 |
| 5 | VECT_8 | bits 7-0 likewise; base += 8 |
| 6 | TIME_LOW | bits 11-0 of the time in microseconds |
| 8 | TIME_HIGH | bits 23-12 of the time |

Time has 24 bits and wraps every 16.8 s. All other types (CONTINUED_4, EXT_TRIGGER, OTHERS,
CONTINUED_12 and reserved ones) carry no events.
"""

ADDR_Y = 0x0
ADDR_X = 0x2
VECT_BASE_X = 0x3
VECT_12 = 0x4
VECT_8 = 0x5
TIME_LOW = 0x6
TIME_HIGH = 0x8

#: bits of the word that hold its data
DATA = 0xFFF
#: bits of the data that hold a row or a column; polarity is the bit above
ADDRESS_BITS = 11
ADDRESS = (1 << ADDRESS_BITS) - 1
#: bits of the low part of the time, and of its high part
TIME_BITS = 12
#: values of TIME_HIGH, which wraps after the last one
HIGH_VALUES = 1 << 12
