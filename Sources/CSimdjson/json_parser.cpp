// Why not simdjson's own parsers: the DOM turns numbers into 64 bits (ids have 20 digits) and refuses a whole document
// for one lone surrogate; On Demand keeps the digits, but costs calls per value that Swift cannot inline, and leaves
// what is skipped unchecked. So its first stage (vectors: UTF-8, strings, and where every token begins), and a second
// one of our own over those places. `internal::dom_parser_implementation` is what both of its parsers are made of and
// chosen at run time for the CPU.

#include "CSimdjson.h"
#include "token.h"

#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <simdjson.h>

using simdjson::internal::dom_parser_implementation;

struct json_parser {
    std::unique_ptr<dom_parser_implementation> stage1;
    std::unique_ptr<uint8_t[]> buffer;
    std::unique_ptr<json_node[]> nodes;
    size_t capacity = 0;
    size_t node_capacity = 0;
    size_t error_offset = 0;
    bool is_read = false;

    json_status parse(const uint8_t *bytes, size_t length);

private:
    bool reserve(size_t length);
    bool reserve_nodes(size_t count);
    json_status walk(size_t length);
};

bool json_parser::reserve(size_t length) {
    if (stage1 && length <= capacity) return true;
    // In steps of a power of two, so that documents of similar size settle on one allocation.
    size_t wanted = 4096;
    while (wanted < length) wanted *= 2;
    capacity = 0;
    buffer.reset(new (std::nothrow) uint8_t[wanted + simdjson::SIMDJSON_PADDING]);
    if (!buffer) return false;
    auto error = stage1 ? stage1->set_capacity(wanted)
                        : simdjson::get_active_implementation()->create_dom_parser_implementation(
                              wanted, JSON_MAX_DEPTH, stage1);
    if (error) return false;
    capacity = wanted;
    return true;
}

bool json_parser::reserve_nodes(size_t count) {
    if (count <= node_capacity) return true;
    size_t wanted = 256;
    while (wanted < count) wanted *= 2;
    nodes.reset(new (std::nothrow) json_node[wanted]);
    node_capacity = nodes ? wanted : 0;
    return nodes != nullptr;
}

json_status json_parser::parse(const uint8_t *bytes, size_t length) {
    is_read = false;
    error_offset = 0;
    if (length >= 3 && std::memcmp(bytes, "\xef\xbb\xbf", 3) == 0) {
        bytes += 3;
        length -= 3;
    }
    // Offsets, lengths and spans are 32 bits.
    if (length >= UINT32_MAX - simdjson::SIMDJSON_PADDING) return JSON_TOO_LARGE;
    if (length == 0) return JSON_EMPTY;
    if (!reserve(length)) return JSON_NO_MEMORY;
    std::memcpy(buffer.get(), bytes, length);
    std::memset(buffer.get() + length, ' ', simdjson::SIMDJSON_PADDING);

    switch (stage1->stage1(buffer.get(), length, simdjson::stage1_mode::regular)) {
    case simdjson::SUCCESS: break;
    case simdjson::EMPTY: return JSON_EMPTY;
    case simdjson::UTF8_ERROR: return JSON_INVALID_UTF8;
    case simdjson::UNCLOSED_STRING: return JSON_UNCLOSED_STRING;
    case simdjson::UNESCAPED_CHARS: return JSON_CONTROL_IN_STRING;
    case simdjson::MEMALLOC: return JSON_NO_MEMORY;
    default: return JSON_UNEXPECTED;
    }
    // Every node begins at a structural character of its own.
    if (!reserve_nodes(stage1->n_structural_indexes)) return JSON_NO_MEMORY;
    json_status status = walk(length);
    is_read = status == JSON_OK;
    return status;
}

// One label for what may stand at the next token, no recursion: nesting costs a word, whatever a payload holds. Jumps
// instead of a state that is looked at again with every token: most documents are a hundred names and strings.
json_status json_parser::walk(size_t length) {
    const uint32_t *token = stage1->structural_indexes.get();
    const uint32_t *const end = token + stage1->n_structural_indexes;
    uint8_t *const text = buffer.get();
    json_node *node = nodes.get();
    escapes escapes(text + length);
    json_node *open[JSON_MAX_DEPTH];
    size_t depth = 0;
    bool is_in_object = false;

    const auto failed = [&](json_status status) {
        error_offset = token < end ? *token : length;
        return status;
    };
    const auto behind = [&] { return token + 1 < end ? token[1] : uint32_t(length); };

value:
    if (token == end) return failed(JSON_UNCLOSED);
    switch (text[*token]) {
    case '"': {
        const json_status status = read_string(text, *token, behind(), escapes, node);
        if (status != JSON_OK) return failed(status);
        break;
    }
    case '{':
    case '[':
        if (depth == JSON_MAX_DEPTH) return failed(JSON_TOO_DEEP);
        is_in_object = text[*token] == '{';
        *node = {nullptr, 0, 1, is_in_object ? JSON_OBJECT : JSON_ARRAY};
        open[depth++] = node++;
        if (++token == end) return failed(JSON_UNCLOSED);
        if (text[*token] == (is_in_object ? '}' : ']')) goto close;
        if (is_in_object) goto name;
        goto value;
    case '-': case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7': case '8': case '9':
        if (!read_number(text, *token, node)) return failed(JSON_BAD_NUMBER);
        break;
    case 't': case 'f': case 'n':
        if (!read_literal(text, *token, node)) return failed(JSON_BAD_LITERAL);
        break;
    default:
        return failed(is_operator(text[*token]) ? JSON_UNEXPECTED : JSON_BAD_LITERAL);
    }
    ++node;
    ++token;

behind_value:
    if (depth == 0) return token == end ? JSON_OK : failed(JSON_TRAILING);
    if (token == end) return failed(JSON_UNCLOSED);
    if (text[*token] != ',') {
        if (text[*token] != (is_in_object ? '}' : ']')) return failed(JSON_UNEXPECTED);
        goto close;
    }
    ++token;
    if (!is_in_object) goto value;

name: {
    if (token == end) return failed(JSON_UNCLOSED);
    if (text[*token] != '"') return failed(JSON_UNEXPECTED);
    const json_status status = read_string(text, *token, behind(), escapes, node);
    if (status != JSON_OK) return failed(status);
    node->kind = JSON_NAME;
    ++node;
    if (++token == end) return failed(JSON_UNCLOSED);
    if (text[*token] != ':') return failed(JSON_UNEXPECTED);
    ++token;
    goto value;
}

close:
    ++token;
    --depth;
    open[depth]->span = uint32_t(node - open[depth]);
    is_in_object = depth > 0 && open[depth - 1]->kind == JSON_OBJECT;
    goto behind_value;
}

json_parser *json_parser_create(void) { return new (std::nothrow) json_parser; }

void json_parser_destroy(json_parser *parser) { delete parser; }

json_status json_parser_parse(json_parser *parser, const uint8_t *bytes, size_t length) {
    return parser->parse(bytes, length);
}

const json_node *json_parser_root(const json_parser *parser) {
    return parser->is_read ? parser->nodes.get() : nullptr;
}

size_t json_parser_error_offset(const json_parser *parser) { return parser->error_offset; }

size_t json_parser_capacity(const json_parser *parser) {
    return parser->capacity + parser->node_capacity * sizeof(json_node);
}
