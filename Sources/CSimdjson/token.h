// One token: where it ends, and whether it is what it begins as. Stage 1 found where tokens begin; it has checked that
// the whole is UTF-8, that every string is closed and that none holds a raw control character. The buffer is padded
// with spaces.
#pragma once

#include "CSimdjson.h"

#include <cstring>

inline bool is_blank(uint8_t byte) { return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r'; }

inline bool is_operator(uint8_t byte) {
    return byte == '{' || byte == '}' || byte == '[' || byte == ']' || byte == ',' || byte == ':';
}

// Where the document's next backslash is. Looked for once for all the strings before it, of which a payload has a
// hundred, and not in each of them.
struct escapes {
    uint8_t *next = nullptr;
    const uint8_t *end;

    explicit escapes(const uint8_t *end) : end(end) {}

    // The first at a place or behind it; `end` where there is none.
    const uint8_t *from(uint8_t *place) {
        if (next == nullptr || next < place) {
            next = static_cast<uint8_t *>(std::memchr(place, '\\', size_t(end - place)));
            if (next == nullptr) next = const_cast<uint8_t *>(end);
        }
        return next;
    }
};

// Undoes the escapes between `begin` and `end`, in the string's own bytes: it never grows.
json_status unescape(uint8_t *begin, uint8_t *first, const uint8_t *end, json_node *node);

// The string whose opening quote is at `place`. `behind` is where the next token begins; between it and the closing
// quote there is only blank space.
inline json_status read_string(uint8_t *text, uint32_t place, uint32_t behind, escapes &escapes, json_node *node) {
    uint8_t *const begin = text + place + 1;
    const uint8_t *end = text + behind;
    while (end > begin && is_blank(end[-1])) --end;
    if (end <= begin || end[-1] != '"') return JSON_UNCLOSED_STRING;
    --end;
    if (const uint8_t *first = escapes.from(begin); first < end) {
        return unescape(begin, const_cast<uint8_t *>(first), end, node);
    }
    *node = {reinterpret_cast<const char *>(begin), uint32_t(end - begin), 1, JSON_STRING};
    return JSON_OK;
}

// RFC 8259 section 6, to the last digit, at any length.
bool read_number(const uint8_t *text, uint32_t place, json_node *node);

// true, false, null.
bool read_literal(const uint8_t *text, uint32_t place, json_node *node);
