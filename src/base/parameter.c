#include "base/parameter.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int orr_parameter_count(const orr_parameter *table) {
    int n = 0;
    while (table[n].name) n++;
    return n;
}

int orr_parameter_find(const orr_parameter *table, const char *name) {
    for (int i = 0; table[i].name; i++)
        if (strcmp(table[i].name, name) == 0) return i;
    return -1;
}

/* "(0, inf)": x inside? */
static bool in_range(const char *range, double x) {
    char *end;
    if (!range) return true;
    const double low = strtod(range + 1, &end);
    const double high = strtod(end + 1, &end);
    return (*range == '[' ? x >= low : x > low) && (*end == ']' ? x <= high : x < high);
}

/* The index of word among words between blanks, or -1. */
static int64_t choice_index(const char *choices, const char *word) {
    const size_t length = strlen(word);
    int64_t index = 0;
    for (const char *at = choices; *at; index++) {
        const size_t n = strcspn(at, " ");
        if (n == length && memcmp(at, word, n) == 0) return index;
        at += n + (at[n] == ' ');
    }
    return -1;
}

static bool read_int(const char *word, int64_t *out) {
    char *end;
    errno = 0;
    const long long value = strtoll(word, &end, 10);
    *out = value;
    return end != word && *end == '\0' && errno == 0;
}

/* A decimal number; "2/30" is a quotient, because a learning rate is often given by its ceiling 2/eta. */
static bool read_real(const char *word, double *out) {
    char *end;
    *out = strtod(word, &end);
    if (end == word) return false;
    if (*end == '/') {
        const char *below = end + 1;
        const double divisor = strtod(below, &end);
        if (end == below) return false;
        *out /= divisor;
    }
    return *end == '\0' && isfinite(*out);
}

static const char *describe(orr_arena *arena, const orr_parameter *p) {
    switch (p->type) {
    case ORR_INT:
        return orr_arena_format(arena, "a whole number%s%s", p->range ? " in " : "", p->range ? p->range : "");
    case ORR_REAL: return orr_arena_format(arena, "a number%s%s", p->range ? " in " : "", p->range ? p->range : "");
    case ORR_FLAG: return "true or false";
    case ORR_CHOICE: return orr_arena_format(arena, "one of: %s", p->choices);
    case ORR_TEXT: return "a text";
    case ORR_INTS:
        return orr_arena_format(arena, "a list of whole numbers%s%s", p->range ? ", each in " : "",
                                p->range ? p->range : "");
    case ORR_REALS:
        return orr_arena_format(arena, "a list of numbers%s%s", p->range ? ", each in " : "", p->range ? p->range : "");
    }
    return "";
}

typedef enum answer { TAKEN, REFUSED, NO_MEMORY } answer;

static answer read_ints(orr_arena *arena, const orr_parameter *p, const char *const *words, int n, orr_value *out) {
    int64_t *items = ORR_NEW(arena, int64_t, n);
    out->items = items;
    out->n = n;
    if (!items) return NO_MEMORY;
    for (int i = 0; i < n; i++)
        if (!read_int(words[i], &items[i]) || !in_range(p->range, (double)items[i])) return REFUSED;
    return TAKEN;
}

static answer read_reals(orr_arena *arena, const orr_parameter *p, const char *const *words, int n, orr_value *out) {
    double *reals = ORR_NEW(arena, double, n);
    out->reals = reals;
    out->n = n;
    if (!reals) return NO_MEMORY;
    for (int i = 0; i < n; i++)
        if (!read_real(words[i], &reals[i]) || !in_range(p->range, reals[i])) return REFUSED;
    return TAKEN;
}

static answer read_value(orr_arena *arena, const orr_parameter *p, const char *const *words, int n, bool is_list,
                         orr_value *out) {
    if (p->type == ORR_INTS) return is_list ? read_ints(arena, p, words, n, out) : REFUSED;
    if (p->type == ORR_REALS) return is_list ? read_reals(arena, p, words, n, out) : REFUSED;
    if (is_list || n != 1) return REFUSED;
    switch (p->type) {
    case ORR_INT:
        if (!read_int(words[0], &out->integer)) return REFUSED;
        out->real = (double)out->integer;
        return in_range(p->range, out->real) ? TAKEN : REFUSED;
    case ORR_REAL: return read_real(words[0], &out->real) && in_range(p->range, out->real) ? TAKEN : REFUSED;
    case ORR_FLAG:
        out->integer = strcmp(words[0], "true") == 0;
        return out->integer || strcmp(words[0], "false") == 0 ? TAKEN : REFUSED;
    case ORR_CHOICE:
        out->integer = choice_index(p->choices, words[0]);
        out->text = orr_arena_string(arena, words[0]);
        return out->integer < 0 ? REFUSED : out->text ? TAKEN : NO_MEMORY;
    case ORR_TEXT: out->text = orr_arena_string(arena, words[0]); return out->text ? TAKEN : NO_MEMORY;
    case ORR_INTS:
    case ORR_REALS: break;
    }
    return REFUSED;
}

bool orr_parameter_read(orr_arena *out_arena, const orr_parameter *p, const char *const *words, int n, bool is_list,
                        orr_value *out, const char **expected) {
    *out = (orr_value){ 0 };
    const answer got = read_value(out_arena, p, words, n, is_list, out);
    *expected = got == REFUSED ? describe(out_arena, p) : NULL;
    return got == TAKEN;
}

/* A fallback from its table row: one word, or the words of a list. */
static bool read_fallback(orr_arena *arena, const orr_parameter *p, orr_value *out) {
    enum { WORDS_MAX = 16 };
    const char *words[WORDS_MAX], *expected = NULL;
    int n = 0;
    if (p->type != ORR_INTS && p->type != ORR_REALS)
        return orr_parameter_read(arena, p, &p->fallback, 1, false, out, &expected);
    char *copy = orr_arena_string(arena, p->fallback);
    if (!copy) return false;
    for (char *at = copy; *at && n < WORDS_MAX;) {
        const size_t length = strcspn(at, " ");
        words[n++] = at;
        at += length;
        if (*at) *at++ = '\0';
    }
    return orr_parameter_read(arena, p, words, n, true, out, &expected);
}

orr_value *orr_parameter_fallbacks(orr_arena *out_arena, const orr_parameter *table) {
    const int n = orr_parameter_count(table);
    orr_value *value = ORR_NEW(out_arena, orr_value, n);
    for (int i = 0; value && i < n; i++)
        if (table[i].fallback && !read_fallback(out_arena, &table[i], &value[i])) return NULL;
    return value;
}

static const orr_value *value_of(const orr_settings *s, const char *name, unsigned types) {
    const int i = orr_parameter_find(s->table, name);
    assert(i >= 0 && "every name asked for stands in the table");
    assert(types >> s->table[i].type & 1 && "a value is asked for by its own type");
    (void)types;
    return &s->value[i];
}

int64_t orr_int(const orr_settings *s, const char *name) { return value_of(s, name, 1u << ORR_INT)->integer; }
double orr_real(const orr_settings *s, const char *name) {
    return value_of(s, name, 1u << ORR_REAL | 1u << ORR_INT)->real;
}
bool orr_flag(const orr_settings *s, const char *name) { return value_of(s, name, 1u << ORR_FLAG)->integer != 0; }
const char *orr_text(const orr_settings *s, const char *name) {
    return value_of(s, name, 1u << ORR_TEXT | 1u << ORR_CHOICE)->text;
}
const int64_t *orr_ints(const orr_settings *s, const char *name, int64_t *n) {
    const orr_value *value = value_of(s, name, 1u << ORR_INTS);
    *n = value->n;
    return value->items;
}
const double *orr_reals(const orr_settings *s, const char *name, int64_t *n) {
    const orr_value *value = value_of(s, name, 1u << ORR_REALS);
    *n = value->n;
    return value->reals;
}
bool orr_settings_has(const orr_settings *s, const char *name) { return orr_parameter_find(s->table, name) >= 0; }

bool orr_settings_say(const orr_settings *s, const char *name, const char *word) {
    return orr_settings_has(s, name) && strcmp(orr_text(s, name), word) == 0;
}
