/* Parameters: what a kind (an ingredient, an instrument) lets its user choose, declared in one table.  Reading,
 * checking, help and messages come from the table; nothing about a parameter stands in a second place.
 *
 *     static const orr_parameter parameters[] = {
 *         { "learning_rate", ORR_REAL, .range = "(0, inf)", .help = "step length eta" },          // must be given
 *         { "momentum", ORR_REAL, .fallback = "0.9", .range = "[0, 1)", .help = "beta" },
 *         { 0 },
 *     };
 *
 * and the values are read by name: orr_real(settings, "learning_rate"). */
#ifndef ORR_BASE_PARAMETER_H
#define ORR_BASE_PARAMETER_H

#include "base/arena.h"
#include "orrery.h"

typedef enum orr_parameter_type {
    ORR_INT = 0,
    ORR_REAL,
    ORR_FLAG,   /* true or false */
    ORR_CHOICE, /* one of .choices */
    ORR_TEXT,
    ORR_INTS, /* a list of whole numbers */
    ORR_REALS /* a list of numbers */
} orr_parameter_type;

typedef struct orr_parameter {
    const char *name;
    orr_parameter_type type;
    const char
        *fallback;       /* the default, as a user would write it (a list: words between blanks); NULL: must be given */
    const char *range;   /* numbers: an interval as in mathematics, "(0, inf)", "[1, 64]"; NULL: any */
    const char *choices; /* words between blanks */
    const char *unit;
    const char *help;
} orr_parameter;

typedef struct orr_value {
    int64_t integer;      /* ORR_INT, ORR_FLAG; ORR_CHOICE: the index */
    double real;          /* ORR_REAL, and ORR_INT */
    const char *text;     /* ORR_TEXT, ORR_CHOICE */
    const int64_t *items; /* ORR_INTS */
    const double *reals;  /* ORR_REALS */
    int64_t n;            /* ORR_INTS, ORR_REALS */
} orr_value;

/* The values of one table, in its order. */
typedef struct orr_settings {
    const orr_parameter *table;
    const orr_value *value;
} orr_settings;

/* What every kind starts with: its name in a file, a line of help, its parameters. */
typedef struct orr_kind {
    const char *name, *help;
    const orr_parameter *parameters;
} orr_kind;

int orr_parameter_count(const orr_parameter *table);
int orr_parameter_find(const orr_parameter *table, const char *name); /* -1 where there is none */

/* Reads one value from the n words that stand for it (n != 1 only for lists).  Where the words won't do: false, and
 * *expected says what would, like "a number in (0, inf)"; NULL there means that memory ran out. */
bool orr_parameter_read(orr_arena *out_arena, const orr_parameter *p, const char *const *words, int n, bool is_list,
                        orr_value *out, const char **expected);
/* Every fallback in place; a parameter without one gets zeros.  NULL where memory is out. */
orr_value *orr_parameter_fallbacks(orr_arena *out_arena, const orr_parameter *table);

/* Values by name; asking for a name or a type that the table lacks is a bug of the caller. */
int64_t orr_int(const orr_settings *s, const char *name);
double orr_real(const orr_settings *s, const char *name);
bool orr_flag(const orr_settings *s, const char *name);
const char *orr_text(const orr_settings *s, const char *name); /* ORR_TEXT, ORR_CHOICE */
const int64_t *orr_ints(const orr_settings *s, const char *name, int64_t *n);
const double *orr_reals(const orr_settings *s, const char *name, int64_t *n);

/* Whether the table has a name at all; for code that serves several kinds. */
bool orr_settings_has(const orr_settings *s, const char *name);
/* Whether it has the name and its word is this one: orr_settings_say(s, "schedule", "constant"). */
bool orr_settings_say(const orr_settings *s, const char *name, const char *word);

#endif
