// One token: where it ends, and whether it is what it begins as. Stage 1 found where tokens begin; it has checked that
// the whole is UTF-8, that every string is closed and that none holds a raw control character. The buffer is padded
// with spaces.
#pragma once

#include "CSimdjson.h"

// Undoes the escapes of the string whose opening quote is at `place`, in its own bytes: it never grows.
// `behind` is where the next token begins; between it and the closing quote there is only blank space.
json_status read_string(uint8_t *text, uint32_t place, uint32_t behind, json_node *node);

// RFC 8259 section 6, to the last digit, at any length.
bool read_number(const uint8_t *text, uint32_t place, json_node *node);

// true, false, null.
bool read_literal(const uint8_t *text, uint32_t place, json_node *node);

inline bool is_operator(uint8_t byte) {
    return byte == '{' || byte == '}' || byte == '[' || byte == ']' || byte == ',' || byte == ':';
}
