/* What the commands that look into a store share: their words, the store, lists and numbers as they print them. */
#ifndef ORR_CLI_INSPECT_H
#define ORR_CLI_INSPECT_H

#include "base/json.h"
#include "cli/options.h"
#include "store/query.h"

/* A run's number; ORR_CLI_GO or an exit code. */
int orr_cli_run_id(const char *command, const char *word, int64_t *out);

typedef struct orr_inspection {
    orr_context *ctx;
    orr_arena *arena;
    orr_store *store;
    void *user;
    int code; /* to end with where all goes well; ORR_EXIT_HOLDS */
} orr_inspection;

/* Opens the store that is there (`store` NULL: what ORRERY_STORE names, else orrery.db) and lets `body` look; the exit code
 * is the inspection's or the failure's, which is told in one line. */
int orr_cli_inspect(const char *command, const char *store, orr_status (*body)(orr_inspection *), void *user);

/* The run of that number, or the latest where id is 0. */
orr_status orr_cli_run_row(orr_inspection *in, int64_t id, orr_run_row *out) ORR_MUST_USE;
/* Prints JSON, compact and in one line, and gives it back; NULL is out of memory. */
orr_status orr_cli_print_json(orr_inspection *in, json_t *value) ORR_MUST_USE;
/* A run as JSON (new). */
json_t *orr_cli_run_json(const orr_run_row *r);
/* A text or null (new). */
json_t *orr_cli_text_json(const char *text);
/* "1.5 MB" */
void orr_cli_bytes(int64_t bytes, char out[24]);

#endif
