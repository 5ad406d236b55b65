/* The reader of experiment files on any bytes: a refusal in words, a line for each mistake, or an experiment of which every
 * point is whole.  What stands behind a zero byte, if there is one, is given as --set. */
#include <string.h>

#include "fuzz_file.h"
#include "lab/experiment.h"

/* True where it was accepted; each line of a refusal begins with its place. */
static bool accepted(fuzz_world w, orr_status status) {
    const char *line = orr_context_message(w.ctx);
    if (status == ORR_OK) return true;
    if (status != ORR_EINPUT) fuzz_fail("an error of our own");
    for (int n = 1; line; n++) {
        const char *end = strchr(line, '\n');
        for (const char *c = line; *c && c != end; c++)
            if ((unsigned char)*c < 0x20) fuzz_fail("a refusal with a control character");
        if (strncmp(line, "fuzz:", 5) != 0 && strncmp(line, "--set 1: ", 9) != 0 &&
            (end || n == 1 || strncmp(line, "and ", 4) != 0))
            fuzz_fail("a refusal that does not begin with the place");
        if (n > 51) fuzz_fail("more than fifty mistakes");
        line = end ? end + 1 : NULL;
    }
    return false;
}

static void check_point(const orr_point *p) {
    if (!p->name || !p->json || !p->architecture || !p->data || !p->task || !p->rule || !p->parameterization ||
        !p->initial)
        fuzz_fail("a point that lacks something");
    if ((p->steps == 0) == (p->epochs == 0)) fuzz_fail("a point that is as long as two things say, or none");
    for (int64_t i = 0; i < p->n_observations; i++)
        if (!p->observations[i].instrument) fuzz_fail("an observation without its instrument");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    const fuzz_world w = fuzz_begin();
    const uint8_t *zero = n ? memchr(bytes, 0, n) : NULL;
    const size_t length = zero ? (size_t)(zero - bytes) : n;
    char *set = zero ? orr_arena_format(w.arena, "%.*s", (int)(n - length - 1), (const char *)zero + 1) : NULL;
    const char *const sets[] = { set };
    const orr_experiment_options options = { .size = n % 2 ? "full" : "", .set = sets, .n_set = set ? 1 : 0 };
    orr_experiment e;
    if (accepted(w, orr_experiment_parse(w.ctx, w.arena, "fuzz", (const char *)bytes, length, &options, &e))) {
        if (!e.name || !e.notes || !e.size || e.n_points < 1 || e.seeds < 1)
            fuzz_fail("an experiment that lacks something");
        for (int64_t i = 0; i < e.n_points; i++) check_point(&e.points[i]);
    }
    (void)fuzz_end(w);
    return 0;
}
