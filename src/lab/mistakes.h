/* The mistakes of one experiment file: collected while it is read, told together, in the order of the file. */
#ifndef ORR_LAB_MISTAKES_H
#define ORR_LAB_MISTAKES_H

#include "base/arena.h"
#include "orrery.h"

enum { ORR_MISTAKES_TOLD = 50 };

typedef struct orr_place {
    int source;       /* 0: the file; i: the i-th --set */
    int line, column; /* from 1; line 0: the file as a whole */
} orr_place;

typedef struct orr_mistake {
    orr_place at;
    const char *text;
} orr_mistake;

typedef struct orr_mistakes {
    orr_context *ctx;
    orr_arena *arena;
    const char *file; /* stands in messages */
    orr_mistake *item;
    int64_t n;
    int64_t left_out; /* those beyond ORR_MISTAKES_TOLD */
    bool no_memory;
} orr_mistakes;

/* One more; what stands there already, with the same words, is not said again. */
void orr_mistakes_add(orr_mistakes *m, orr_place at, const char *format, ...) ORR_PRINTF(3, 4);
/* "unknown key of rule gd 'lerning_rate'; did you mean 'learning_rate'?", or all names where none is near. */
void orr_mistakes_unknown(orr_mistakes *m, orr_place at, const char *what, const char *word, const char *const *names,
                          int n);

/* "file:3:5: the text", "--set 1: the text"; NULL where memory is out. */
char *orr_mistake_line(const orr_mistakes *m, orr_arena *out_arena, const orr_mistake *mistake);

/* ORR_OK where there is none; else they are sorted and ORR_EINPUT is raised with a line each; ORR_ENOMEM. */
orr_status orr_mistakes_tell(orr_mistakes *m) ORR_MUST_USE;

#endif
