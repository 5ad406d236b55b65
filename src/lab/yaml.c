#include "lab/yaml.h"

#include <string.h>
#include <yaml.h>

#include "base/context.h"

enum { SIZE_MAX_BYTES = 1 << 20, KEYS_MAX = 1000 };

typedef struct loader {
    orr_context *ctx;
    orr_arena *arena;
    const char *name;
    yaml_document_t *document;
    orr_yaml **made; /* by index of libyaml, so that an alias is its anchor */
    int64_t n;
} loader;

const char *orr_yaml_type_words(orr_yaml_type type) {
    static const char *const words[] = { "a word", "a list", "a map of keys and values" };
    return words[type];
}

static orr_status no_memory(loader *l) { return orr_fail(l->ctx, ORR_ENOMEM, "%s: out of memory", l->name); }

static orr_status check_keys(loader *l, const orr_yaml *map) {
    if (map->n > KEYS_MAX)
        return orr_fail(l->ctx, ORR_EINPUT, "%s:%d:%d: a map with %lld keys; at most %d are read", l->name, map->line,
                        map->column, (long long)map->n, KEYS_MAX);
    for (int64_t i = 0; i < map->n; i++) {
        const orr_yaml *key = map->key[i];
        if (key->type != ORR_YAML_WORD)
            return orr_fail(l->ctx, ORR_EINPUT, "%s:%d:%d: a key must be a word, this is %s", l->name, key->line,
                            key->column, orr_yaml_type_words(key->type));
        for (int64_t j = 0; j < i; j++)
            if (strcmp(map->key[j]->word, key->word) == 0)
                return orr_fail(l->ctx, ORR_EINPUT, "%s:%d:%d: '%s' stands here twice (first in line %d)", l->name,
                                key->line, key->column, key->word, map->key[j]->line);
    }
    return ORR_OK;
}

/* Children are looked up, not made: all nodes exist already. */
static orr_status fill(loader *l, const yaml_node_t *from, orr_yaml *to) {
    to->line = (int)from->start_mark.line + 1;
    to->column = (int)from->start_mark.column + 1;
    if (from->type == YAML_SCALAR_NODE) {
        const char *word = (const char *)from->data.scalar.value;
        if (strlen(word) != from->data.scalar.length)
            return orr_fail(l->ctx, ORR_EINPUT, "%s:%d:%d: a zero byte in a word", l->name, to->line, to->column);
        to->word = orr_arena_string(l->arena, word);
        return to->word ? ORR_OK : no_memory(l);
    }
    const bool list = from->type == YAML_SEQUENCE_NODE;
    to->type = list ? ORR_YAML_LIST : ORR_YAML_MAP;
    to->n = list ? from->data.sequence.items.top - from->data.sequence.items.start
                 : from->data.mapping.pairs.top - from->data.mapping.pairs.start;
    to->value = ORR_NEW(l->arena, const orr_yaml *, to->n);
    to->key = ORR_NEW(l->arena, const orr_yaml *, to->n);
    if (!to->value || !to->key) return no_memory(l);
    for (int64_t i = 0; i < to->n; i++) {
        if (list) {
            to->value[i] = l->made[from->data.sequence.items.start[i] - 1];
        } else {
            to->key[i] = l->made[from->data.mapping.pairs.start[i].key - 1];
            to->value[i] = l->made[from->data.mapping.pairs.start[i].value - 1];
        }
    }
    return ORR_OK;
}

static orr_status convert(loader *l) {
    const yaml_node_t *nodes = l->document->nodes.start;
    l->n = l->document->nodes.top - nodes;
    l->made = ORR_NEW(l->arena, orr_yaml *, l->n);
    orr_yaml *all = ORR_NEW(l->arena, orr_yaml, l->n);
    if (!l->made || !all) return no_memory(l);
    for (int64_t i = 0; i < l->n; i++) l->made[i] = &all[i];
    for (int64_t i = 0; i < l->n; i++) ORR_TRY(l->ctx, fill(l, &nodes[i], &all[i]));
    for (int64_t i = 0; i < l->n; i++)
        if (all[i].type == ORR_YAML_MAP) ORR_TRY(l->ctx, check_keys(l, &all[i]));
    return ORR_OK;
}

static orr_status syntax_mistake(loader *l, const yaml_parser_t *parser) {
    if (parser->error == YAML_MEMORY_ERROR) return no_memory(l);
    const yaml_mark_t *mark = &parser->problem_mark;
    if (parser->error == YAML_READER_ERROR)
        return orr_fail(l->ctx, ORR_EINPUT, "%s: %s at byte %zu", l->name, parser->problem, parser->problem_offset);
    return orr_fail(l->ctx, ORR_EINPUT, "%s:%zu:%zu: %s%s%s", l->name, mark->line + 1, mark->column + 1,
                    parser->problem, parser->context ? ", " : "", parser->context ? parser->context : "");
}

static orr_status parse_document(loader *l, yaml_parser_t *parser, const orr_yaml **out) {
    yaml_document_t document, further;
    orr_status status;
    if (!yaml_parser_load(parser, &document)) return syntax_mistake(l, parser);
    l->document = &document;
    if (!yaml_document_get_root_node(&document)) {
        status = orr_fail(l->ctx, ORR_EINPUT, "%s: the file is empty", l->name);
    } else {
        status = convert(l);
        if (status == ORR_OK) *out = l->made[0];
    }
    yaml_document_delete(&document);
    l->document = NULL;
    if (status != ORR_OK) return status;
    if (!yaml_parser_load(parser, &further)) return syntax_mistake(l, parser);
    const yaml_node_t *root = yaml_document_get_root_node(&further);
    if (root)
        status = orr_fail(l->ctx, ORR_EINPUT, "%s:%zu:1: a second document starts here; a file has one", l->name,
                          root->start_mark.line + 1);
    yaml_document_delete(&further);
    return status;
}

orr_status orr_yaml_parse(orr_context *ctx, orr_arena *out_arena, const char *name, const char *text, size_t n,
                          const orr_yaml **out) {
    loader l = { .ctx = ctx, .arena = out_arena, .name = name };
    yaml_parser_t parser;
    if (n > SIZE_MAX_BYTES) return orr_fail(ctx, ORR_EINPUT, "%s: larger than 1 MiB; no experiment is", name);
    if (!yaml_parser_initialize(&parser)) return no_memory(&l);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, n);
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    const orr_status status = parse_document(&l, &parser, out);
    yaml_parser_delete(&parser);
    return status;
}

const orr_yaml *orr_yaml_get(const orr_yaml *map, const char *key) {
    for (int64_t i = 0; map && map->type == ORR_YAML_MAP && i < map->n; i++)
        if (strcmp(map->key[i]->word, key) == 0) return map->value[i];
    return NULL;
}
