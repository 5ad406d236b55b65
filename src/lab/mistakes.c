#include "lab/mistakes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/context.h"
#include "base/nearest.h"
#include "base/utf8.h"

static int compare(const void *a, const void *b) {
    const orr_mistake *x = a, *y = b;
    if (x->at.source != y->at.source) return x->at.source < y->at.source ? -1 : 1;
    if (x->at.line != y->at.line) return x->at.line < y->at.line ? -1 : 1;
    if (x->at.column != y->at.column) return x->at.column < y->at.column ? -1 : 1;
    return strcmp(x->text, y->text);
}

/* What is past the last one told is only counted: sorted insertion keeps the first ones of the file. */
void orr_mistakes_add(orr_mistakes *m, orr_place at, const char *format, ...) {
    char text[700];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    for (char *c = text; *c; c++) /* a line each */
        if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = ' ';
    const orr_mistake new = { at, text };
    int64_t place = m->n;
    for (int64_t i = 0; i < m->n; i++) {
        const int order = compare(&new, &m->item[i]);
        if (order == 0) return;
        if (order < 0 && place == m->n) place = i;
    }
    if (!m->item && !(m->item = ORR_NEW(m->arena, orr_mistake, ORR_MISTAKES_TOLD))) {
        m->no_memory = true;
        return;
    }
    if (m->n == ORR_MISTAKES_TOLD) {
        m->left_out++;
        if (place == m->n) return;
        m->n--;
    }
    char *copy = orr_arena_string(m->arena, text);
    if (!copy) {
        m->no_memory = true;
        return;
    }
    memmove(&m->item[place + 1], &m->item[place], (size_t)(m->n - place) * sizeof *m->item);
    m->item[place] = (orr_mistake){ at, copy };
    m->n++;
}

void orr_mistakes_unknown(orr_mistakes *m, orr_place at, const char *what, const char *word, const char *const *names,
                          int n) {
    char all[500] = "";
    const orr_excerpt shown = orr_excerpt_of(word, strlen(word));
    const char *near = orr_nearest(word, names, n);
    if (near) {
        orr_mistakes_add(m, at, "unknown %s '%s'; did you mean '%s'?", what, shown.text, near);
        return;
    }
    for (int i = 0; i < n; i++) {
        const size_t used = strlen(all);
        (void)snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "", names[i]);
    }
    orr_mistakes_add(m, at, "unknown %s '%s'; there %s: %s", what, shown.text, n == 1 ? "is" : "are", n ? all : "none");
}

char *orr_mistake_line(const orr_mistakes *m, orr_arena *out_arena, const orr_mistake *mistake) {
    const orr_place at = mistake->at;
    if (at.source > 0) return orr_arena_format(out_arena, "--set %d: %s", at.source, mistake->text);
    if (at.line == 0) return orr_arena_format(out_arena, "%s: %s", m->file, mistake->text);
    return orr_arena_format(out_arena, "%s:%d:%d: %s", m->file, at.line, at.column, mistake->text);
}

orr_status orr_mistakes_tell(orr_mistakes *m) {
    enum { SPARE = 40 }; /* for the last line */
    if (m->no_memory) return orr_fail(m->ctx, ORR_ENOMEM, "%s: out of memory", m->file);
    if (m->n == 0) return ORR_OK;
    char *all = ORR_NEW(m->arena, char, ORR_MESSAGE_SIZE);
    if (!all) return orr_fail(m->ctx, ORR_ENOMEM, "%s: out of memory", m->file);
    int64_t told = 0;
    for (size_t used = 0; told < m->n; told++) {
        const char *line = orr_mistake_line(m, m->arena, &m->item[told]);
        if (!line) return orr_fail(m->ctx, ORR_ENOMEM, "%s: out of memory", m->file);
        const size_t length = strlen(line);
        if (told > 0 && used + length + SPARE > ORR_MESSAGE_SIZE) break;
        (void)snprintf(all + used, ORR_MESSAGE_SIZE - used, "%s%s", told ? "\n" : "", line);
        used += strlen(all + used);
    }
    const int64_t more = m->n - told + m->left_out;
    if (more > 0) return orr_fail(m->ctx, ORR_EINPUT, "%s\nand %lld more", all, (long long)more);
    return orr_fail(m->ctx, ORR_EINPUT, "%s", all);
}
