/* fill_store FILE: a store as a few runs leave it, for tests of the commands that look into it.
 *   experiment 1 "steep", three runs of gd at two learning rates: 1 and 2 recorded the same, 3 another; prediction, verdict
 *   experiment 2 "stopped", run 4: interrupted at step 20, with a checkpoint
 *   experiment 3 "killed", run 5: still called running */
#include <math.h>
#include <stdio.h>

#include "base/context.h"
#include "store/store.h"

static orr_status record(orr_context *ctx, orr_store *store, int64_t run, int64_t steps, double rate) {
    char time[ORR_TIMESTAMP_SIZE];
    ORR_TRY(ctx, orr_store_start_run(store, run, time));
    for (int64_t i = 0; i <= steps; i += 10) {
        const double loss = exp(-rate * (double)i);
        const float w[4] = { (float)loss, 1.5f, -0.25f, (float)i };
        ORR_TRY(ctx, orr_store_record(store, run, "loss", i, loss));
        ORR_TRY(ctx, orr_store_record(store, run, "top, \"sharpness\"", i, i ? (double)NAN : (double)INFINITY));
        ORR_TRY(ctx, orr_store_record_array(store, run, "weights", i, ORR_F32, &ORR_SHAPE(2, 2), w));
    }
    return orr_store_checkpoint(store, run, steps, "a state", 7);
}

static orr_status open_all(orr_context *ctx, orr_store *store) {
    static const char slow[] =
        "{\"rule\":{\"kind\":\"gd\",\"learning_rate\":0.1},\"steps\":30,\"observe\":[{\"kind\":\"loss\"}]}";
    static const char fast[] =
        "{\"rule\":{\"kind\":\"gd\",\"learning_rate\":0.2},\"steps\":30,\"observe\":[{\"kind\":\"loss\"}],"
        "\"notes\":\"x\"}";
    orr_store_run three[3] = { { .name = "slow", .settings = slow, .seed = 0 },
                               { .name = "slow", .settings = slow, .seed = 0 },
                               { .name = "fast", .settings = fast, .seed = 1 } };
    orr_store_prediction p = { .law = "edge-of-stability", .text = "{\"threshold\":20.0}" };
    orr_store_experiment steep = { .name = "steep",
                                   .size = "quick",
                                   .text = "name: steep\n",
                                   .machine = "a machine",
                                   .runs = three,
                                   .n_runs = 3,
                                   .predictions = &p,
                                   .n_predictions = 1 };
    const orr_store_verdict verdict = { .law = "edge-of-stability",
                                        .metric = "sharpness over 2/lr",
                                        .verdict = "HOLDS",
                                        .note = "",
                                        .seeds = "[0,1]",
                                        .value = 1.04,
                                        .tolerance = { 0.97, 1.08 },
                                        .interval = { 1.03, 1.05 } };
    char time[ORR_TIMESTAMP_SIZE];
    ORR_TRY(ctx, orr_store_open_experiment(store, &steep));
    for (int i = 0; i < 3; i++) {
        ORR_TRY(ctx, record(ctx, store, three[i].id, 30, i == 2 ? 0.2 : 0.1));
        ORR_TRY(ctx, orr_store_finish_run(store, three[i].id, "finished", 30, time));
    }
    ORR_TRY(ctx, orr_store_judge(store, steep.id, &verdict, 1));
    for (int i = 0; i < 2; i++) {
        orr_store_run one = { .name = i ? "killed" : "stopped", .settings = slow, .seed = 7 };
        orr_store_experiment e = { .name = one.name, .size = "", .text = "", .machine = "", .runs = &one, .n_runs = 1 };
        ORR_TRY(ctx, orr_store_open_experiment(store, &e));
        ORR_TRY(ctx, record(ctx, store, one.id, 20, 0.1));
        if (i == 0) ORR_TRY(ctx, orr_store_finish_run(store, one.id, "interrupted", 20, time));
    }
    return ORR_OK;
}

int main(int argc, char **argv) {
    orr_context *ctx;
    orr_store *store = NULL;
    if (argc != 2 || orr_context_new(NULL, &ctx) != ORR_OK) return 2;
    orr_status status = orr_store_open(ctx, argv[1], &store);
    if (status == ORR_OK) status = open_all(ctx, store);
    if (status != ORR_OK) fprintf(stderr, "%s\n", orr_context_message(ctx));
    orr_store_close(store);
    orr_context_free(ctx);
    return status == ORR_OK ? 0 : 1;
}
