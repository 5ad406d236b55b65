#include <string.h>

#include "workloads/workload.h"

#define ORR_WORKLOAD(topic, name) extern const orr_workload orr_workload_##name;
#include "workloads/workloads.def"
#undef ORR_WORKLOAD

const orr_workload *const orr_workloads[] = {
#define ORR_WORKLOAD(topic, name) &orr_workload_##name,
#include "workloads/workloads.def"
#undef ORR_WORKLOAD
    NULL,
};

const orr_workload *orr_workload_find(const char *name) {
    for (int i = 0; orr_workloads[i]; i++)
        if (strcmp(orr_workloads[i]->name, name) == 0) return orr_workloads[i];
    return NULL;
}
