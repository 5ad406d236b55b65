/* orrery gc: gives room back. */
#include <stdio.h>

#include "base/context.h"
#include "cli/inspect.h"

static const char usage[] =
    "usage: orrery gc [options]\n"
    "\n"
    "  orrery gc                        drops what nobody needs, and says how much room that gave\n"
    "  orrery gc --store old.db\n"
    "\n"
    "Checkpoints of finished runs go, and the room of what was deleted is given back to the disk. Experiments, "
    "predictions,\n"
    "recorded values and the checkpoints of runs that can be resumed stay. For a while the disk must hold the file "
    "twice.\n"
    "\n"
    "  --store FILE     default: what ORRERY_STORE names, else orrery.db in this folder\n"
    "  --json           one object\n"
    "\n"
    "Exit codes: 0 done, 2 wrong usage or bad input, 3 the machine could not do it.\n";

static orr_status collect(orr_inspection *in) {
    const bool *json = in->user;
    orr_gc_outcome out;
    char won[24], now[24];
    ORR_TRY(in->ctx, orr_store_gc(in->store, &out));
    if (*json)
        return orr_cli_print_json(in, json_pack("{s:I, s:I, s:I}", "checkpoints", (json_int_t)out.checkpoints,
                                                "bytes_before", (json_int_t)out.bytes_before, "bytes_after",
                                                (json_int_t)out.bytes_after));
    orr_cli_bytes(out.bytes_before - out.bytes_after, won);
    orr_cli_bytes(out.bytes_after, now);
    printf("%s: %lld checkpoint%s of finished runs dropped, %s won; %s now\n", orr_store_path(in->store),
           (long long)out.checkpoints, out.checkpoints == 1 ? "" : "s", won, now);
    return ORR_OK;
}

int orr_cli_gc(int argc, char **argv) {
    bool json = false;
    const char *store = NULL;
    const orr_cli_option table[] = { { .name = "--store", .value = &store },
                                     { .name = "--json", .flag = &json },
                                     { 0 } };
    int n, code = orr_cli_parse("gc", usage, "run", argc, argv, table, NULL, 0, &n);
    return code == ORR_CLI_GO ? orr_cli_inspect("gc", store, collect, &json) : code;
}
