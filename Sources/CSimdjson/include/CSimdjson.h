// JSON as a flat tape that Swift walks without a call per value. C, because Swift imports C without C++
// interoperability.
#ifndef PATCHBAY_CSIMDJSON_H
#define PATCHBAY_CSIMDJSON_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum json_kind {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    // The digits as they were sent, their grammar checked. Never a double, never an integer: vendors send ids of 20
    // digits.
    JSON_NUMBER,
    // Unescaped, valid UTF-8; may hold NUL.
    JSON_STRING,
    // A string with half of a surrogate pair in it, which UTF-8 has no bytes for. The half became U+FFFD: fit to read,
    // no id.
    JSON_BROKEN_STRING,
    // A member's name. Its value is the next node.
    JSON_NAME,
    JSON_ARRAY,
    JSON_OBJECT,
};

// One value or name. An object's or array's descendants follow it; `span` steps over them.
typedef struct json_node {
    // Into the parser's own copy of the document, until its next parse. Null for arrays and objects.
    const char *text;
    uint32_t length;
    // How many nodes this one and its descendants are: `node + node->span` is what comes behind it.
    uint32_t span;
    enum json_kind kind;
} json_node;

enum json_status {
    JSON_OK,
    JSON_EMPTY,
    JSON_TOO_LARGE,
    JSON_TOO_DEEP,
    JSON_INVALID_UTF8,
    JSON_UNCLOSED_STRING,
    JSON_CONTROL_IN_STRING,
    JSON_BAD_ESCAPE,
    JSON_BAD_NUMBER,
    JSON_BAD_LITERAL,
    // A comma, colon, bracket or value is missing, or one too many is there.
    JSON_UNEXPECTED,
    JSON_UNCLOSED,
    JSON_TRAILING,
    JSON_NO_MEMORY,
};

// Arrays and objects within each other. Deeper ones are refused: nobody's webhook, and the walk keeps its stack in this
// many words.
enum { JSON_MAX_DEPTH = 128 };

typedef struct json_parser json_parser;

// Null without memory.
json_parser *json_parser_create(void);
void json_parser_destroy(json_parser *parser);

// Reads one document (RFC 8259; a byte order mark before it is passed over). The bytes are copied, because simdjson
// reads beyond the end in whole vectors, and because escapes are undone in place. What an earlier parse gave is gone.
enum json_status json_parser_parse(json_parser *parser, const uint8_t *bytes, size_t length);

// The root, with everything below it behind it; null unless the last parse was JSON_OK.
const json_node *json_parser_root(const json_parser *parser);

// Near which byte the last parse failed; 0 where only the whole is known to be wrong.
size_t json_parser_error_offset(const json_parser *parser);

// What the parser keeps between documents, so that a pool can let go of one that grew.
size_t json_parser_capacity(const json_parser *parser);

#ifdef __cplusplus
}
#endif
#endif
