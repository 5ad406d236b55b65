#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "store/store.h"

int orr_cli_version(int argc, char **argv) {
    if (argc > 0 && strcmp(argv[0], "--help") != 0) return orr_cli_usage("version", "takes no '%s'", argv[0]);
    printf("orrery " ORR_VERSION ", schema of the store %d\n", ORR_STORE_SCHEMA);
    return ORR_EXIT_HOLDS;
}
