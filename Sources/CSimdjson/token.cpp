#include "token.h"

#include <cstring>

static bool is_digit(uint8_t byte) { return byte >= '0' && byte <= '9'; }

// A number or literal must end where JSON ends it: `123abc` and `nulls` are one token to stage 1.
static bool ends_scalar(uint8_t byte) { return is_blank(byte) || is_operator(byte); }

// MARK: - Strings

static int hex_digit(uint8_t byte) {
    if (is_digit(byte)) return byte - '0';
    const uint8_t lower = byte | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// The four digits of \uXXXX at `read`; -1 where they are not four digits.
static int32_t code_unit(const uint8_t *read, const uint8_t *end) {
    if (end - read < 4) return -1;
    int32_t unit = 0;
    for (int i = 0; i < 4; ++i) {
        const int digit = hex_digit(read[i]);
        if (digit < 0) return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

static uint8_t *write_utf8(uint8_t *write, uint32_t scalar) {
    if (scalar < 0x80) {
        *write++ = uint8_t(scalar);
    } else if (scalar < 0x800) {
        *write++ = uint8_t(0xc0 | scalar >> 6);
        *write++ = uint8_t(0x80 | (scalar & 0x3f));
    } else if (scalar < 0x10000) {
        *write++ = uint8_t(0xe0 | scalar >> 12);
        *write++ = uint8_t(0x80 | (scalar >> 6 & 0x3f));
        *write++ = uint8_t(0x80 | (scalar & 0x3f));
    } else {
        *write++ = uint8_t(0xf0 | scalar >> 18);
        *write++ = uint8_t(0x80 | (scalar >> 12 & 0x3f));
        *write++ = uint8_t(0x80 | (scalar >> 6 & 0x3f));
        *write++ = uint8_t(0x80 | (scalar & 0x3f));
    }
    return write;
}

// `read` is behind "\u". Moves it behind the escape, and behind the second one of a surrogate pair.
static json_status unescape_unicode(const uint8_t *&read, const uint8_t *end, uint8_t *&write, bool &is_broken) {
    int32_t unit = code_unit(read, end);
    if (unit < 0) return JSON_BAD_ESCAPE;
    read += 4;
    uint32_t scalar = uint32_t(unit);
    if (scalar >= 0xd800 && scalar <= 0xdfff) {
        int32_t low = -1;
        if (scalar <= 0xdbff && end - read >= 6 && read[0] == '\\' && read[1] == 'u') low = code_unit(read + 2, end);
        if (low >= 0xdc00 && low <= 0xdfff) {
            read += 6;
            scalar = 0x10000 + ((scalar - 0xd800) << 10) + (uint32_t(low) - 0xdc00);
        } else {
            scalar = 0xfffd;
            is_broken = true;
        }
    }
    write = write_utf8(write, scalar);
    return JSON_OK;
}

json_status unescape(uint8_t *begin, uint8_t *first, const uint8_t *end, json_node *node) {
    uint8_t *write = first;
    const uint8_t *read = first;
    bool is_broken = false;
    while (read < end) {
        if (*read != '\\') {
            *write++ = *read++;
            continue;
        }
        if (end - read < 2) return JSON_BAD_ESCAPE;
        const uint8_t byte = read[1];
        read += 2;
        switch (byte) {
        case '"': case '\\': case '/': *write++ = byte; break;
        case 'b': *write++ = '\b'; break;
        case 'f': *write++ = '\f'; break;
        case 'n': *write++ = '\n'; break;
        case 'r': *write++ = '\r'; break;
        case 't': *write++ = '\t'; break;
        case 'u': {
            json_status status = unescape_unicode(read, end, write, is_broken);
            if (status != JSON_OK) return status;
            break;
        }
        default: return JSON_BAD_ESCAPE;
        }
    }
    *node = {
        reinterpret_cast<const char *>(begin), uint32_t(write - begin), 1,
        is_broken ? JSON_BROKEN_STRING : JSON_STRING};
    return JSON_OK;
}

// MARK: - Numbers and literals

bool read_number(const uint8_t *text, uint32_t place, json_node *node) {
    const uint8_t *const begin = text + place;
    const uint8_t *read = begin;
    if (*read == '-') ++read;
    if (*read == '0') {
        ++read;
    } else {
        if (!is_digit(*read)) return false;
        while (is_digit(*read)) ++read;
    }
    if (*read == '.') {
        if (!is_digit(*++read)) return false;
        while (is_digit(*read)) ++read;
    }
    if (*read == 'e' || *read == 'E') {
        ++read;
        if (*read == '+' || *read == '-') ++read;
        if (!is_digit(*read)) return false;
        while (is_digit(*read)) ++read;
    }
    if (!ends_scalar(*read)) return false;
    *node = {reinterpret_cast<const char *>(begin), uint32_t(read - begin), 1, JSON_NUMBER};
    return true;
}

bool read_literal(const uint8_t *text, uint32_t place, json_node *node) {
    static const struct { const char *word; uint32_t length; json_kind kind; } literals[] = {
        {"true", 4, JSON_TRUE}, {"false", 5, JSON_FALSE}, {"null", 4, JSON_NULL},
    };
    for (const auto &literal : literals) {
        if (std::memcmp(text + place, literal.word, literal.length) == 0) {
            *node = {reinterpret_cast<const char *>(text + place), literal.length, 1, literal.kind};
            return ends_scalar(text[place + literal.length]);
        }
    }
    return false;
}
