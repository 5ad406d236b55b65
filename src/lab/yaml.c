#include "lab/yaml.h"

#include <string.h>
#include <yaml.h>

enum { SIZE_MAX_BYTES = 1 << 20, KEYS_MAX = 200, DEPTH_MAX = 16 };

typedef struct loader {
    orr_mistakes *m;
    int source;
    const char *text;
    size_t size;
    yaml_document_t *document;
    orr_yaml *all;      /* by index of libyaml, so that an alias is its anchor */
    signed char *depth; /* of what hangs below; 0: not looked at yet, -1: being looked at */
    int64_t n;
} loader;

const char *orr_yaml_type_words(orr_yaml_type type) {
    static const char *const words[] = { "a word", "a list", "a map of keys and values" };
    return words[type];
}

const char *orr_yaml_words(orr_mistakes *m, const orr_yaml *node) {
    if (node->type != ORR_YAML_WORD) return orr_yaml_type_words(node->type);
    if (!node->word[0]) return "nothing";
    const char *words = orr_arena_format(m->arena, "'%s'", ORR_SHOWN(node->word));
    return words ? words : "a word";
}

static bool room(orr_mistakes *m, const void *p) {
    if (!p) m->no_memory = true;
    return p != NULL;
}

static orr_place place(const loader *l, yaml_mark_t mark) {
    return (orr_place){ l->source, (int)mark.line + 1, (int)mark.column + 1 };
}

/* ---- from libyaml's document ------------------------------------------------------------------------------------------------- */

/* Keys are words, and no two alike; a pair that isn't so is left out. */
static void check_keys(loader *l, orr_yaml *map) {
    int64_t kept = 0;
    if (map->n > KEYS_MAX) {
        orr_mistakes_add(l->m, map->at, "a map with %lld keys; at most %d are read", (long long)map->n, KEYS_MAX);
        map->n = KEYS_MAX;
    }
    for (int64_t i = 0; i < map->n; i++) {
        const orr_yaml *key = map->key[i];
        int64_t twin = 0;
        if (key->type != ORR_YAML_WORD) {
            orr_mistakes_add(l->m, key->at, "a key must be a word, this is %s", orr_yaml_type_words(key->type));
            continue;
        }
        while (twin < kept && strcmp(map->key[twin]->word, key->word) != 0) twin++;
        if (twin < kept) {
            orr_mistakes_add(l->m, key->at, "'%s' stands here twice (first in line %d)", ORR_SHOWN(key->word),
                             map->key[twin]->at.line);
            continue;
        }
        map->key[kept] = key;
        map->value[kept++] = map->value[i];
    }
    map->n = kept;
}

/* Children are looked up, not made: all nodes exist already. */
static bool fill(loader *l, const yaml_node_t *from, orr_yaml *to) {
    to->at = place(l, from->start_mark);
    if (from->type == YAML_SCALAR_NODE) {
        const char *word = (const char *)from->data.scalar.value;
        if (strlen(word) != from->data.scalar.length) orr_mistakes_add(l->m, to->at, "a zero byte in a word");
        to->word = orr_arena_string(l->m->arena, word);
        return room(l->m, to->word);
    }
    const bool list = from->type == YAML_SEQUENCE_NODE;
    to->type = list ? ORR_YAML_LIST : ORR_YAML_MAP;
    to->n = list ? from->data.sequence.items.top - from->data.sequence.items.start
                 : from->data.mapping.pairs.top - from->data.mapping.pairs.start;
    to->value = ORR_NEW(l->m->arena, const orr_yaml *, to->n);
    to->key = ORR_NEW(l->m->arena, const orr_yaml *, to->n);
    if (!room(l->m, to->value) || !room(l->m, to->key)) return false;
    for (int64_t i = 0; i < to->n; i++) {
        if (list) {
            to->value[i] = &l->all[from->data.sequence.items.start[i] - 1];
        } else {
            to->key[i] = &l->all[from->data.mapping.pairs.start[i].key - 1];
            to->value[i] = &l->all[from->data.mapping.pairs.start[i].value - 1];
        }
    }
    return true;
}

/* How deep a tree is; more than DEPTH_MAX, with a mistake, where it is too deep or contains itself: what reads trees calls
 * itself for their branches. */
static int depth_of(loader *l, const orr_yaml *node, int above) {
    const int64_t index = node - l->all;
    int deepest = 0;
    if (node->type == ORR_YAML_WORD) return 1;
    if (l->depth[index] < 0 || above > DEPTH_MAX) {
        orr_mistakes_add(l->m, node->at,
                         l->depth[index] < 0 ? "this contains itself, through an alias"
                                             : "nested deeper than any experiment");
        return DEPTH_MAX + 1;
    }
    if (l->depth[index] > 0) return l->depth[index];
    l->depth[index] = -1;
    for (int64_t i = 0; i < node->n && deepest <= DEPTH_MAX; i++) {
        const int depth = depth_of(l, node->value[i], above + 1);
        if (depth > deepest) deepest = depth;
    }
    l->depth[index] = (signed char)(deepest <= DEPTH_MAX ? deepest + 1 : deepest);
    if (deepest == DEPTH_MAX) orr_mistakes_add(l->m, node->at, "nested deeper than any experiment");
    return l->depth[index];
}

static const orr_yaml *convert(loader *l) {
    const yaml_node_t *nodes = l->document->nodes.start;
    l->n = l->document->nodes.top - nodes;
    l->all = ORR_NEW(l->m->arena, orr_yaml, l->n);
    l->depth = ORR_NEW(l->m->arena, signed char, l->n);
    if (!room(l->m, l->all) || !room(l->m, l->depth)) return NULL;
    for (int64_t i = 0; i < l->n; i++)
        if (!fill(l, &nodes[i], &l->all[i])) return NULL;
    for (int64_t i = 0; i < l->n; i++)
        if (l->all[i].type == ORR_YAML_MAP) check_keys(l, &l->all[i]);
    return depth_of(l, &l->all[0], 1) <= DEPTH_MAX ? &l->all[0] : NULL;
}

/* ---- the parser ---------------------------------------------------------------------------------------------------------------- */

/* libyaml counts characters, not bytes. */
static const char *character_at(const loader *l, size_t index) {
    const char *at = l->text, *end = l->text + l->size;
    for (size_t i = 0; i < index && at < end; i++) do
            at++;
        while (at < end && (*at & 0xc0) == 0x80);
    return at;
}

static void syntax_mistake(loader *l, const yaml_parser_t *parser) {
    const char *context = parser->context ? parser->context : "";
    const char *at = character_at(l, parser->problem_mark.index);
    if (parser->error == YAML_MEMORY_ERROR) l->m->no_memory = true;
    else if (parser->error == YAML_READER_ERROR)
        orr_mistakes_add(l->m, (orr_place){ .source = l->source }, "%s at byte %zu", parser->problem,
                         parser->problem_offset);
    else if (at < l->text + l->size && *at == '\t')
        orr_mistakes_add(l->m, place(l, parser->problem_mark), "a tab; YAML is indented with spaces");
    else
        orr_mistakes_add(l->m, place(l, parser->problem_mark), "%s%s%s", parser->problem, *context ? ", " : "",
                         context);
}

static const orr_yaml *parse_document(loader *l, yaml_parser_t *parser) {
    yaml_document_t document, further;
    const orr_yaml *out = NULL;
    if (!yaml_parser_load(parser, &document)) return syntax_mistake(l, parser), NULL;
    l->document = &document;
    const bool empty = !yaml_document_get_root_node(&document);
    if (empty)
        orr_mistakes_add(l->m, (orr_place){ .source = l->source },
                         l->source ? "a value is missing" : "the file is empty");
    else out = convert(l);
    yaml_document_delete(&document);
    l->document = NULL;
    if (empty) return NULL; /* a stream that has ended can't be read on */
    if (!yaml_parser_load(parser, &further)) return syntax_mistake(l, parser), NULL;
    const yaml_node_t *root = yaml_document_get_root_node(&further);
    if (root) orr_mistakes_add(l->m, place(l, root->start_mark), "a second document starts here; a file has one");
    yaml_document_delete(&further);
    return out;
}

const orr_yaml *orr_yaml_parse(orr_mistakes *m, const char *text, size_t n, int source) {
    static const char mark[] =
        "\xef\xbb\xbf"; /* of byte order, which editors of Windows put first; libyaml counts it as a column */
    const size_t skipped = n >= 3 && memcmp(text, mark, 3) == 0 ? 3 : 0;
    loader l = { .m = m, .source = source, .text = text + skipped, .size = n - skipped };
    yaml_parser_t parser;
    if (n > SIZE_MAX_BYTES) {
        orr_mistakes_add(m, (orr_place){ .source = source }, "larger than 1 MiB; no experiment is");
        return NULL;
    }
    if (!yaml_parser_initialize(&parser)) return m->no_memory = true, NULL;
    yaml_parser_set_input_string(&parser, (const unsigned char *)l.text, l.size);
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    const orr_yaml *out = parse_document(&l, &parser);
    yaml_parser_delete(&parser);
    return m->no_memory ? NULL : out;
}

/* ---- trees ---------------------------------------------------------------------------------------------------------------------- */

const orr_yaml *orr_yaml_get(const orr_yaml *map, const char *key) {
    for (int64_t i = 0; map && map->type == ORR_YAML_MAP && i < map->n; i++)
        if (strcmp(map->key[i]->word, key) == 0) return map->value[i];
    return NULL;
}

const orr_yaml *orr_yaml_word(orr_mistakes *m, orr_place at, const char *word) {
    orr_yaml *node = ORR_NEW(m->arena, orr_yaml, 1);
    if (!room(m, node)) return NULL;
    *node = (orr_yaml){ .at = at, .word = word };
    return node;
}

const orr_yaml *orr_yaml_with(orr_mistakes *m, const orr_yaml *map, const orr_yaml *key, const orr_yaml *value) {
    if (!key) return NULL;
    const int64_t n = map ? map->n : 0;
    orr_yaml *node = ORR_NEW(m->arena, orr_yaml, 1);
    const orr_yaml **links = ORR_NEW(m->arena, const orr_yaml *, 2 * (n + 1));
    if (!room(m, node) || !room(m, links)) return NULL;
    *node = (orr_yaml){ .type = ORR_YAML_MAP, .at = map ? map->at : key->at, .key = links, .value = links + n + 1 };
    for (int64_t i = 0; i < n; i++) {
        const bool same = strcmp(map->key[i]->word, key->word) == 0;
        if (same && !value) continue;
        node->key[node->n] = same ? key : map->key[i];
        node->value[node->n++] = same ? value : map->value[i];
        if (same) value = NULL; /* it is in its place */
    }
    if (value) {
        node->key[node->n] = key;
        node->value[node->n++] = value;
    }
    return node;
}

const orr_yaml *orr_yaml_join(orr_mistakes *m, const orr_yaml *a, const orr_yaml *b) {
    if (a->type != ORR_YAML_MAP || b->type != ORR_YAML_MAP) return b;
    for (int64_t i = 0; a && i < b->n; i++) {
        const orr_yaml *old = orr_yaml_get(a, b->key[i]->word);
        const orr_yaml *value = old ? orr_yaml_join(m, old, b->value[i]) : b->value[i];
        a = value ? orr_yaml_with(m, a, b->key[i], value) : NULL;
    }
    return a;
}

const orr_yaml *orr_yaml_dotted(orr_mistakes *m, const orr_yaml *key, const orr_yaml *value) {
    enum { PARTS_MAX = 6 };
    const orr_yaml *part[PARTS_MAX];
    int n = 0;
    char *copy = orr_arena_string(m->arena, key->word);
    if (!room(m, copy)) return NULL;
    for (char *at = copy, *dot = at; dot; at = dot + 1) {
        if ((dot = strchr(at, '.'))) *dot = '\0';
        if (!*at || n == PARTS_MAX) {
            orr_mistakes_add(m, key->at, "'%s' is no key; keys are joined by single dots, as in rule.learning_rate",
                             ORR_SHOWN(key->word));
            return NULL;
        }
        if (!(part[n++] = orr_yaml_word(m, key->at, at))) return NULL;
        if (!dot) break;
    }
    while (n > 0 && value) value = orr_yaml_with(m, NULL, part[--n], value);
    return value;
}
